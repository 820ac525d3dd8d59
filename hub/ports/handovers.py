"""Port: what the service reads to prepare a handover. Part of the store's read session
(`hub/ports/store.py`), whose guarantees hold here too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hub.domain.case import Case
from hub.domain.threads.thread import Thread


@dataclass(frozen=True, slots=True)
class NamedOfficer:
    """An officer's account, without its secrets."""

    id: str
    agency: str
    name: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class Departed:
    """An officer of the agency whose account is disabled, and whose sessions end, with the transaction."""

    officer: str
    agency: str
    at: str


class HandoverReads(Protocol):
    """On the session's snapshot."""

    def held_cases(self, agency: str, after: str, limit: int) -> list[Case]:
        """By id, those behind `after` that are not closed and that the agency owns, handles or was consulted
        on."""
        ...

    def joined_threads(self, agency: str, after: str, limit: int) -> list[Thread]:
        """By id, those behind `after` in which the agency takes part now."""
        ...

    def named_officers(self, ids: Sequence[str]) -> dict[str, NamedOfficer]:
        """Disabled ones too."""
        ...
