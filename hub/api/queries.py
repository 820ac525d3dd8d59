"""Query parameters: read strictly, every flaw told at once (422 with `parameter`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Final, TypeVar

from aiohttp import web

from hub.errors import Invalid
from hub.ports.clock import rfc3339
from schemas.flaw import printable

T = TypeVar("T")
MOST_ITEMS: Final = 200
DEFAULT_ITEMS: Final = 50
LARGEST: Final = 2**53 - 1
_WHOLE: Final = re.compile(r"[0-9]{1,16}")
_TIME: Final = re.compile(
    r"(?:19|2[01])[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_BLANK: Final = re.compile(
    r"[\x20\xa0\u1680\u2000-\u200f\u2028-\u202e\u202f\u205f\u2060-\u2069\u3000\ufeff]+"
)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def no_query(request: web.BaseRequest) -> None:
    """422 for any parameter, where none is taken; asked once it is settled that the object is there."""
    if request.query_string:
        Query(request, ()).done()


class Query:
    """The query of one request. Take every parameter, then call `done`."""

    def __init__(self, request: web.BaseRequest, known: Collection[str]) -> None:
        self._given: Mapping[str, str] = request.query
        self._flaws: list[tuple[str, str]] = []
        for name in dict.fromkeys(request.query):
            if name not in known:
                names = ", ".join(known) or "none"
                self._flaw(printable(name) or "?", f"There is no such parameter here; there are: {names}.")
            elif len(request.query.getall(name)) > 1:
                self._flaw(name, "It stands there twice; send it once.")

    def done(self) -> None:
        """Raises Invalid with every flaw that was found."""
        if self._flaws:
            raise Invalid(
                f"The query has {len(self._flaws)} flaw(s); each is named below.", parameters=self._flaws[:20]
            )

    def text(self, name: str, least: int = 1, most: int = 200) -> str | None:
        def read(given: str) -> str:
            if not least <= len(given) <= most or _CONTROL.search(given):
                raise ValueError(
                    f"A text of {least} to {most} characters without control characters is needed."
                )
            return given

        return self._read(name, read)

    def words(self, name: str, least: int, most: int) -> str:
        """A text that is needed, `least` characters of it more than blanks; without blanks at its ends. Empty
        where there is none, which `done` refuses."""
        needed = f"A text of {least} to {most} characters is needed, on one line and not only of blanks."

        def read(given: str) -> str:
            if len(given) > most or len(_BLANK.sub("", given)) < least or _CONTROL.search(given):
                raise ValueError(needed)
            return given.strip()

        if name not in self._given:
            self._flaw(name, needed)
        return self._read(name, read) or ""

    def one_of(self, name: str, options: Collection[str]) -> str | None:
        def read(given: str) -> str:
            if given not in options:
                raise ValueError(f"One of {', '.join(options)} is needed.")
            return given

        return self._read(name, read)

    def some_of(self, name: str, options: Collection[str]) -> list[str]:
        """A list separated by commas; empty when the parameter is not there."""

        def read(given: str) -> list[str]:
            parts = given.split(",")
            if any(part not in options for part in parts):
                raise ValueError(f"One or several of {', '.join(options)} are needed, separated by commas.")
            return list(dict.fromkeys(parts))

        return self._read(name, read) or []

    def checked(self, name: str, known: Callable[[str], object], sentence: str) -> str | None:
        """A code for which `known` answers something true."""

        def read(given: str) -> str:
            if not known(given):
                raise ValueError(sentence)
            return given

        return self._read(name, read)

    def whole(self, name: str, default: int | None, least: int, most: int = LARGEST) -> int:
        """A whole number; `default` None makes the parameter needed."""

        def read(given: str) -> int:
            if not _WHOLE.fullmatch(given) or not least <= int(given) <= most:
                raise ValueError(f"A whole number from {least} to {most} is needed.")
            return int(given)

        if default is None and name not in self._given:
            self._flaw(name, f"It is needed: a whole number, {least} or more.")
        found = self._read(name, read)
        return found if found is not None else (default or 0)

    def seconds(self, name: str, most: float) -> float:
        def read(given: str) -> float:
            if not re.fullmatch(r"[0-9]{1,4}(?:\.[0-9]{1,3})?", given) or float(given) > most:
                raise ValueError(f"Seconds from 0 to {most:g} are needed.")
            return float(given)

        return self._read(name, read) or 0.0

    def flag(self, name: str) -> bool | None:
        found = self.one_of(name, ("true", "false"))
        return None if found is None else found == "true"

    def time(self, name: str, *, needed: bool = False) -> str | None:
        """A moment, as the hub writes it (UTC, milliseconds)."""

        def read(given: str) -> str:
            # A plus sign that was not encoded arrives as a space.
            text = given.replace(" ", "+")
            try:
                if _TIME.fullmatch(text):
                    return rfc3339(datetime.fromisoformat(text))
            except (ValueError, OverflowError):
                pass  # no such day, or beyond the calendar: the sentence below says what is right
            raise ValueError(
                "A time with its offset is needed (RFC 3339), such as 2025-03-14T09:26:53%2B07:00."
            )

        if needed and name not in self._given:
            self._flaw(name, "It is needed: a time with its offset, such as 2025-03-14T00:00:00%2B07:00.")
        return self._read(name, read)

    def limit(self) -> int:
        return self.whole("limit", DEFAULT_ITEMS, 1, MOST_ITEMS)

    def _read(self, name: str, read: Callable[[str], T]) -> T | None:
        given = self._given.get(name)
        if given is None:
            return None
        try:
            return read(given)
        except ValueError as wrong:
            self._flaw(name, str(wrong))
            return None

    def _flaw(self, name: str, detail: str) -> None:
        self._flaws.append((name, detail))
