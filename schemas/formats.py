"""The formats that are asserted, where jsonschema-rs calls a function of ours.

For times, dates and addresses a `pattern` stands beside the format in the schema (`definitions`), so narrow
that little is left to the validator's own format: of times (the years 1900 to 2199, no leap second,
upper-case T and Z, an offset) the calendar, of addresses (http or https, no user name) an IPv6 host. JSON
Schema has a format say nothing about what is not a string. Tests hold all of it to the `jsonschema` library.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_UUID = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_URI_CHARS = r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})"
_REFERENCE = re.compile(_URI_CHARS + "*")


def is_uuid(value: object) -> bool:
    """RFC 9562 in its hyphenated form, any version."""
    return not isinstance(value, str) or _UUID.fullmatch(value) is not None


def is_email(value: object) -> bool:
    """An RFC 5321 mailbox with a dotted host name, without quotes or comments."""
    return not isinstance(value, str) or (len(value) <= 254 and _EMAIL.fullmatch(value) is not None)


def is_uri_reference(value: object) -> bool:
    """RFC 3986, absolute or relative, as CloudEvents `source` and a problem's `type` are."""
    return not isinstance(value, str) or _REFERENCE.fullmatch(value) is not None


FAST_FORMATS: dict[str, Callable[[object], bool]] = {
    "uuid": is_uuid,
    "email": is_email,
    "uri-reference": is_uri_reference,
}
"""What jsonschema-rs calls. It judges the others by itself: a call into Python costs 1.3 us."""
