"""Masking on any text: it never raises, is idempotent, linear, and the cheap look never lets one through."""

from __future__ import annotations

import time
import timeit

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hub.domain.privacy import is_plain, mask
from hub.domain.privacy.disguised import encoded_parts
from hub.domain.privacy.letters import plain_letters
from hub.domain.privacy.masking import SCANS
from hub.domain.privacy.own import may_hold, own_spans, plain_may_hold

PIECES = [
    *[
        "RT ",
        "RW ",
        "rt.",
        "/",
        "No. ",
        "nomor ",
        "Jl. Melati ",
        "gang ",
        "Blok C",
        "blok",
        "kav ",
        "Rp ",
        "rumah ",
    ],
    *[
        "0812",
        "081234567890",
        "+62",
        "62",
        "(021)",
        "555",
        "1234",
        "3273011203800004",
        "32",
        "73",
        "12",
        "03",
        "80",
    ],
    *[
        "5",
        "2024",
        "-",
        ".",
        " ",
        ",",
        "\n",
        "@",
        "gmail",
        ".com",
        "budi",
        "\u200b",
        "３",
        "٣",
        "＠",
        "_",
        "'",
        "(",
    ],
    *[
        " at ",
        "(at)",
        "[At] ",
        "_at_",
        " titik ",
        "dot",
        "contoh.id",
        "%20",
        "%40",
        "%",
        "+",
        "?a=",
        "https://x/",
    ],
    *[
        "6202O",
        "1O1580",
        "OOO1",
        "62O2O115O58OOOO1",
        "l",
        "I",
        "S. ",
        "A",
        "é",
        "\u0301",
        "nya",
        "ku",
        "Putri",
        "S",
    ],
    *[
        "S i t i",
        "SitiAminah",
        "Ｓｉｔｉ",
        "𝐀minah",
        "Аминah",
        "&#64;",
        "&nbsp;",
        "₀₈",
        "①",
        "№ ",
        "nomer ",
        ":",
        ";",
    ],
    *["#", "~", "=", "O8l29999OOOl", "08:00", "@ ", " .", "budi@ gmail"],
    *["Siti", "Aminah", " aminah", "a", "[NIK disamarkan]", "[", "]", "K", "ſ", "\ud800", ")", "x", "+60 12"],
]
OWN = [
    "Siti Aminah Putri",
    "José Garcia",
    "Siti Aminah",
    "081299990001",
    "budi@gmail",
    "3273011203800004",
    "Aminah",
]
texts = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=25).map("".join)


@settings(max_examples=1500)
@given(texts, st.lists(st.sampled_from(OWN), max_size=3))
def test_masking_twice_is_masking_once(text: str, own: list[str]) -> None:
    once = mask(text, own).text
    again = mask(once, own)
    assert again.text == once
    assert again.found == ()


@settings(max_examples=500)
@given(st.text(alphabet=st.characters()), st.lists(st.text(max_size=20), max_size=4))
def test_any_text_and_any_own_values_are_taken(text: str, own: list[str]) -> None:
    assert isinstance(mask(text, own).text, str)


@settings(max_examples=1500)
@given(texts)
def test_what_the_cheap_look_calls_plain_holds_nothing_for_the_scan(text: str) -> None:
    if is_plain(text):
        for spans in SCANS:
            assert list(spans(plain_letters(text))) == []
        assert list(encoded_parts(text)) == []


@settings(max_examples=1500)
@given(texts, st.lists(st.sampled_from([*OWN, "1234567", "Budi Siti"]), max_size=3))
def test_own_values_are_never_passed_over_by_a_cheap_look(text: str, own: list[str]) -> None:
    found = own_spans(text, own)
    assert not found or may_hold(text, own)
    assert not found or not is_plain(text) or plain_may_hold(text, own)


letters = st.text("abcdefghijklmnopqrstuvwxyz0123456789._-", max_size=9)


@settings(max_examples=500)
@given(letters, letters, st.sampled_from(["Siti", "siti aminah", "Suharto", "081299990001"]), st.booleans())
def test_nothing_is_left_of_an_address_with_an_own_value_in_it(
    before: str, after: str, own: str, in_domain: bool
) -> None:
    name, domain = own.lower().replace(" ", "."), "contoh.id"
    address = f"{before or 'a'}@{name}-{domain}" if in_domain else f"{before}{name}{after}@{domain}"
    if any(list(spans(address)) for spans in SCANS[:1]):
        assert "@" not in mask(f"ke {address} ya", [own]).text
        assert domain not in mask(f"ke {address} ya", [own]).text


separators = st.sampled_from(["", "", "", " ", ".", "-", "\u200b", "\u2060", " - ", "\u00a0", "–"])


@st.composite
def written_niks(draw: st.DrawFn) -> str:
    day = draw(st.integers(1, 31)) + draw(st.sampled_from([0, 40]))
    digits = f"{draw(st.integers(11, 99))}{draw(st.integers(0, 9999)):04}{day:02}"
    digits += f"{draw(st.integers(1, 12)):02}{draw(st.integers(0, 99)):02}{draw(st.integers(0, 9999)):04}"
    zero = draw(st.sampled_from(["0", "０", "٠"]))
    gaps = [*draw(st.lists(separators, min_size=15, max_size=15)), ""]
    return "".join(chr(ord(zero) + int(d)) + gap for d, gap in zip(digits, gaps, strict=True))


