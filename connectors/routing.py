"""[routing]: verifies an accepted complaint and forwards it, where an agency lets its connector do that."""

# ruff: noqa: RUF009 (option() makes a dataclass field)

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import structlog

from connectors.channel import Channel, path_of
from connectors.entries import Entry
from connectors.errors import ConfigRefused, HubFailed, HubRefused, NotAllowed, NotNow
from connectors.hub_answers import bars_client
from connectors.options import option
from connectors.outbox import Outbox
from connectors.pauses import AGAIN, FAILS_AT_ALL, FAILURES_IN_A_ROW, Postponed
from connectors.spool import Spool, as_bytes

log = structlog.get_logger("simpul-connector")
AT_ONCE = 8
GONE = ("returned", "withdrawn")
OPEN = ("verify", "forward")
"""The steps of a complaint's routing that are still to be done."""


@dataclass(frozen=True, kw_only=True)
class Routing:
    """[routing]: without it an officer verifies and forwards."""

    verify: bool = option(False, reason="accept each complaint of this app as it arrives in the hub")
    default: list[str] = option([], reason="forward to these agencies: the first leads, the others support")
    categories: dict[str, list[str]] = option({}, reason="hub category = agencies, before the default")

    def to(self, complaint: Mapping[str, Any]) -> list[str]:
        return self.categories.get(str(complaint.get("category", "")), self.default)

    def named(self) -> dict[str, list[str]]:
        """Key -> the agencies that it names."""
        return {"routing.default": self.default} | {
            f"routing.categories.{code}": to for code, to in self.categories.items()
        }


def check_routing(routing: Routing, agency: str) -> None:
    """What one key alone cannot show; `agency` is this connector's own."""
    for key, to in routing.named().items():
        if agency in to:
            remedy = "leave it out; a case that is forwarded to nobody stays with it: []"
            raise ConfigRefused(key, f"names this agency, {agency}, itself", remedy)
    if (routing.default or routing.categories) and not routing.verify:
        raise ConfigRefused(
            "routing.verify",
            "is false, but agencies are named",
            "only what is verified is forwarded: verify = true",
        )


