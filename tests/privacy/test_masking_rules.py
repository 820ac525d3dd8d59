"""Masking by example: what is hidden, and what a complaint needs and keeps."""

from __future__ import annotations

import pytest

from hub.domain.privacy import Finding, mask

HIDDEN = [
    ("NIK saya 3273011203800004, mohon dibantu", "NIK saya [NIK disamarkan], mohon dibantu"),
    ("NIK 3273 0112 0380 0004.", "NIK [NIK disamarkan]."),
    ("32.73.01.520380.0004", "[NIK disamarkan]"),
    ("NIK 327301-120380-0004", "NIK [NIK disamarkan]"),
    ("３２７３０１１２０３８００００４", "[NIK disamarkan]"),
    ("٣٢٧٣٠١١٢٠٣٨٠٠٠٠٤", "[NIK disamarkan]"),
    ("32\u200b73\u200d0112\ufeff03800004", "[NIK disamarkan]"),
    ("nomor 9999999999999999 salah ketik", "nomor [NIK disamarkan] salah ketik"),
    ("kartu 4111 1111 1111 1111", "kartu [NIK disamarkan]"),
    ("32730112038000049999", "[NIK disamarkan]"),
    ("3273011203800004 081234567890", "[NIK disamarkan] [telepon disamarkan]"),
    ("hubungi 0812-3456-7890 5 orang", "hubungi [telepon disamarkan] 5 orang"),
    ("WA +62 812 3456 7890", "WA [telepon disamarkan]"),
    ("62812 3456 7890", "[telepon disamarkan]"),
    ("0 8 1 2 3 4 5 6 7 8 9", "[telepon disamarkan]"),
    ("kantor (0536) 21234", "kantor [telepon disamarkan]"),
    ("telp (021) 555-1234 siang", "telp [telepon disamarkan] siang"),
    ("anak saya di +60 12-345 6789", "anak saya di [telepon disamarkan]"),
    ("surel budi.s@gmail.com ya", "surel [surel disamarkan] ya"),
    ("budi @gmail.com", "[surel disamarkan]"),
    ("budi@gmail", "[surel disamarkan]"),
    ("Jl. Ahmad Yani No. 12, RT 03/RW 05", "Jl. Ahmad Yani [alamat disamarkan]"),
    ("Jalan Tjilik Riwut Km 3,5 nomor 7A", "Jalan Tjilik Riwut Km 3,5 [alamat disamarkan]"),
    ("gg melati no 4", "gg melati [alamat disamarkan]"),
    ("rumah saya no. 9", "rumah saya [alamat disamarkan]"),
    ("Jl. Melati No. 3 RT 03/RW 05", "Jl. Melati [alamat disamarkan]"),
    ("Jl. Melati RT 03/RW 05", "Jl. Melati [alamat disamarkan]"),
    ("Jalan Mawar RT/RW 003/005 Desa Pasir", "Jalan Mawar [alamat disamarkan] Desa Pasir"),
    ("RT 03/RW 05 No. 9", "[alamat disamarkan]"),
    ("gg melati RT 2 no 4", "gg melati [alamat disamarkan]"),
    ("Blok C2 No 5, RT 07", "[alamat disamarkan], [alamat disamarkan]"),
    ("Perum Griya Blok C2 No 5", "Perum Griya [alamat disamarkan]"),
    ("blok c/5", "[alamat disamarkan]"),
    ("kavling 12", "[alamat disamarkan]"),
]

KEPT = [
    "Jalan rusak di Jl. Ahmad Yani dekat pasar",
    "Jl. Tjilik Riwut Km 12 berlubang sejak 2024",
    "RW 05 banjir dua hari",
    "jalan berlubang di RT 0.",
    "Warga RT 12 mengeluh banjir",
    "banjir di RT 03/RW 05 sejak kemarin",
    "RT/RW 003/005 Desa Pasir",
    "RW 05 RT 2 Baamang",
    "gang buntu di Jl. Melati RT 2",
    "bertemu at kantor desa. id kartu hilang",
    "lampu padam di titik at pasar dot",
    "harga naik 50% atau 20%an di https://lapor.contoh.id/foto%20jalan%20rusak.jpg?a=%2F",
    "kode OOIIOOIIOOIIOOII",
    "nomor seri 62O2O199O58OOOO1",
    "parkir liar di Blok M",
    "jalan berlubang, tiket no 1234",
    "jalan rusak nomor laporan 77",
    "jadwal 08.15-10.30-12.45",
    "12-02-2024 - 05-03-2024 pukul 08:00",
    "koordinat -6.914744, 107.609810",
    "anggaran Rp 62.812.345.678",
    "Rp81234567890",
    "kode desa 62.02.01.2001",
    "tahun 2019 2020 2021 2022",
    "hubungi 112 atau 0800-1-500-000",
    "cek @pemkot.kotim di Instagram",
    "ID pelanggan 531234567890",
]


