"""The copies in the system of an agency of the kinds webhook, mailbox and kafka, and how they are erased."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from connectors.applying import Handler
from connectors.database import Database
from connectors.dialects.base import parameters_in
from connectors.effects import Effect, apply_effect, check_picks
from connectors.erased import Erasures
from connectors.erasing import parts_of, threads_of
from connectors.events import PARAMETERS, parameters_of
from connectors.hub_reads import Case
from connectors.spool import Spool
from connectors.wording import of_section

KEY = "deliver.erased"
_OF_ONE_CASE = {"case_id", "tracking_number", "forwarding_id"}
ERASE_BY_HAND = (
    "what was handed over of it to this agency's own system: erase it there ({remedy} does it next time)"
)


def check_erased(effect: Effect) -> None:
    """A statement must pick the case's own rows."""
    remedy = "pick them by the case: WHERE id_kasus = :case_id (or :tracking_number, :forwarding_id)"
    check_picks(effect, KEY, PARAMETERS, _OF_ONE_CASE, "other cases' rows", remedy)


class HandedCopies:
    """The agency's system got events as HTTP calls, or as rows without a statement that erases them."""

    def __init__(
        self,
        spool: Spool,
        wanted: Callable[[Mapping[str, Any]], bool],
        handle: Handler,
        by_call: bool,
    ) -> None:
        """`by_call`: an HTTP call that names the type is how the system is told to erase."""
        self._erasures, self._wanted, self._handle = Erasures(spool), wanted, handle
        self._by_call = by_call

    async def erase(self, event: dict[str, Any], case: Case | None) -> str:
        if self._wanted(event):
            await self._handle(event)
            if self._by_call:
                return ""
        if not self._erasures.was_handed_over(str(event["subject"]), threads_of(case)):
            return ""
        remedy = '"reporter.erased" in deliver.event_types' if self._by_call else f"[{KEY}]"
        return ERASE_BY_HAND.format(remedy=remedy)


class TableCopies:
    """[deliver.erased]: the statements by which the rows go. Those that name :forwarding_id run for each."""

    def __init__(self, effect: Effect, database: Database, zone: ZoneInfo, handed: HandedCopies) -> None:
        self._effect, self._database, self._zone, self._handed = effect, database, zone, handed
        self._by_leg = any("forwarding_id" in parameters_in(text) for text, _ in effect.guarded())

    async def erase(self, event: dict[str, Any], case: Case | None) -> str:
        left = await self._handed.erase(event, case)
        legs: list[str | None] = [*parts_of(case)] if self._by_leg else [None]
        if self._by_leg and case is None:
            return left  # the hub shows its forwardings no more
        facts = parameters_of(event, self._zone) | {"case_id": str(event["subject"])}
        for leg in legs:
            parameters = facts | {"forwarding_id": leg}
            with of_section(f"[{KEY}]"):
                await self._database.write(partial(apply_effect, effect=self._effect, parameters=parameters))
        return ""
