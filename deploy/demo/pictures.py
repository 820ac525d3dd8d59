"""A small real photo stand-in: a PNG of a grey road under a sky, different for each name."""

from __future__ import annotations

import struct
import zlib

WIDTH, HEIGHT = 160, 120


def picture(name: str) -> bytes:
    """PNG (ISO/IEC 15948), 8-bit RGB."""
    seed = zlib.crc32(name.encode())
    rows = b"".join(b"\0" + _row(y, seed) for y in range(HEIGHT))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(rows))
        + _chunk(b"IEND", b"")
    )


def _row(y: int, seed: int) -> bytes:
    sky = bytes((120 + y, 150 + y // 2, 200 + seed % 40))
    road = bytes((90 + (seed >> 8) % 40, 88, 84))
    earth = bytes((70 + (seed >> 16) % 60, 110, 60))
    if y < HEIGHT // 2:
        return sky * WIDTH
    half = (y - HEIGHT // 2) + 12
    left = max(0, WIDTH // 2 - half)
    return earth * left + road * (WIDTH - 2 * left) + earth * left


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
