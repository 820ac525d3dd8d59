"""The complaint that every contender gets: 1.5 kB, the same but for its reference, which holds when it was
sent: `<prefix>-<number>-<monotonic nanoseconds>`, always equally long."""

from __future__ import annotations

from typing import Final

import orjson

from tests.chaos.complaints import complaint

SIZE: Final = 1500
AGENCY: Final = "pemkab-kotim"
PREFIX_LENGTH: Final = 6
REFERENCE_LENGTH: Final = PREFIX_LENGTH + 1 + 8 + 1 + 20
_PLACE: Final = "x" * REFERENCE_LENGTH
_MORE: Final = (
    " Warga sudah dua kali melapor ke kelurahan dan dijanjikan ditinjau, tetapi sampai hari ini belum ada "
    "petugas yang datang. Kalau hujan deras air menggenang sampai ke teras rumah dan anak-anak tidak bisa "
    "berangkat sekolah."
)


def halves() -> tuple[bytes, bytes]:
    """The body before and after its reference."""
    document = complaint(AGENCY, _PLACE, 0)
    missing = SIZE - len(orjson.dumps(document))
    document["description"] += (_MORE * 10)[:missing].rstrip()
    before, _, after = orjson.dumps(document).partition(_PLACE.encode())
    return before, after


def reference(prefix: str, number: int, sent_ns: int) -> bytes:
    return b"%s-%08d-%020d" % (prefix.encode(), number, sent_ns)
