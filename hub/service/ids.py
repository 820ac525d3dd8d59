"""Ids: UUIDv7 (RFC 9562, section 5.7), rising within a process; callers' ids; tracking numbers."""

from __future__ import annotations

import re
import secrets
import threading
from typing import Final
from uuid import UUID

from hub.ports.clock import Clock

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BLOCK = 4096
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
_VARIANT = {digit: "89ab"[value & 3] for value, digit in enumerate("0123456789abcdef")}


class Ids:
    """UUIDv7 strings. Randomness is drawn in blocks: a system call an id would cost more than the id."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._random = ""
        self._used = 0
        self._last_ms = 0
        self._head = ""
        self._counter = 0

    def new(self) -> str:
        """A fresh UUIDv7: 48 bits of milliseconds, a 12 bit counter within one, 62 random bits."""
        with self._lock:
            self._advance()
            digits = self._draw()
            return f"{self._head}{self._counter:03x}-{_VARIANT[digits[0]]}{digits[1:4]}-{digits[4:]}"

    def _advance(self) -> None:
        ms = int(self._clock.now().timestamp() * 1000)
        if ms > self._last_ms:
            self._counter = int(self._draw()[:3], 16) & 0x3FF
            self._stand_at(ms)
        elif self._counter < 0xFFF:
            self._counter += 1
        else:
            self._counter = 0
            self._stand_at(self._last_ms + 1)

    def _stand_at(self, ms: int) -> None:
        self._last_ms = ms
        self._head = f"{ms >> 16:08x}-{ms & 0xFFFF:04x}-7"

    def _draw(self) -> str:
        """Sixteen random hexadecimal digits."""
        start = self._used
        if start == len(self._random):
            self._random, start = secrets.token_hex(_BLOCK), 0
        self._used = start + 16
        return self._random[start : start + 16]


def uuid_of(given: str) -> str | None:
    """A caller's id in its one form, lower case with hyphens (RFC 9562, section 4); None for what is no UUID.
    Python's own reading would take braces, `urn:uuid:` and hyphens anywhere."""
    return str(UUID(given)) if _UUID.fullmatch(given) else None


_PAIRS = [a + b for a in _CROCKFORD for b in _CROCKFORD]


def tracking_number(case_id: str) -> str:
    """Twelve Crockford base-32 characters of the id's random bits, in threes of four: 60 bits that a person
    can read out on the telephone (no I, L, O or U) and nobody can count."""
    bits = int(case_id[20:23] + case_id[24:], 16)
    pairs = _PAIRS
    return (
        f"{pairs[bits >> 50 & 1023]}{pairs[bits >> 40 & 1023]}-"
        f"{pairs[bits >> 30 & 1023]}{pairs[bits >> 20 & 1023]}-"
        f"{pairs[bits >> 10 & 1023]}{pairs[bits & 1023]}"
    )
