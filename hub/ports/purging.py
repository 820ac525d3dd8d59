"""Port: what an erasure destroyed in the tables goes from the database's disk too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Purged:
    """`remains`: what may still be found on the database's own disk, in words; empty for nothing."""

    remains: tuple[str, ...] = ()


class Purging(Protocol):
    """What is destroyed in the tables goes from the disk too, in a step of its own after the commit. That it
    is needed stands in the database until it is done, so that a kill only puts it off."""

    def purge(self) -> Purged | None:
        """None where nothing waits; StoreUnavailable where it must be tried again. To be called from any
        thread but the writer's, which would stand still for as long as it takes."""
        ...
