"""Port: the journal of erasures, which lies beside the master key and outlives every restore. Ids only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ErasureLine:
    """A case was erased, by which agency and when (RFC 3339 in UTC)."""

    case_id: str
    by: str
    erased_at: str


class ErasureJournal(Protocol):
    """What is written is synced to the disk before the call returns. StoreUnavailable when it cannot be."""

    def add(self, lines: Sequence[ErasureLine]) -> None:
        """Before the commit: a restore must never know less than the database did."""
        ...

    def take_back(self, lines: Sequence[ErasureLine]) -> None:
        """The transaction surely took no effect. Where nobody can say, as after a kill, the lines stay."""
        ...

    def lines(self) -> list[ErasureLine]:
        """One a case, those that were not taken back."""
        ...


class NoJournal:
    """For what erases nothing."""

    def add(self, lines: Sequence[ErasureLine]) -> None:
        raise TypeError("an erasure needs its journal")

    def take_back(self, lines: Sequence[ErasureLine]) -> None:
        raise TypeError("an erasure needs its journal")

    def lines(self) -> list[ErasureLine]:
        return []
