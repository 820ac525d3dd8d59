"""Port: what the process itself needs of its database, beside what the service needs. The composition root is
given nothing else, so the type checker holds every store to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hub.ports.bus import Committed
from hub.ports.store import Store


@dataclass(frozen=True, slots=True)
class Purged:
    """`remains`: what may still be found on the database's own disk, in words; empty for nothing."""

    remains: tuple[str, ...] = ()


class ProcessStore(Store, Protocol):
    """A store with all that one process asks of it from its start to its end."""

    @property
    def folder(self) -> Path | None:
        """Where scratch copies of the database lie, beside it; None where it has no folder here."""
        ...

    def start_checkpoints(self) -> None:
        """From now on, until `close`, what was committed moves into the database's files beside the writer,
        not within its commits. What fails is logged and tried again. Nothing where a server does it."""
        ...

    def probe(self) -> None:
        """Commits something small; StoreUnavailable when the database does not take it. On the writer's
        thread, since it waits for the one writer."""
        ...

    def purge(self) -> Purged | None:
        """What is destroyed in the tables goes from the disk too, in a step of its own after the commit. That
        it is needed stands in the database until it is done, so that a kill only puts it off. None where
        nothing waits; StoreUnavailable where it must be tried again. To be called from any thread but the
        writer's, which would stand still for as long as it takes."""
        ...

    def on_commit_elsewhere(self, callback: Callable[[Committed | None], None]) -> None:
        """`callback` is told, on a thread of the store, of each commit by another process, in their order;
        None where it cannot be said what was committed. A hint alone: it may come late or not at all, so
        whoever waits looks for itself too. Where every other process is a command, nobody is told."""
        ...

    def on_displaced(self, callback: Callable[[], object]) -> None:
        """`callback` is told, on whichever thread writes, when this process lost its place to another one
        that had the database alone: it must end. Never where the kernel keeps the place."""
        ...

    def still_present(self) -> None:
        """Displaced, for ever, where this process lost its place on the database or an older copy took the
        database's. By what the store knows already: nobody is asked. From any thread."""
        ...
