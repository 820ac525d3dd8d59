"""What the loops that send need of the hub, whichever way it goes: by HTTP, or as records of Kafka."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from connectors.batch_line import BatchLine
from connectors.errors import HubAway


class Channel(Protocol):
    """Each call returns when the hub has answered, and raises the same errors as HubClient for the same
    answer; a repeat with the same bytes or key takes effect once."""

    async def submit(self, content: bytes) -> dict[str, Any]: ...

    async def submit_batch(self, contents: Sequence[bytes]) -> list[BatchLine]: ...

    async def upload(self, path: Path, media_type: str, sha256: str) -> None: ...

    async def post(self, path: str, body: Mapping[str, Any], idempotency_key: str = "") -> dict[str, Any]: ...

    async def case(self, case_id: str) -> dict[str, Any]: ...

    def cut_short(self, answered: int, sent: int) -> HubAway: ...
