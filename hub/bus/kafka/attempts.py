"""The library's client as every object of ours has it: an attempt to connect that failed gives its socket
back at once."""

from __future__ import annotations

import traceback
from typing import Any

from kafka.net.compat import KafkaNetClient  # type: ignore[import-untyped]
from kafka.net.manager import KafkaConnectionManager  # type: ignore[import-untyped]
from kafka.net.selector import NetworkSelector  # type: ignore[import-untyped]


class _Manager(KafkaConnectionManager):  # type: ignore[misc]  # the library is untyped
    async def _build_transport(self, node: Any, timeout_at: float | None = None) -> Any:
        """The library (3.0) closes no socket whose connection failed: the frames in its error's traceback
        hold it, in a circle that only the collector ends. The hub's collector works seldom: beside a broker
        that is away a process held hundreds of them."""
        try:
            return await super()._build_transport(node, timeout_at=timeout_at)
        except Exception as error:
            _forget_frames(error)
            raise


class Client(KafkaNetClient):  # type: ignore[misc]  # the library is untyped
    def __init__(self, **config: Any) -> None:
        net = NetworkSelector(**config)
        super().__init__(net, _Manager(net, **config), **config)


def _forget_frames(error: BaseException | None) -> None:
    """What its frames held, and those of the errors before it; frames that still run keep theirs."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__
