"""What one line of the routes' page says: enough to serve it and to document it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hub.api.endpoint import Handler

OPEN: Final = None
"""No token needed."""
ANY: Final = ""
"""Any valid token, whatever its scopes."""
JSON: Final = "application/json"
KEY: Final = ("Idempotency-Key",)
KEY_AND_VERSION: Final = ("Idempotency-Key", "If-Match")
PAGE: Final = ("limit", "cursor")
ACT: Final = (403, 404, 409, 412)
"""What a command about a case refuses."""


@dataclass(frozen=True, slots=True)
class Route:
    """`gives`: status -> component schema of the answer. `refuses`: the errors of its own; those that every
    route of its kind has (401, 415, …) are added by `refusals`. `takes` names the body's component schema,
    `media` its media type. `query` and `headers` name shared parameters (`openapi_parts.py`)."""

    method: str
    path: str
    handler: Handler
    name: str
    tag: str
    summary: str
    scope: str | None
    gives: Mapping[int, str]
    refuses: Sequence[int] = ()
    takes: str | None = None
    media: str = JSON
    gives_media: str = JSON
    query: Sequence[str] = ()
    headers: Sequence[str] = ()
    about: str = ""
    body_optional: bool = False
    answer_headers: Sequence[str] = field(default=())
    recorded: bool = False
    """A GET that leaves something behind: there is no HEAD beside it."""

    @property
    def secured(self) -> bool:
        return self.scope is not OPEN

    @property
    def methods(self) -> tuple[str, ...]:
        """What it is served by."""
        return ("GET", "HEAD") if self.method == "GET" and not self.recorded else (self.method,)

    def refusals(self) -> list[int]:
        """Every error that can really come, sorted."""
        found = set(self.refuses) | {431, 500}
        if self.secured:
            found |= {400, 401, 429, 503}
        if self.scope:
            found.add(403)
        if self.takes and self.secured:
            found |= {400, 408, 413, 415, 422}
        if self.method == "GET" and self.secured:
            found.add(422)
        if self.query or "Idempotency-Key" in self.headers:
            found.add(422)
        return sorted(found)
