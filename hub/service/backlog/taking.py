"""The backlog's way in: rows are prepared, go through the transaction in chunks, and each refused one is
told. Or, in a dry run, everything but the writing."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from hub.errors import CommandRefused, Invalid, Problem, Unavailable
from hub.ports.store import ReadSession
from hub.service.backlog.desk import BacklogDesk, columns_of
from hub.service.backlog.files import Row
from hub.service.backlog.mapping import BacklogMapping
from hub.service.backlog.rows import RowReader
from hub.service.requests import Outcome, Request, Result
from hub.service.writer import BULK_CHUNK

PAUSES_S: Final = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 5.0, 5.0)
"""Before what the database would not take just now is tried again."""

Run = Callable[[Sequence[Request]], Sequence[Result]]
Say = Callable[[dict[str, Any]], None]


@dataclass(slots=True)
class Tally:
    """How many rows there were and what became of them."""

    rows: int = 0
    taken: int = 0
    there_already: int = 0
    refused: int = 0

    def document(self, *, dry_run: bool) -> dict[str, Any]:
        """The last line that is printed; of a dry run it says that nothing was taken."""
        head = {"dry_run": True, "rows": self.rows, "would_take": self.taken}
        ends = {"there_already": self.there_already, "refused": self.refused}
        return (head if dry_run else {"rows": self.rows, "taken": self.taken}) | ends


class Taking:
    """One run over one file. `run` gives a result a request; `say` is told of each refused row."""

    def __init__(self, desk: BacklogDesk, mapping: BacklogMapping, run: Run, say: Say) -> None:
        self._desk, self._mapping, self._run, self._say = desk, mapping, run, say
        self._reader = RowReader(mapping)
        self.tally = Tally()

    def take(self, rows: Iterable[Row], told: Callable[[Tally], None]) -> Tally:
        """Takes the rows in chunks; what a chunk took is durable before the next one is read."""
        waiting = iter(rows)
        while chunk := list(islice(waiting, BULK_CHUNK)):
            self._chunk(chunk)
            told(self.tally)
        return self.tally

    def _chunk(self, rows: Sequence[Row]) -> None:
        prepared = [self._prepared(row) for row in rows]
        requests = [each for each in prepared if isinstance(each, Request)]
        results = iter(self._run(requests) if requests else ())
        for row, each in zip(rows, prepared, strict=True):
            result = next(results) if isinstance(each, Request) else each
            self._count(row, result, each.case_id if isinstance(each, Request) else None)

    def _prepared(self, row: Row) -> Request | Problem:
        if row.wrong is not None:
            return Invalid(f"The row {row.wrong}")
        old = self._reader.read(row.cells)
        try:
            if isinstance(old, list):
                raise Invalid(
                    "unreadable", flaws=[(f"/{_pointer(name)}", f"{name} {why}") for name, why in old]
                )
            return self._desk.prepare(old)
        except Problem as refused:
            return refused.with_traceback(None)

    def _count(self, row: Row, result: Result, case_id: str | None) -> None:
        self.tally.rows += 1
        if isinstance(result, Outcome):
            mine = result.ids[0] == case_id  # also when its first answer was lost on the way
            self.tally.taken += mine
            self.tally.there_already += not mine
            return
        self.tally.refused += 1
        told: dict[str, Any] = {"row": row.number}
        if (reference := self._reader.reference(row.cells)) is not None:
            told["reference"] = reference
        self._say(told | {"errors": columns_of(result, self._mapping)})


def _pointer(member: str) -> str:
    return "source/reference" if member == "reference" else member.replace(".", "/")


def patient(run: Run, sleep: Callable[[float], None] = time.sleep) -> Run:
    """Tries again what the database, or another process, would not take just now; CommandRefused when that
    lasts. A request keeps its ids, so that nothing is taken twice."""

    def through(requests: Sequence[Request]) -> Sequence[Result]:
        results = list(run(requests))
        for pause_s in PAUSES_S:
            again = [place for place, result in enumerate(results) if isinstance(result, Unavailable)]
            if not again:
                return results
            sleep(pause_s)
            for place, result in zip(again, run([requests[place] for place in again]), strict=True):
                results[place] = result
        if any(isinstance(result, Unavailable) for result in results):
            raise CommandRefused(
                "The database cannot take more just now. Run the same command again: it goes on where it "
                "stopped."
            )
        return results

    return through


class DryRun:
    """What the transaction would say, without one. Memory does not grow: what the file said before is in a
    temporary database, as digests under a key of this run."""

    def __init__(self, desk: BacklogDesk, read: Callable[[], AbstractContextManager[ReadSession]]) -> None:
        self._desk, self._read = desk, read
        self._key = secrets.token_bytes(32)
        self._seen = sqlite3.connect("", isolation_level=None)
        self._seen.execute("CREATE TABLE seen (reference BLOB PRIMARY KEY, content BLOB) WITHOUT ROWID")
        self._seen.execute("BEGIN")

    def close(self) -> None:
        self._seen.close()

    def run(self, requests: Sequence[Request]) -> list[Result]:
        with self._read() as session:
            return list(self._results(requests, session))

    def _results(self, requests: Sequence[Request], session: ReadSession) -> Iterator[Result]:
        for request in requests:
            reference, content = (
                (request.reference or ("", ""))[1],
                request.intake.content if request.intake else b"",
            )
            digest, said = self._digest(reference.encode()), self._digest(content)
            known = self._seen.execute("SELECT content FROM seen WHERE reference = ?", (digest,)).fetchone()
            if known is not None:
                yield (Outcome(200, "case", ("",)) if known[0] == said else Invalid(
                    "twice", flaws=[("/source/reference", _TWICE)]))  # fmt: skip
                continue
            result = self._desk.check(request, session)
            if isinstance(result, Outcome):
                self._seen.execute("INSERT INTO seen VALUES (?, ?)", (digest, said))
            yield result

    def _digest(self, data: bytes) -> bytes:
        return hashlib.blake2b(data, key=self._key, digest_size=16).digest()


_TWICE: Final = (
    "reference stands in the file before with other content. Give the row a reference of its own, or leave "
    "one of them out."
)
