"""Opens the sealed texts of events for reading; keys are kept for a moment, bounded."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final

import orjson

from hub.domain.events import Recorded
from hub.ports.sealing import Sealing, StreamKey, WrappedKey

KEPT_KEYS: Final = 4096


class Opener:
    """Not shared between threads: each reader makes its own, which is cheap."""

    def __init__(self, sealing: Sealing) -> None:
        self._sealing = sealing
        self._keys: OrderedDict[str, StreamKey] = OrderedDict()

    def texts(self, event: Recorded, wrapped: WrappedKey | None) -> dict[str, Any] | None:
        """The event's masked words: {} where it has none, None where the key is gone (erased)."""
        if event.sealed is None:
            return {}
        if wrapped is None:
            return None
        data = self._sealing.open_event(self._key(wrapped), event.id, event.sealed, "masked")
        found: dict[str, Any] = orjson.loads(data) if data is not None else {}
        return found

    def _key(self, wrapped: WrappedKey) -> StreamKey:
        key = self._keys.get(wrapped.stream)
        if key is None:
            key = self._keys[wrapped.stream] = self._sealing.open_stream_key(wrapped)
            if len(self._keys) > KEPT_KEYS:
                self._keys.popitem(last=False)
        return key
