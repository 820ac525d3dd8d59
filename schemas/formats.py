"""The formats that are asserted, so that the fast validator and the reference cannot disagree.

Most are functions that both call. For times and dates a `pattern` stands beside the format in the schema
(`definitions`): it admits the years 1900 to 2199, no leap second, upper-case T and Z and an offset, so what
is left to the format is the calendar. JSON Schema has a format say nothing about what is not a string.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime

_UUID = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_URI_CHARS = r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})"
_WEB = re.compile(
    r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:[/?#]" + _URI_CHARS + r"*)?",
    re.IGNORECASE,
)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:" + _URI_CHARS + "+")
_REFERENCE = re.compile(_URI_CHARS + "*")


def is_date_time(value: object) -> bool:
    """RFC 3339 date-time: a moment that exists in the calendar, with its offset."""
    try:
        return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def is_date(value: object) -> bool:
    """RFC 3339 full-date that exists in the calendar; MySQL's 0000-00-00 does not."""
    try:
        return not isinstance(value, str) or bool(date.fromisoformat(value))
    except ValueError:
        return False


def is_uuid(value: object) -> bool:
    """RFC 9562 in its hyphenated form, any version."""
    return not isinstance(value, str) or _UUID.fullmatch(value) is not None


def is_email(value: object) -> bool:
    """An RFC 5321 mailbox with a dotted host name, without quotes or comments."""
    return not isinstance(value, str) or (len(value) <= 254 and _EMAIL.fullmatch(value) is not None)


def is_uri(value: object) -> bool:
    """RFC 3986 with a scheme; http and https addresses need a host."""
    if not isinstance(value, str):
        return True
    if value[:4].lower() == "http":
        return _WEB.fullmatch(value) is not None
    return _URI.fullmatch(value) is not None


def is_uri_reference(value: object) -> bool:
    """RFC 3986, absolute or relative, as CloudEvents `source` and a problem's `type` are."""
    return not isinstance(value, str) or _REFERENCE.fullmatch(value) is not None


FAST_FORMATS: dict[str, Callable[[object], bool]] = {
    "uuid": is_uuid,
    "email": is_email,
    "uri": is_uri,
    "uri-reference": is_uri_reference,
}
"""What jsonschema-rs calls. It judges times and dates by itself: a call into Python costs 1.3 us each."""

REFERENCE_FORMATS = {**FAST_FORMATS, "date-time": is_date_time, "date": is_date}
"""What `jsonschema` calls."""
