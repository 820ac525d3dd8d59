"""Numbers of persons in a text: NIK (Indonesia's 16-digit identity number) and telephone numbers.

A text is cut into runs: digits with at most three visible separators (blank, dot, dash, slash and the like)
between them; what is invisible was taken out before (`letters`). A run's groups are then tried one after the
other, each with its followers, so the cost is linear and what is left over holds no further match.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hub.domain.privacy.between import has_time, is_mixed
from hub.domain.privacy.finding import Group, Span
from hub.domain.privacy.phones import Phones
from hub.domain.privacy.plain import FEWEST_DIGITS

_VISIBLE = r"\s.,:;_/'()*|·•#+~=\-"
_RUN = re.compile(rf"\d(?>(?:[{_VISIBLE}]{{0,3}}+\d)*)")
_GROUP = re.compile(r"\d++")
_AMOUNT = re.compile(r"(?:\brp|\bidr)[\s.]{0,2}$", re.IGNORECASE)
_NIK_DIGITS = 16


def number_spans(text: str) -> Iterator[Span]:
    """Every NIK and telephone number.

    NIK: 16 digits in neighbouring groups with a province (11-99), a day (01-31, or 41-71 for women) and a
    month (01-12) in their places; any unbroken 16 digits or more (a mistyped NIK or a card is personal
    too); 4-4-4-4 with a card's check digit. Two dates or a pair of coordinates are none.
    """
    phones = Phones()
    for run in _RUN.finditer(text):
        if run.end() - run.start() >= FEWEST_DIGITS:
            yield from _spans_in_run(text, run.start(), run.end(), phones)


def _spans_in_run(text: str, start: int, end: int, phones: Phones) -> Iterator[Span]:
    groups = _groups(text, start, end)
    amount = _AMOUNT.search(text, max(0, start - 5), start) is not None
    at = 0
    while at < len(groups):
        begins = groups[at].start
        plus = text[begins - 1 : begins] == "+"  # of any group: "+" also parts the numbers of a list
        if taken := _nik(groups, at):
            yield begins, groups[at + taken - 1].end, "nik"
        elif (taken := phones.match(groups, at, plus)) and not (amount and at == 0):
            yield _phone_span(text, begins - plus, groups[at + taken - 1].end)
        else:
            taken = 1
        at += taken


def _groups(text: str, start: int, end: int) -> list[Group]:
    groups: list[Group] = []
    before = start
    for found in _GROUP.finditer(text, start, end):
        groups.append(Group(found.start(), found.end(), found[0], text[before : found.start()]))
        before = found.end()
    return groups


def _phone_span(text: str, start: int, end: int) -> Span:
    """A bracket opened just before the number, as in (021) 555, belongs to it when it closes inside."""
    opened = text[start - 1 : start] == "(" and ")" in text[start:end]
    return start - opened, end, "phone"


def _nik(groups: list[Group], at: int) -> int:
    """How many groups from `at` make a NIK; 0 for none."""
    if len(groups[at].digits) >= _NIK_DIGITS:
        return 1
    digits = ""
    for stop in range(at, min(len(groups), at + _NIK_DIGITS)):
        digits += groups[stop].digits
        if len(digits) >= _NIK_DIGITS:
            window = groups[at : stop + 1]
            return len(window) if len(digits) == _NIK_DIGITS and _is_nik(digits, window) else 0
    return 0


def _is_nik(digits: str, window: list[Group]) -> bool:
    lengths = [len(group.digits) for group in window]
    if lengths == [4, 4, 4, 4] and _luhn(digits):
        return True
    return is_plausible_nik(digits) and not (
        _two_dates(window, lengths) or _coordinates(window, lengths) or has_time(window) or is_mixed(window)
    )


def is_plausible_nik(digits: str) -> bool:
    """Sixteen digits 0-9 with a province, a day (+40 for women) and a month in their places."""
    province, day, month = int(digits[:2]), int(digits[6:8]), int(digits[8:10])
    return province >= 11 and (1 <= day <= 31 or 41 <= day <= 71) and 1 <= month <= 12


def _two_dates(window: list[Group], lengths: list[int]) -> bool:
    """12-02-2024 - 05-03-2024"""
    years = (window[2].digits, window[5].digits) if lengths == [2, 2, 4, 2, 2, 4] else ()
    return bool(years) and all(year[:2] in ("19", "20") for year in years)


def _coordinates(window: list[Group], lengths: list[int]) -> bool:
    """-6.914744, 107.609810: a latitude and a longitude within Indonesia."""
    return (
        len(lengths) == 4
        and window[1].gap == window[3].gap == "."
        and lengths[0] <= 2
        and lengths[2] <= 3
        and int(window[0].digits) <= 11
        and 95 <= int(window[2].digits) <= 141
    )


def _luhn(digits: str) -> bool:
    doubled = (int(d) * 2 if i % 2 == 0 else int(d) for i, d in enumerate(digits))
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0