@settings(max_examples=500)
@given(
    written_niks(),
    st.sampled_from(["", "NIK: ", "nik saya ", "(", "KTP="]),
    st.sampled_from(["", " ya", ")", ", tks"]),
)
def test_a_nik_is_hidden_however_it_is_written(nik: str, before: str, after: str) -> None:
    hidden = mask(before + nik + after)
    dates_or_point = hidden.found == () and ("-" in nik or "." in nik)
    assert dates_or_point or not any(c.isdecimal() for c in hidden.text)


@settings(max_examples=300)
@given(
    st.sampled_from(["0", "62", "+62", "+62 ", "0062 ", "+62 (0)"]),
    st.from_regex(r"8[1-9][0-9]{2}", fullmatch=True),
    st.from_regex(r"[0-9]{4}", fullmatch=True),
    st.from_regex(r"[0-9]{2,4}", fullmatch=True),
    st.sampled_from(["", " ", "-", "."]),
)
def test_a_mobile_number_is_hidden_however_it_is_written(
    prefix: str, a: str, b: str, c: str, gap: str
) -> None:
    hidden = mask(f"hubungi {prefix}{gap.join((a, b, c))} segera").text
    assert not any(character.isdecimal() for character in hidden)


HOSTILE = {
    "digits apart": "1 " * 10_000,
    "zeros apart": "0 " * 10_000,
    "digits together": "8" * 20_000,
    "plus signs": "+1" * 10_000,
    "plus signs and a country": "+62" * 6_666,
    "digits in turn": "0 8 " * 5_000,
    "at signs": "@" * 20_000,
    "a@a@": "a@" * 10_000,
    "dots": "a@" + "a." * 10_000,
    "landlines": "0274 512345, x" * 1_430,
    "unknown landlines": "0299 999999 x" * 1_540,
    "RT": "rt " * 6_666,
    "RT 1": "rt 1 " * 4_000,
    "house numbers": "no 1 " * 4_000,
    "streets": "jl " * 6_666,
    "street numbers": "jl a no 1 " * 2_000,
    "blocks": "blok a" * 3_333,
    "invisible": "1" + "\u200b" * 19_998 + "1",
    "blanks": "1" + " " * 19_998 + "1",
    "names": "siti " * 4_000,
    "brackets": "[" * 20_000,
    "gmail": "a @gmail " * 2_222,
    "spelled": "a (at) " * 2_857,
    "spelled domains": "a at " + "a dot " * 3_333,
    "spelled blanks": " at a" * 4_000,
    "lookalikes": "62O2O115O58OOOO1 " * 1_176,
    "percents": "%41" * 6_666,
    "percent words": "a?%41%40b.id " * 1_538,
    "nested percents": "%" + "25" * 9_999,
    "queries": "https://x/?%20" * 1_428,
    "names in turn": "siti aminah " * 1_666,
    "initials": "s. aminah" * 2_222,
    "accents": "sitié aminah\u0301 " * 1_333,
    "RT in turn": "rt 1 rw 2 no 3 " * 1_333,
    "RT up to a number": "rt 1 " * 3_990 + "no 5",
    "streets with RT": "jl a rt 1 rw 2 " * 1_333,
    "bold": "𝐬𝐢𝐭𝐢 𝐚𝐦𝐢𝐧𝐚𝐡 " * 1_666,
    "entities": "&#65;" * 4_000,
    "apart": "s i t i a m i n a h " * 1_000,
    "run together": "sitiaminah" * 2_000,
    "run together, and on": "sitiaminah" * 1_999 + "sitiaminahx",
    "colons": "1:" * 10_000,
    "letters for digits": "O8l299990" * 2_222,
    "own, apart": "0 8 1 2 9 9 9 9 0 0 0 " * 909,
    "wide gaps": "8    1    2    " * 1_333,
    "address apart": "budi . budi @ " * 1_428,
    "plots": "kav 6" + "2rt 3" * 3_990,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_cost_linear_time(name: str) -> None:
    """Doubling the text at most triples the cost (a quadratic one quadruples it); figures with -s."""
    text = HOSTILE[name]
    mask(text, OWN)
    half, whole = (min(_seconds(text[:size]) for _ in range(3)) for size in (10_000, 20_000))
    print(f"\n{name}: {whole * 1e3:.1f} ms for 20,000 characters", end="")
    assert whole < 3 * half + 0.02


def _seconds(text: str) -> float:
    start = time.process_time()
    mask(text, OWN)
    return time.process_time() - start


@given(
    st.integers(2, 40),
    st.sampled_from(["", " ", ", ", "\n", "/", " - ", "; ", " dan "]),
    st.sampled_from(["+1415555{:04}", "+60 12-345 {:04}", "+6281234{:06}", "0812-3456-{:04}"]),
)
def test_a_list_of_numbers_goes_whole(count: int, between: str, form: str) -> None:
    assume(between or form.startswith("+"))  # where else would one end?
    numbers = [form.format(2671 + n) for n in range(count)]
    masked = mask("hubungi " + between.join(numbers)).text
    assert [number for number in numbers if number in masked] == []
    assert mask(masked).text == masked


def test_figures_of_the_cheap_look() -> None:
    sentence = (
        "Jalan di depan pasar rusak parah sejak tahun 2024 dan sudah 3 kali dilaporkan, belum ada tindakan. "
    )
    for size in (1_000, 4_000):
        text = ("Sejak 12 Maret 2024, sudah 3 kali. " + sentence * 50)[:size]
        assert is_plain(text)
        best_s = min(timeit.repeat(lambda text=text: is_plain(text), number=1_000, repeat=7)) / 1_000
        print(f"\nis_plain, {size} characters: {best_s * 1e6:.2f} us", end="")
