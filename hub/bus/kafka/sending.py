"""The library's client as a producer's sender needs it: while a broker is out of reach, requests wait for it
and are not forgotten, and the sender waits without computing."""

from __future__ import annotations

from typing import Any, Final

from kafka.errors import KafkaConnectionError  # type: ignore[import-untyped]
from kafka.future import Future  # type: ignore[import-untyped]

from hub.bus.kafka.attempts import Client

PAUSE_MS: Final = 50
"""Until a broker that is out of reach is looked for again; answers of the others are taken meanwhile."""


class SendersClient(Client):
    """Mends what the library's sender (3.0) does with the answers of this class's parent. A connector's twin
    is in connectors/broker/clients.py."""

    def await_ready(self, node_id: Any, timeout_ms: int = 30_000) -> bool:
        """False after a pause, where the parent raises. After False the sender puts a request that waits for
        its coordinator back into its queue; after the error it drops it, and the batches of that transaction
        wait until their time is over, the relay with them."""
        try:
            return bool(super().await_ready(node_id, timeout_ms=timeout_ms))
        except KafkaConnectionError:
            self._net.poll(timeout_ms=PAUSE_MS, future=Future())
            return False

    def connection_delay(self, node_id: Any) -> float:
        """In milliseconds, as the sender reads it; the parent's are seconds, and none while it connects. With
        those the sender looks again at once, and takes a whole processor until the broker is back. What
        happens meanwhile ends the wait."""
        return max(float(super().connection_delay(node_id)) * 1000, PAUSE_MS)
