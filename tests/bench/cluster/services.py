"""The servers that the parts over PostgreSQL and Kafka share: each started when it is first asked for."""

from __future__ import annotations

from contextlib import ExitStack

from tests.bench import databases
from tests.bench.databases import Server
from tests.parts import kafka


class Services:
    """`stack` ends them. Both raise PartMissing where the part is not on this machine."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._postgres: Server | None = None
        self._broker: kafka.Node | None = None

    @property
    def postgres(self) -> Server:
        """With fsync on."""
        if self._postgres is None:
            self._postgres = self._stack.enter_context(databases.server())
        return self._postgres

    @property
    def broker(self) -> kafka.Node:
        """One small broker (128 MB of heap) with the agencies' listener."""
        if self._broker is None:
            self._broker = self._stack.enter_context(kafka.broker())
        return self._broker
