"""A batch runner over the real store that writes down what it asks of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from hub.app_core import Core
from hub.service.batch import BatchRunner
from hub.service.decide import Decider
from tests.service.hubworld import HubWorld


@dataclass
class Recording:
    """A real transaction whose calls are written down."""

    inner: Any
    calls: list[tuple[str, Any]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> Any:
            self.calls.append((name, arguments[0] if arguments else None))
            return getattr(self.inner, name)(*arguments)

        return call


@dataclass
class RecordingStore:
    store: Any
    calls: list[tuple[str, Any]] = field(default_factory=list)

    @contextmanager
    def begin(self) -> Iterator[Recording]:
        with self.store.begin() as txn:
            yield Recording(txn, self.calls)


def recorded(world: HubWorld) -> tuple[BatchRunner, list[tuple[str, Any]]]:
    core: Core = world.core
    store = RecordingStore(core.store)
    decider = Decider(core.sealer, core.ids, core.rulebook)
    return BatchRunner(store, decider, core.sealer, world.clock), store.calls  # type: ignore[arg-type]
