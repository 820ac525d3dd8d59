"""What the loops that send need of the hub, whichever way it goes: by HTTP, or as records of Kafka."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from connectors.batch_line import BatchLine
from connectors.errors import HubAway, HubRefused


def path_of(*parts: str) -> str:
    """/v1/... with each part quoted, so that a part cannot become another path; what is no name is refused
    as the hub would."""
    if any(part in ("", ".", "..") for part in parts):
        raise HubRefused(404, "about:blank", "Not found", "An id is empty or no id.")
    return "/".join(("/v1", *(quote(part, safe="") for part in parts)))


class Channel(Protocol):
    """Each call returns when the hub has answered, and raises the same errors as HubClient for the same
    answer; a repeat with the same bytes or key takes effect once."""

    async def submit(self, content: bytes) -> dict[str, Any]: ...

    async def submit_batch(self, contents: Sequence[bytes]) -> list[BatchLine]: ...

    async def upload(self, path: Path, media_type: str, sha256: str) -> None: ...

    async def post(self, path: str, body: Mapping[str, Any], idempotency_key: str = "") -> dict[str, Any]: ...

    async def case(self, case_id: str) -> dict[str, Any]: ...

    def cut_short(self, answered: int, sent: int) -> HubAway: ...
