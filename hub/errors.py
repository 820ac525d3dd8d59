"""The errors that rooms share, as one tree; the API maps `Problem` to RFC 9457 answers one to one.

SimpulError
├── SettingsError            a setting is unknown or impossible; the start is refused
├── CommandRefused           a CLI command was understood and refused
├── StoreError
│   ├── StoreUnavailable     the database cannot be reached or cannot write now; try again
│   │   ├── OutcomeUnknown   it was lost in the middle of a commit, and nobody could say how that ended
│   │   └── Displaced        this process lost its place on it to somebody who needs it alone; it must end
│   ├── RowRefused           the database refused one row; its neighbours are unharmed
│   │   └── Overtaken        another process was first; run again, it sees what that one made
│   └── MigrationNeeded      the database is older than this program
└── Problem                  what an outside caller is told
    ├── NotJson 400 · Unauthenticated 401 (SignInRefused) · Forbidden 403
    ├── NotFound 404 (NoSuchCase, NoSuchThread)
    ├── StateConflict 409 · Erased 410 · PreconditionFailed 412
    ├── TooLarge 413 · UnsupportedMediaType 415 · Invalid 422
    └── TooMany 429 · Internal 500 · Unavailable 503
        └── Held             another process works on the same case; run again in the next batch

Rooms have their own beneath: `SealingError` (`hub/ports/sealing.py`), `BrokerError` (`hub/ports/broker.py`),
`AttachmentError` (`hub/ports/attachments.py`) and others; what HTTP alone knows, such as 405 and 408, is in
`hub/api/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar


class SimpulError(Exception):
    """Root of everything that this project raises on purpose."""


class SettingsError(SimpulError):
    """A setting is unknown or impossible. The message names the key and what would be right."""


class CommandRefused(SimpulError):
    """A command was understood and refused; its message is the one line that the operator reads."""


class StoreError(SimpulError):
    """Something about the database."""


class StoreUnavailable(StoreError):
    """The database is away, full or read-only; nothing was written. Trying again later may help."""


class OutcomeUnknown(StoreUnavailable):
    """The connection was lost while a commit was under way, and the database did not come back in time to
    say whether it took effect. Asking again with the same idempotency key or reference is safe."""


class Displaced(StoreUnavailable):
    """The process was cut off from the database, and somebody who needs it alone came first, or has replaced
    what was there. Whatever the process remembers may be wrong: it writes nothing more; it ends, or, where
    started again it would go on with an older copy, says so until it is stopped."""


class RowRefused(StoreError):
    """The database refused a row (a constraint, a value it cannot hold). Trying again never helps."""


class Overtaken(RowRefused):
    """Another process committed first what this transaction wanted to make; nothing of it remains. Run again
    it sees what the other one made. If it is refused again and again, the row itself clashes."""


class MigrationNeeded(StoreError):
    """The database has an older schema. Run `simpul migrate`."""


Flaws = Sequence[tuple[str, str]]


class Problem(SimpulError):
    """An answer to an outside caller (RFC 9457). `flaws` are (JSON Pointer, sentence) pairs;
    `parameters` the same for query parameters; `extra` are further members of the problem object."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "The hub failed"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        flaws: Flaws = (),
        parameters: Flaws = (),
        extra: dict[str, Any] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.type_code = code or self.code
        self.flaws = flaws
        self.parameters = parameters
        self.extra = extra or {}
        self.retry_after_s = retry_after_s

    def document(self) -> dict[str, Any]:
        """The problem object; `type` is a stable URN that ends in the error's code."""
        body: dict[str, Any] = {
            "type": f"urn:simpul:problem:{self.type_code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        errors = [{"pointer": p, "detail": d} for p, d in self.flaws]
        errors += [{"parameter": p, "detail": d} for p, d in self.parameters]
        if errors:
            body["errors"] = errors
        return body | self.extra


class NotJson(Problem):
    status, code, title = 400, "not-json", "The body is not JSON that can be read"


class Unauthenticated(Problem):
    status, code, title = 401, "unauthenticated", "A valid access token is needed"


class SignInRefused(Unauthenticated):
    """The same whatever was wrong: nobody learns whether there is such an account."""

    code, title = "sign-in-refused", "Signing in was refused"


class Forbidden(Problem):
    status, code, title = 403, "forbidden", "Not allowed"


class NotFound(Problem):
    status, code, title = 404, "not-found", "Not there, or not yours to see"


def no_such(what: str) -> str:
    """One sentence, whether the id is unknown, another agency's, or that of something else."""
    return f"There is no such {what}, or your agency takes no part in it."


class NoSuchCase(NotFound):
    """What a route about a part of a case says in the part's own words."""

    def __init__(self) -> None:
        super().__init__(no_such("case"))


class NoSuchThread(NotFound):
    def __init__(self) -> None:
        super().__init__(no_such("thread"))


class StateConflict(Problem):
    """409: the present state does not allow it. `extra` names the state and what is possible from it."""

    status, code, title = 409, "state-conflict", "Not possible in the present state"


class Erased(Problem):
    status, code, title = 410, "erased", "Erased, or no longer kept"


class PreconditionFailed(Problem):
    status, code, title = 412, "version-mismatch", "The object has changed meanwhile"


class TooLarge(Problem):
    status, code, title = 413, "too-large", "Too large"


class UnsupportedMediaType(Problem):
    status, code, title = 415, "unsupported-media-type", "This media type is not taken here"


class Invalid(Problem):
    status, code, title = 422, "invalid", "The request does not fit the schema"


class TooMany(Problem):
    status, code, title = 429, "too-many-requests", "Too many requests"


class Internal(Problem):
    """500: a defect of the hub. The caller learns the correlation id only; the cause is in the log."""

    status, code, title = 500, "internal", "The hub failed"


class Unavailable(Problem):
    status, code, title = 503, "unavailable", "Not available now"


class Held(Unavailable):
    """Another process works on the same case or agency just now. The writer runs it again in its next batch;
    only who was put off for too long sees it."""
