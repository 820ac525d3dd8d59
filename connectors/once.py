"""Configured statements for one event of the hub, in the app once: however often the connector is killed, and
also where two events ask the guard in the same words (written.py)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from connectors.database import Database
from connectors.effects import Effect, Outcome, bring_about, count_rows
from connectors.errors import NotNow, StatementRefused
from connectors.written import Written

READ_FIRST = (
    "the hub was restored from a backup, and this app has the same words already: it waits until the hub's "
    "mailbox was read again"
)


class OnceWriter:
    """What writes the hub's events into the app's tables builds on this."""

    def __init__(self, database: Database, written: Written) -> None:
        self._database, self._written = database, written

    async def _write_once(self, event_id: str, effect: Effect, parameters: Mapping[str, Any]) -> Outcome:
        """Raises StatementRefused; then nothing of it counts as written."""
        questions = {
            guard: self._written.question(guard, parameters) for _, guard in effect.guarded() if guard
        }
        before = await self._rows_before(event_id, questions, parameters)
        try:
            outcome = await self._bring_about(effect, parameters, before)
        except StatementRefused:
            self._written.forget(event_id)
            raise
        self._note_written(event_id, questions)
        return outcome

    async def _rows_before(
        self, event_id: str, questions: Mapping[str, bytes], parameters: Mapping[str, Any]
    ) -> dict[str, int]:
        """Guard -> how many of its rows are of earlier events; kept before the first try, so that a kill
        right after the app's commit is seen by the row that is there since."""
        before = {}
        for guard, question in questions.items():
            expected = self._written.expected(event_id, question)
            if expected is None and self._written.in_doubt(event_id, question):
                raise NotNow(READ_FIRST)
            earlier = self._written.earlier(event_id, question)
            if expected is None and earlier:
                found = await self._database.write(partial(count_rows, guard=guard, parameters=parameters))
                expected = min(earlier, found)  # fewer, where the app's officers deleted one
                self._written.expect(event_id, question, expected)
            before[guard] = expected or 0
        return before

    async def _bring_about(
        self, effect: Effect, parameters: Mapping[str, Any], before: Mapping[str, int]
    ) -> Outcome:
        work = partial(bring_about, effect=effect, parameters=parameters, before=before)
        return await self._database.write(work)

    def _note_written(self, event_id: str, questions: Mapping[str, bytes]) -> None:
        for question in questions.values():
            self._written.note(event_id, question)