class Router:
    """Two durable steps a complaint. A repeat is harmless: keys are derived from the reference, and a
    conflict is settled by looking at the case."""

    def __init__(self, hub: Channel, outbox: Outbox, routing: Routing, postponed: Postponed) -> None:
        """`postponed` holds references."""
        self._hub, self._outbox, self._routing, self._postponed = hub, outbox, routing, postponed

    async def step(self) -> bool:
        """Up to 50 complaints, a few at a time; True when more may wait."""
        entries = self._outbox.to_route(50, self._postponed.names())
        for start in range(0, len(entries), AT_ONCE):
            chunk = entries[start : start + AT_ONCE]
            if not any(await self._try_each(chunk)) and len(chunk) >= FAILURES_IN_A_ROW:
                raise NotNow(FAILS_AT_ALL)
        await self._try_again()
        return len(entries) == 50

    async def _try_again(self) -> None:
        """Some of those at which the hub failed before."""
        due = self._postponed.due(AGAIN)
        waiting = [entry for entry in self._outbox.find(due).values() if entry.route_state in OPEN]
        failing = {
            entry.reference
            for entry, routed in zip(waiting, await self._try_each(waiting), strict=True)
            if not routed
        }
        for reference in due:
            if reference not in failing:
                self._postponed.forget(reference)

    async def _try_each(self, entries: Sequence[Entry]) -> list[bool]:
        """Of each, in their order: False when the hub failed at it; it is tried again after its pause."""
        ended = await asyncio.gather(*map(self._route_or_list, entries), return_exceptions=True)
        for entry, error in zip(entries, ended, strict=True):
            if isinstance(error, HubFailed):
                self._postpone(entry, str(error))
        other = next((error for error in ended if error and not isinstance(error, HubFailed)), None)
        if other is not None:
            raise other
        return [error is None for error in ended]

    def _postpone(self, entry: Entry, reason: str) -> None:
        if self._postponed.postpone(entry.reference):
            log.warning(
                "the hub fails at verifying or forwarding this complaint; trying again, the others go on",
                reference=entry.reference,
                reason=reason,
            )

    async def _route_or_list(self, entry: Entry) -> None:
        """What the hub refuses is listed; it stands in no other's way."""
        try:
            entry = await self._chosen(entry)
            while entry.route_state in OPEN:
                entry = await self._next_step(entry)
        except HubRefused as problem:
            if bars_client(problem):
                raise NotAllowed(
                    f"the hub does not let this client verify or forward: {problem.explained()}"
                ) from problem
            self._list(entry, problem.explained())

    def _list(self, entry: Entry, reason: str) -> None:
        if self._outbox.routed(entry, "failed", reason).route_state != "failed":
            return  # the hub was restored, and its routing starts anew
        log.warning(
            "complaint not forwarded; an officer must, or mend [routing] and start again",
            reference=entry.reference,
            reason=reason,
        )

    async def _chosen(self, entry: Entry) -> Entry:
        """With its agencies, chosen anew after a change of [routing]."""
        if entry.route_reason is None:
            return entry
        case = await self._case(entry)
        entry = replace(entry, route=self._routing.to(case["complaint"]))
        self._outbox.choose_route(entry.reference, entry.route)
        return entry

    async def _next_step(self, entry: Entry) -> Entry:
        """One of the two; what stands in the spool after it."""
        if entry.route_state == "verify":
            await self._verify(entry)
            return self._outbox.routed(entry, "forward" if entry.route else "done")
        if entry.route:
            await self._forward(entry)
            self._outbox.count_moved("forwarding")
        return self._outbox.routed(entry, "done")

    async def _verify(self, entry: Entry) -> None:
        try:
            await self._hub.post(
                path_of("cases", str(entry.case_id), "verification"),
                {"decision": "accept"},
                f"verify-{entry.case_id}",
            )
        except HubRefused as problem:
            if problem.status != 409 or (await self._case(entry))["status"] in ("submitted", "incomplete"):
                raise

    async def _forward(self, entry: Entry) -> None:
        roles = ["lead", *["support"] * (len(entry.route) - 1)]
        to = [{"agency": agency, "role": role} for agency, role in zip(entry.route, roles, strict=True)]
        try:
            await self._hub.post(
                path_of("cases", str(entry.case_id), "forwardings"), {"to": to}, f"forward-{entry.case_id}"
            )
        except HubRefused as problem:
            if problem.status != 409 or not await self._is_forwarded(entry):
                raise

    async def _is_forwarded(self, entry: Entry) -> bool:
        """Whether somebody, an earlier run of ours perhaps, has sent it on already, or ended it."""
        case = await self._case(entry)
        legs = case.get("forwardings", [])
        return case["status"] in ("closed", "rejected", "answered") or any(
            leg["status"] not in GONE for leg in legs
        )

    async def _case(self, entry: Entry) -> dict[str, Any]:
        return await self._hub.case(str(entry.case_id))


def start_anew(spool: Spool, outbox: Outbox, routing: Routing) -> None:
    """At a start, what could not be forwarded gets another chance; after a change of [routing], what has not
    been forwarded yet goes by the new one."""
    digest = hashlib.sha256(as_bytes(asdict(routing))).hexdigest()
    known = spool.get("routed_by")
    changed = known not in ("", digest)
    with spool.transaction():
        again = outbox.reroute(["failed"])
        if changed:
            outbox.reroute(["verify", "forward"], "[routing] changed")
        spool.put("routed_by", digest)
    if again:
        cause = "[routing] changed" if changed else "the connector was started"
        log.info("complaints that could not be forwarded are tried again", count=again, cause=cause)
