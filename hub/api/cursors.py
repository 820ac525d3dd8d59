"""Opaque cursors: the keyset of the last item, signed, so that a made-up or borrowed one is refused."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from hmac import compare_digest
from typing import Final

import orjson

from hub.errors import Invalid

TAG_BYTES: Final = 12
Keyset = tuple[str, ...]
Digest = Callable[[str, bytes], bytes]
"""`Sealing.hub_digest`: the same in every process, for ever."""


class Cursors:
    """`scope` is what a cursor is good for: the list, the reader and the filters."""

    def __init__(self, digest: Digest) -> None:
        self._digest = digest

    def write(self, scope: str, keyset: Keyset | None) -> str | None:
        """The cursor, or None at the end of a list."""
        if keyset is None:
            return None
        data = orjson.dumps(keyset)
        return base64.urlsafe_b64encode(self._tag(scope, data) + data).decode("ascii").rstrip("=")

    def read(self, scope: str, cursor: str | None) -> Keyset | None:
        """The keyset; Invalid (422, parameter `cursor`) for anything else than `write` gave for `scope`."""
        if cursor is None:
            return None
        try:
            sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise _bad() from None
        tag, data = sealed[:TAG_BYTES], sealed[TAG_BYTES:]
        if not compare_digest(tag, self._tag(scope, data)):
            raise _bad()
        keyset: list[str] = orjson.loads(data)
        return tuple(keyset)

    def _tag(self, scope: str, data: bytes) -> bytes:
        return self._digest("cursor", scope.encode("utf-8", "replace") + b"\0" + data)[:TAG_BYTES]


def _bad() -> Invalid:
    detail = "Send the `next` of the page before, unchanged and with the same filters, or leave it out."
    return Invalid("The cursor is not one of this list.", parameters=[("cursor", detail)])