@pytest.mark.parametrize(("text", "expected"), HIDDEN)
def test_what_is_personal_is_hidden(text: str, expected: str) -> None:
    assert mask(text).text == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ke y.kiwok@pos.example. Terima", "ke [surel disamarkan]. Terima"),
        ("hp 081234567890, .- lalu", "hp [telepon disamarkan], .- lalu"),
        ("NIK 3273011203800004. - (dua)", "NIK [NIK disamarkan]. - (dua)"),
        ("rumah RT 3 RW 4, ./ dekat", "rumah [alamat disamarkan], ./ dekat"),
    ],
)
def test_what_follows_stays(text: str, expected: str) -> None:
    """Python 3.11.2 keeps what a possessive group tried last and did not find."""
    assert mask(text).text == expected


@pytest.mark.parametrize("text", KEPT)
def test_what_a_complaint_is_about_stays(text: str) -> None:
    assert mask(text).text == text
    assert mask(text).found == ()


OWN = ["Siti Aminah Putri", "+62 812-9999-000", "siti@kantor.lokal", "3273011203800004"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("saya SITI aminah melapor", "saya [pelapor disamarkan] melapor"),
        ("Siti Aminah Putri", "[pelapor disamarkan]"),
        ("bu Aminah-Putri", "bu [pelapor disamarkan]"),
        ("siti saja, dan Aminahan Putrida", "siti saja, dan Aminahan Putrida"),
        ("telepon 0812 9999 000", "telepon [pelapor disamarkan]"),
        ("SITI@kantor.lokal", "[pelapor disamarkan]"),
        ("balas ke ketua-siti.aminah@contoh.id ya", "balas ke [surel disamarkan] ya"),
        ("siti.aminah1990@contoh.id", "[surel disamarkan]"),
        ("humas@siti-aminah.co.id", "[surel disamarkan]"),
        ("siti.aminah@siti-aminah-katering.co.id", "[surel disamarkan]"),
        ("ketua-siti-aminah (at) contoh.id", "[surel disamarkan]"),
        ("kirim:628129999000@contoh.id", "kirim:[surel disamarkan]"),
        ("b@c.id, Siti Aminah, d@e.id", "[surel disamarkan], [pelapor disamarkan], [surel disamarkan]"),
        ("NIK 32-73-01-12-03-80-00-04", "NIK [pelapor disamarkan]"),
    ],
)
def test_the_reporters_own_values_are_hidden(text: str, expected: str) -> None:
    assert mask(text, OWN).text == expected


def test_one_word_names_are_hidden_but_stand_ins_are_not() -> None:
    assert mask("saya Suharto", ["Suharto"]).text == "saya [pelapor disamarkan]"
    assert mask("semua warga mengeluh", ["Warga"]).text == "semua warga mengeluh"


def test_an_address_that_a_short_name_stands_in_goes_as_a_whole() -> None:
    """What would be left of it says nearly as much."""
    for text in (
        "rahma-siti@gmail.com",
        "siti@gmail.com",
        "budi.siti@siti-katering.co.id",
        "siti @ gmail.com",
    ):
        assert mask(f"Balas ke {text} ya", ["Siti"]).text == "Balas ke [surel disamarkan] ya"
    assert mask("bu siti@kantor", ["Siti"]).text == "bu [pelapor disamarkan]@kantor", "no address"


def test_a_name_made_of_a_tokens_words_does_not_eat_the_tokens() -> None:
    once = mask("pelapor disamarkan 081234567890", ["Pelapor Disamarkan"])
    assert once.text == "[pelapor disamarkan] [telepon disamarkan]"
    assert mask(once.text, ["Pelapor Disamarkan"]).text == once.text


def test_findings_count_kinds_and_never_hold_values() -> None:
    found = mask("0812 3456 7890, 081234567891, budi@contoh.id, 3273011203800004").found
    assert found == (Finding("nik", 1), Finding("phone", 2), Finding("email", 1))
