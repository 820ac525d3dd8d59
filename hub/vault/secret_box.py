"""Seals the hub's own secrets under a key that is wrapped by the master key, like a case's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hub.ports.sealing import Sealing, StreamKey, WrappedKey

HUB: Final = "hub"


class HubSecretBox:
    """Implements `hub.ports.secrets.SecretBox`. `load` gives the stored wrapped key, `store` keeps the first
    one that is given to it."""

    def __init__(
        self,
        sealing: Sealing,
        load: Callable[[], WrappedKey | None],
        store: Callable[[WrappedKey], None],
    ) -> None:
        self._sealing = sealing
        wrapped = load()
        if wrapped is None:
            store(sealing.new_stream_key(HUB).wrapped)
            wrapped = load()
        if wrapped is None:
            raise RuntimeError("the hub's own key was stored and cannot be read back")
        self._key: StreamKey = sealing.open_stream_key(wrapped)

    def seal(self, name: str, data: bytes) -> bytes:
        return self._sealing.seal_identity(self._key, name, data)

    def open(self, name: str, sealed: bytes) -> bytes:
        return self._sealing.open_identity(self._key, name, sealed)
