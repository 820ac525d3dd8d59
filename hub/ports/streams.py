"""Port: what the API asks of the live streams of mailboxes; `hub/delivery` implements it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Who follows. `why_not` says why the stream ends, None while the subscriber may read. It is asked before
    anything is handed out if the registry has changed (or always, where `is_session`: its end is no change of
    the registry), and at `until`, in Unix seconds. `abort` cuts the connection off, whatever still waits to
    be sent on it; `is_gone` once it is closed from the other side."""

    agency: str
    principal: str
    """The id of the client or, in a session, of the officer."""
    why_not: Callable[[], str | None]
    abort: Callable[[], None]
    is_gone: Callable[[], bool]
    until: float
    is_session: bool = False


class Following(Protocol):
    """One open stream, for one task."""

    @property
    def position(self) -> int:
        """The last mailbox position that was handed out, or after which the stream began."""
        ...

    @property
    def incarnation(self) -> str: ...

    @property
    def ended(self) -> str | None:
        """Why the stream ended; None while it goes on."""
        ...

    async def next(self) -> bytes:
        """What is to be sent next, whole events (`id`, `event`, `data`) or a heartbeat; b"" at the end.
        Asking for more means that what was given before has been sent."""
        ...


class Streams(Protocol):
    async def follow(self, subscriber: Subscriber, after: int | None) -> Following:
        """Entries with position > after; from now on where it is None. Erased (410, with `first`) when
        `after` lies before the first entry kept; TooMany (429) for an agency, a client or an officer with too
        many streams, Unavailable (503) for a process with too many. To be given back by `leave`."""
        ...

    def leave(self, following: Following) -> None: ...

    async def close(self) -> None:
        """Ends every stream, and takes no more."""
        ...
