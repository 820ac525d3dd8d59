"""House-level details of an address, as far as patterns go.

A complaint is about a place, so a street, a village, an RT and RW, a kilometre and a public building stay:
"Jalan rusak di Jl. Ahmad Yani dekat pasar" and "banjir di RT 03/RW 05" (dozens of homes) are left as they
are. Hidden is what leads to one door: a house number marked as one ("No. 12", "nomor 12A") directly after a
street, lane, estate, hamlet or the word for a dwelling, a plot ("kav. 7"), a block with a number ("Blok C2 No
5", "Blok C/5"), and an RT directly beside one of these, or with its RW directly after a street ("Jl. Melati
RT 03/RW 05"). A bare number after a street name ("Jl. Melati 12") stays: too many streets carry a number in
their name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hub.domain.privacy.finding import TOKENS, Span

_ALONE = r"(?<![^\W\d_])"
"""Not in the middle of a word; digits may stand before, since masking may take them away."""
_GAP = r"[\s.:]{0,3}"
_RT, _RW = rf"r\.?t{_GAP}", rf"r\.?w{_GAP}"
_N = r"\d{1,3}(?!\d)"
_NUMBER = rf"(?:no|nomor|nomer|nmr){_GAP}\d{{1,5}}(?!\d)(?:[a-z](?![^\W\d_]))?(?:[/\-]\d{{1,4}}(?!\d))?"

_WITH_RW = (
    rf"r\.?t\s?[/.\-]{{0,2}}\s?{_RW}{_N}(?:\s?[/\-]\s?{_N})?"
    rf"|{_RW}{_N}[\s,./\-]{{0,3}}{_RT}{_N}"
    rf"|{_RT}{_N}(?:[\s,./\-]{{0,3}}{_RW}{_N}|\s?/\s?{_N})"
)
_NEIGHBOURS = rf"(?:{_WITH_RW}|{_RT}{_N})"

_DIRECT = re.compile(
    rf"{_ALONE}(?:"
    rf"blok{_GAP}[a-z]{{1,3}}[\s.\-]?\d{{0,3}}[a-z]?"
    rf"(?:[\s,./\-]{{0,3}}{_NUMBER}|\s?[/\-]\s?\d{{1,4}}(?!\d)[a-z]?(?![^\W\d_]))"
    rf"|{_NEIGHBOURS}[\s,./\-]{{0,3}}{_NUMBER}"
    rf"|{_NUMBER}[\s,./\-]{{0,3}}{_NEIGHBOURS}"
    rf"|kav(?:ling)?{_GAP}(?:no{_GAP})?\d{{1,4}}(?!\d)[a-z]?(?![^\W\d_])"
    rf")",
    re.IGNORECASE,
)
_NEIGHBOURHOODS = re.compile(
    rf"{_ALONE}(?:(?P<rw>{_WITH_RW})|{_RT}{_N})(?>(?:[\s,./\-]{{0,3}}{_NEIGHBOURS})*)", re.IGNORECASE
)
_HOUSE_NUMBER = re.compile(rf"{_ALONE}{_NUMBER}", re.IGNORECASE)
_LOOK_BACK = 80
_TOKEN = TOKENS["address"]
_GAPS = " \t\n\r,./;-()"
_REACH = len(_TOKEN) + 3
_BEFORE = re.compile(
    rf"{_ALONE}(?:jl|jln|jalan|gg|gang|lr|lrg|lorong|perum|perumahan|komp|komplek|kompleks|kp|kampung|dusun"
    r"|rumah|kontrakan|kos|kost|kosan|rusun|rusunawa|apartemen|asrama|ruko)(?![^\W\d_])"
    r"\.?\s?(?P<words>(?:[^\s,;:!?()\[\]]+(?:,\d+)?\s{1,2}){0,6}(?:[^\s,;:!?()\[\]]+)?)\s?,?\s?$",
    re.IGNORECASE,
)
_OTHER_NUMBERS = frozenset(  # one a line would be 40 lines
    "aduan antrean antrian ayat bpjs hp izin kartu kepmen keputusan kk kwh laporan meter pasal pelanggan "  # noqa: SIM905
    "pengaduan peraturan perbup perda pergub perkara permen perpres perwali plat polisi pp register "
    "registrasi rekening resi seri sertifikat sk surat telepon telp tiket urut uu wa".split()
)
"""What is numbered but is no house: "jalan berlubang, tiket no 1234"."""


def direct_spans(text: str) -> Iterator[Span]:
    """Blocks with a number, plots, a number directly beside an RT."""
    for found in _DIRECT.finditer(text):
        yield found.start(), found.end(), "address"


def house_number_spans(text: str) -> Iterator[Span]:
    """House numbers that stand directly after a street or a dwelling."""
    for found in _HOUSE_NUMBER.finditer(text):
        before = _BEFORE.search(text, max(0, found.start() - _LOOK_BACK), found.start())
        if before and not _numbers_something_else(before["words"]):
            yield found.start(), found.end(), "address"


def neighbourhood_spans(text: str) -> Iterator[Span]:
    """RT (and RW) beside what is masked as an address already, or with RW directly after a street."""
    for found in _NEIGHBOURHOODS.finditer(text):
        start, end = found.span()
        if (
            text[max(0, start - _REACH) : start].rstrip(_GAPS).endswith(_TOKEN)
            or text[end : end + _REACH].lstrip(_GAPS).startswith(_TOKEN)
            or (found["rw"] and _after_street(text, start))
        ):
            yield start, end, "address"


def _after_street(text: str, at: int) -> bool:
    return _BEFORE.search(text, max(0, at - _LOOK_BACK), at) is not None


def _numbers_something_else(words: str) -> bool:
    last = words.split()[-1:]
    return bool(last) and last[0].lower().strip(".") in _OTHER_NUMBERS
