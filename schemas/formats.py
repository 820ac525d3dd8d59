"""The formats that are asserted, so that the fast validator and the reference cannot disagree.

Some are functions that both call. For times, dates and addresses a `pattern` stands beside the format in the
schema (`definitions`), so narrow that little is left to the format: of times (the years 1900 to 2199, no leap
second, upper-case T and Z, an offset) the calendar, of addresses (http or https, no user name) an IPv6 host.
JSON Schema has a format say nothing about what is not a string.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from ipaddress import IPv6Address

_UUID = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_URI_CHARS = r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})"
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:" + _URI_CHARS + "+")
_REFERENCE = re.compile(_URI_CHARS + "*")
_ADDRESS = re.compile(r"https?://\[([^\]]*)\]")


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
    """RFC 3986 with a scheme; an address in brackets is an IPv6 address."""
    if not isinstance(value, str):
        return True
    address = _ADDRESS.match(value)
    return _URI.fullmatch(value) is not None and (address is None or _is_ipv6(address[1]))


def _is_ipv6(text: str) -> bool:
    try:
        return bool(IPv6Address(text).packed)
    except ValueError:
        return False


def is_uri_reference(value: object) -> bool:
    """RFC 3986, absolute or relative, as CloudEvents `source` and a problem's `type` are."""
    return not isinstance(value, str) or _REFERENCE.fullmatch(value) is not None


FAST_FORMATS: dict[str, Callable[[object], bool]] = {
    "uuid": is_uuid,
    "email": is_email,
    "uri-reference": is_uri_reference,
}
"""What jsonschema-rs calls. It judges the others by itself: a call into Python costs 1.3 us."""

REFERENCE_FORMATS = {**FAST_FORMATS, "date-time": is_date_time, "date": is_date, "uri": is_uri}
"""What `jsonschema` calls."""
