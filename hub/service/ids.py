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
            head = f"{self._last_ms:012x}"
            tail = f"{0b10 << 62 | self._draw() >> 2:016x}"
            return f"{head[:8]}-{head[8:]}-7{self._counter:03x}-{tail[:4]}-{tail[4:]}"

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
