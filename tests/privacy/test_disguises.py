"""A reporter's own values in every disguise that was tried are masked; an ordinary text stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.privacy import is_plain, mask, own_values
from hub.domain.privacy.own import plain_may_hold

REPORTER = {
    "name": "Zulkarnaen Wirabuana Hadikusumo",
    "phone": "0812 9999 8765",
    "email": "bagus.z@contoh.id",
    "national_id": "6202014507900003",
}
OWN = own_values(REPORTER, hidden=True)
NAMED = own_values(REPORTER, hidden=False)

NAMES = [
    "Ｚｕｌｋａｒｎａｅｎ Ｗｉｒａｂｕａｎａ",
    "𝐙𝐮𝐥𝐤𝐚𝐫𝐧𝐚𝐞𝐧 𝐖𝐢𝐫𝐚𝐛𝐮𝐚𝐧𝐚",
    "Ⓩⓤⓛⓚⓐⓡⓝⓐⓔⓝ 🅆🄸🅁🄰🄱🅄🄰🄽🄰",
    "🅩🅤🅛🅚🅐🅡🅝🅐🅔🅝 🆆🅸🆁🅰🅱🆄🅰🅽🅰",
    "ᴢᴜʟᴋᴀʀɴᴀᴇɴ ᴡɪʀᴀʙᴜᴀɴᴀ",
    "Zulkarnaen\u200bWirabuana",
    "Zulkarnaen\u2060 \u200bWirabuana",
    "ZulkarnaenWirabuana",
    "@zulkarnaenwirabuana",
    "Zulkarnaenwirabuana99",
    "wirabuana_zulkarnaen",
    "wirabuanahadikusumo",
    "Zulkarnaen / Wirabuana",
    "Zulkarnaen (Wirabuana)",
    "Zulkarnaen|Wirabuana",
    "Zulkarnаеn Wirаbuаnа",
    "Ζulkαrnaen Wiraβuana",
    "Z u l k a r n a e n",
    "W-i-r-a-b-u-a-n-a",
    "Zulkarn aen Wirabu ana",
    "Zulkarnaen&nbsp;Wirabuana",
    "&#90;ulkarnaen &#x57;irabuana",
]
NUMBERS = [
    "6202:0145:0790:0003",
    "0812:9999:8765",
    "0812;9999;8765",
    "0812#9999#8765",
    "0812=9999=8765",
    "0812~9999~8765",
    "0812+9999+8765",
    "+62(812)9999~8765",
    "₀₈₁₂₉₉₉₉₈₇₆₅",
    "⁰⁸¹²⁹⁹⁹⁹⁸⁷⁶⁵",
    "⓪⑧①②⑨⑨⑨⑨⑧⑦⑥⑤",
    "⓿❽❶❷❾❾❾❾❽❼❻❺",
    "⑥②⓪②⓪①④⑤⓪⑦⑨⓪⓪⓪⓪③",
    "𝟎𝟖𝟏𝟐 𝟗𝟗𝟗𝟗 𝟖𝟕𝟔𝟓",
    "0️⃣8️⃣1️⃣2️⃣9️⃣9️⃣9️⃣9️⃣8️⃣7️⃣6️⃣5️⃣",
    "62O2O1 45O79OOOO3",
    "8l29999 8765",
    "O812 9999 8765",
    "O8I2 9999 87b5",
    "0812“9999”8765",
    "0812 &#57;999 8765",
    "6 2 0 2 / 0 1 4 5 / 0 7 9 0 / 0 0 0 3",
]
ADDRESSES = [
    "bagus.z @contoh.id",
    "bagus.z@ contoh.id",
    "bagus.z@contoh id",
    "bagus.z @ contoh . id",
    "bagus . z@contoh.id",
    "bagus.z(at)contoh,id",
    "bagus.z [ at ] contoh [ dot ] id",
    "bagus.z＠contoh。id",
    "bagus.z&#64;contoh.id",
    "bagus.z&commat;contoh.id",
    "ｂａｇｕｓ．ｚ＠ｃｏｎｔｏｈ．ｉｄ",
]
BEFORE = st.sampled_from(
    ["", "info: ", "Menurut ", "Pelapor (", "Jalan rusak 3 km, kata ", "tgl 12-03-2024 "]
)
AFTER = st.sampled_from(["", " itu", ") ya", ", sejak 2019.", " 08:00-15:00"])


@settings(max_examples=400)
@given(st.sampled_from([*NAMES, *NUMBERS, *ADDRESSES]), BEFORE, AFTER)
def test_an_own_value_in_disguise_is_masked(value: str, before: str, after: str) -> None:
    text = f"{before}{value}{after}"
    masked = mask(text, OWN)
    assert masked.found
    assert value not in masked.text
    assert masked.text.startswith(before)
    assert masked.text.endswith(after)
    assert mask(masked.text, OWN).text == masked.text


@pytest.mark.parametrize("value", [*NAMES, *NUMBERS, *ADDRESSES])
def test_nothing_of_a_disguised_value_is_left(value: str) -> None:
    left = mask(f"kata {value} tadi", OWN).text
    for kind in ("pelapor", "telepon", "NIK", "surel"):
        left = left.replace(f"[{kind} disamarkan]", "")
    assert left.removeprefix("kata ").removesuffix(" tadi").strip("@+9) \u20e3\ufe0f") == ""


@settings(max_examples=400)
@given(
    st.sampled_from(["0812", "+62812", "62 812"]),
    st.text(alphabet=":;#+~=.-/ ()|*\u200b“”·•", max_size=3),
    st.text(alphabet=":;#+~=.-/ ()|*\u200b“”·•", max_size=3),
)
def test_an_own_number_is_masked_whatever_parts_it(first: str, one: str, two: str) -> None:
    text = f"hubungi {first}{one}9999{two}8765 ya"
    assert "9999" not in mask(text, OWN).text
    assert not is_plain(text) or plain_may_hold(text, OWN)


def dressed(letters: str) -> st.SearchStrategy[str]:
    """Each letter plain, bold, full-width or with an invisible character behind it."""
    forms = [lambda c: c, lambda c: chr(ord(c) - 97 + 0x1D41A), lambda c: chr(ord(c) + 0xFEE0)]
    forms.append(lambda c: c + "\u200d")
    picks = st.lists(st.sampled_from(forms), min_size=len(letters), max_size=len(letters))
    return picks.map(
        lambda chosen: "".join(
            f(c) if c.isalpha() else c for f, c in zip(chosen, letters, strict=True)
        )
    )  # fmt: skip


@settings(max_examples=300)
@given(dressed("zulkarnaen wirabuana"))
def test_a_name_is_masked_in_any_letters(name: str) -> None:
    assert mask(f"kata {name}!", NAMED).text.rstrip("!\u200d") == "kata [pelapor disamarkan]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rumah nomer 12", "rumah [alamat disamarkan]"),
        ("Jl. Melati Ｎｏ. １２", "Jl. Melati [alamat disamarkan]"),
        ("Jl. Melati № 12", "Jl. Melati [alamat disamarkan]"),
        ("surel budi&#64;example.com ya", "surel [surel disamarkan] ya"),
        ("NIK 3273:0112:0380:0004", "NIK [NIK disamarkan]"),
        ("hp 0813;4567;8901", "hp [telepon disamarkan]"),
        ("tulis ke zul@ contoh.id", "tulis ke [surel disamarkan]"),
    ],
)
def test_anybodys_values_in_disguise_are_masked(text: str, expected: str) -> None:
    assert mask(text).text == expected


ORDINARY = [
    "Harga beras Rp 15.000; minyak Rp 20.000; gula Rp 17.500",
    "Perda Nomor 12 Tahun 2019 dan Pergub No. 7/2021",
    "buka 08:00-15:00, istirahat 12:00-13:00",
    "jadwal 13:00-15:12 12:10-17:30",
    "2026-11-20 08:00 - 10:00",
    "pada 2026-11-20T08:00:15.081234+07:00",
    "koordinat -2.531234, 112.952345",
    "koordinat 2°31'45.6\" LS; 112°57'08\" BT",
    "skala 1:50.000 = 2 cm",
    "tahun 2019; 2020; 2021; 2022",
    "12+34=46, 3 × 4 = 12, luas 120 m² atau ½ hektare",
    "tiket #1234 #5678",
    "ayat (1) huruf a; ayat (2) huruf b",
    "hasil rapat: 1) jalan; 2) jembatan; 3) lampu",
    "ikuti @kotim.go.id di Instagram",
    "Café “Melati” – buka… setiap hari 🙏",
    "R&D serta A&B; x &amp y",
    "Zulkarnain kecil dan wira buana di kampung",
    "https://l.id/p?a=12&b=34;c=5#bagian-6",
]
ANYWAY = ["jalan rusak", "pada 12-03-2024", "3 titik", "sejak pukul 08:00", "Rp 2.500.000", "Jl. Ahmad Yani"]


@pytest.mark.parametrize("text", [*ORDINARY, "NIP 19800101 200501 1 001"])
def test_an_ordinary_text_stays(text: str) -> None:
    assert mask(text, NAMED).text == text


@settings(max_examples=300)
@given(
    st.lists(st.sampled_from([*ORDINARY, *ANYWAY]), min_size=1, max_size=4), st.sampled_from([". ", " dan "])
)
def test_ordinary_texts_together_stay(texts: list[str], between: str) -> None:
    text = between.join(texts)
    assert mask(text, OWN).text == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Diana Sukma", "dia na sukmawati"),
        ("Budi Man", "budiman pulang"),
        ("Setiawan", "setia wan"),
        ("Ali Ba", "alibaba"),
    ],
)
def test_ordinary_words_are_no_broken_name(name: str, text: str) -> None:
    assert mask(text, own_values({"name": name}, hidden=True)).text == text


def test_the_reason_of_an_erasure_is_masked_as_well() -> None:
    reason = "atas nama Ｚｕｌｋａｒｎａｅｎ Ｗｉｒａｂｕａｎａ 0812:9999:8765"
    assert mask(reason, OWN).text == "atas nama [pelapor disamarkan] [pelapor disamarkan]"
