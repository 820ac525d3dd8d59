"""[write_back.erased]: what becomes of a report in the app where it was made, when its case is erased."""

from __future__ import annotations

from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from connectors.database import Database
from connectors.effects import Effect, apply_effect, check_picks
from connectors.events import parameters_of
from connectors.hub_reads import Case
from connectors.wording import of_section
from connectors.write_back import AppWriter

KEY = "write_back.erased"
PARAMETERS = (
    "key",
    "reference",
    "case_id",
    "tracking_number",
    "reason",
    "event_id",
    "local_time",
    "local_date",
)
_OF_ONE_REPORT = {"key", "reference", "case_id", "tracking_number"}


def check_app_erased(effect: Effect) -> None:
    """A statement must pick the report's own rows."""
    remedy = "pick the report's: WHERE id_pengaduan = :key"
    check_picks(effect, KEY, PARAMETERS, _OF_ONE_REPORT, "other reports", remedy)


class AppCopies:
    """The app is the origin: its own row is its agency's record, and what goes with it is for that agency to
    say, in the statements or by hand."""

    def __init__(self, effect: Effect | None, writer: AppWriter, database: Database, zone: ZoneInfo) -> None:
        self._effect, self._writer, self._database, self._zone = effect, writer, database, zone

    async def erase(self, event: dict[str, Any], case: Case | None) -> str:
        case_id = str(event["subject"])
        entry = await self._writer.own_cases.entry(case_id)
        if entry is None:
            return "nothing in this app, which has no report of it; see whether there is a copy elsewhere"
        if self._writer.wanted(event):
            await self._writer.handle(event)  # the status, as after every event
        if self._effect is None:
            return (
                f"the app's report {entry.reference} and what was written to it: decide there what goes "
                f"([{KEY}] does it next time)"
            )
        facts = parameters_of(event, self._zone)
        parameters = {name: facts.get(name) for name in PARAMETERS}
        parameters |= {"key": entry.source_key, "reference": entry.reference, "case_id": case_id}
        with of_section(f"[{KEY}]"):
            await self._database.write(partial(apply_effect, effect=self._effect, parameters=parameters))
        return ""
