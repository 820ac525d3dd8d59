"""Telephone numbers among groups of digits. Mobile numbers are known by their form (also with a prefix that
was handed out yesterday); landlines and foreign numbers are asked of `phonenumbers`, which is costly."""

from __future__ import annotations

import re

from hub.domain.privacy.between import has_time, is_mixed
from hub.domain.privacy.finding import Group

_MOBILE = re.compile(r"8[1-9]\d{7,10}")
_SHORTEST, _LONGEST = 9, 16
_MOST_LOOKUPS = 64


class Phones:
    """The numbers of one text. After 64 look-ups every further candidate counts as a number, unasked: a
    text that full of numbers is a list of people, and the cost stays bounded."""

    def __init__(self) -> None:
        self._lookups = 0

    def match(self, groups: list[Group], at: int, plus: bool) -> int:
        """How many groups from `at` make a telephone number; 0 for none.

        The shortest that is one, and on from there while the same separator goes on and it stays one:
        "0812-3456-7890 5 orang" ends before the 5."""
        if not (plus or groups[at].digits[0] in "06"):
            return 0
        taken, digits = 0, ""
        for count, group in enumerate(groups[at : at + _LONGEST], 1):
            digits += group.digits
            if len(digits) > _LONGEST:
                break
            if taken and (count == 2 or group.gap != groups[at + count - 2].gap):
                break
            if len(digits) >= _SHORTEST and self._is_phone(digits, groups[at : at + count], plus):
                taken = count
        return taken

    def _is_phone(self, digits: str, window: list[Group], plus: bool) -> bool:
        """From the cheapest question to the dearest."""
        if plus and not digits.startswith("62"):
            return self._known(f"+{digits}")
        national = _national(digits)
        if not national or national[0] not in "2345678":
            return False
        if not _spoken_like_a_phone(window, plus) or has_time(window):
            return False
        if not plus and (_is_amount(window) or is_mixed(window)):
            return False
        if _MOBILE.fullmatch(national):
            return True
        trunk = plus or not digits.startswith("62")
        return trunk and national[0] != "8" and 8 <= len(national) <= 11 and self._known(f"+62{national}")

    def _known(self, number: str) -> bool:
        self._lookups += 1
        if self._lookups > _MOST_LOOKUPS:
            return True
        import phonenumbers  # at the first question, 25 ms once: most processes never ask one

        try:
            return phonenumbers.is_valid_number(phonenumbers.parse(number, None))
        except phonenumbers.NumberParseException:
            return False


def _national(digits: str) -> str:
    """Without 0062, 62 and the trunk 0 ("+62 (0)812 …" is written too); "" when none of them leads it."""
    for prefix in ("0062", "62"):
        if digits.startswith(prefix):
            return digits[len(prefix) :].removeprefix("0")
    return digits[1:] if digits.startswith("0") else ""


def _spoken_like_a_phone(window: list[Group], plus: bool) -> bool:
    """Keeps times and dates out (08.15-10.30): a number starts with a long group or a country's, or is
    spelled digit by digit, or parted by blanks alone."""
    first = window[0].digits
    if plus or len(first) >= 3 or first == "62":
        return True
    if all(len(group.digits) == 1 for group in window):
        return True
    return all(not group.gap.strip() for group in window[1:])


def _is_amount(window: list[Group]) -> bool:
    """62.812.345.678: thousands."""
    tail = window[1:]
    return (
        bool(tail)
        and window[0].digits[0] != "0"
        and len(window[0].digits) <= 3
        and all(group.gap == "." and len(group.digits) == 3 for group in tail)
    )
