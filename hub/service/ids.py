"""Ids: UUIDv7 (RFC 9562, section 5.7), rising within a process, and tracking numbers made from them."""

from __future__ import annotations

import secrets
import threading

from hub.ports.clock import Clock

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BLOCK = 4096


class Ids:
    """UUIDv7 strings. Randomness is drawn in blocks: a system call an id would cost more than the id."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._random = b""
        self._used = 0
        self._last_ms = 0
        self._counter = 0

    def new(self) -> str:
        """A fresh UUIDv7: 48 bits of milliseconds, a 12 bit counter within one, 62 random bits."""
        with self._lock:
            self._advance()
            tail = self._draw()
            value = self._last_ms << 80 | 0x7 << 76 | self._counter << 64 | 0b10 << 62 | (tail >> 2)
        text = f"{value:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def _advance(self) -> None:
        ms = int(self._clock.now().timestamp() * 1000)
        if ms > self._last_ms:
            self._last_ms, self._counter = ms, self._draw() & 0x3FF
        elif self._counter < 0xFFF:
            self._counter += 1
        else:
            self._last_ms, self._counter = self._last_ms + 1, 0

    def _draw(self) -> int:
        if self._used + 8 > len(self._random):
            self._random, self._used = secrets.token_bytes(_BLOCK), 0
        self._used += 8
        return int.from_bytes(self._random[self._used - 8 : self._used], "big")


def tracking_number(case_id: str) -> str:
    """Twelve Crockford base-32 characters of the id's random bits, in threes of four: 60 bits that a person
    can read out on the telephone (no I, L, O or U) and nobody can count."""
    bits = int(case_id.replace("-", "")[-16:], 16)
    digits = "".join(_CROCKFORD[bits >> shift & 31] for shift in range(55, -5, -5))
    return f"{digits[:4]}-{digits[4:8]}-{digits[8:]}"
