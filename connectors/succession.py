"""What a connector does when the work on a case passed from one agency to another: replies to what is no
longer this agency's are refused, and what came to it is handed on like a forwarding."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import structlog

from connectors.applying import Handler
from connectors.channel import path_of
from connectors.hub_client import HubClient
from connectors.hub_reads import listed, shown_case
from connectors.parts import Parts, passed_to
from connectors.replies import Replies
from connectors.spool import Spool
from schemas.case_states import OPEN_LEG
from schemas.events import dataschema, event_type

log = structlog.get_logger("simpul-connector")
Wanted = Callable[[Mapping[str, Any]], bool]
Moved = Callable[[dict[str, Any]], Awaitable[str]]


class Succession:
    """The handler of the inbox for `agency.handed_over` of one case. `moved` is the kind's own part."""

    def __init__(self, spool: Spool, agency: str, moved: Moved) -> None:
        self._parts, self._replies = Parts(spool), Replies(spool)
        self._spool, self._agency, self._moved = spool, agency, moved

    async def handle(self, event: dict[str, Any]) -> str:
        data = event["data"]
        if "case_id" not in data:
            return ""
        parts = [str(part) for part in (*data["forwardings"], *data["consultations"])]
        came = data["to"] == self._agency
        with self._spool.transaction():
            if came or data["from"] == self._agency:
                self._parts.pass_on(parts, str(data["case_id"]), None if came else str(data["to"]))
            if data["from"] == self._agency and parts:
                self._refuse_replies(parts, str(data["case_id"]), str(data["to"]))
        return await self._moved(event)

    def _refuse_replies(self, parts: list[str], case_id: str, to: str) -> None:
        self._replies.explain([*parts, case_id], passed_to(to))
        for reply_id in self._parts.waiting_for(parts, case_id):
            self._replies.refuse(reply_id, passed_to(to))
            log.warning("reply refused; the others go on", reply=reply_id, reason=passed_to(to))


class Receiving:
    """The part of an agency's kinds: what came to it reaches its system as an event of the type by which it
    would have been sent to it, made of the case as it stands. Each has the id of its own by which it takes
    effect once."""

    def __init__(self, hub: HubClient, agency: str, wanted: Wanted, handle: Handler) -> None:
        self._hub, self._agency, self._wanted, self._handle = hub, agency, wanted, handle

    async def moved(self, event: dict[str, Any]) -> str:
        notes = []
        if event["data"]["to"] == self._agency:
            async for made in self._arrived(event):
                if self._wanted(made):
                    notes.append(await self._handle(made))
        if self._wanted(event):
            notes.append(await self._handle(event))
        return "; ".join(dict.fromkeys(note for note in notes if note))

    async def _arrived(self, event: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        data = event["data"]
        if not (data["forwardings"] or data["consultations"]):
            return
        case = await shown_case(self._hub, str(data["case_id"]))
        if case is None or case.get("erased"):
            return
        for leg in case["forwardings"]:
            mine = leg["to"] == self._agency and leg["status"] in OPEN_LEG
            if leg["id"] in data["forwardings"] and mine:
                yield made_of(event, case, "forwarding", leg)
        if data["consultations"]:
            async for asked in self._asked(str(data["case_id"])):
                if asked["id"] in data["consultations"]:
                    yield made_of(event, case, "consultation", asked | {"agency": self._agency})

    async def _asked(self, case_id: str) -> AsyncIterator[dict[str, Any]]:
        """The questions about the case, as they were asked: a case does not hold them."""
        async for item in listed(self._hub, path_of("cases", case_id, "history")):
            said = item.get("event", item)
            if str(said.get("type", "")).endswith("consultation.requested.v1"):
                yield said["data"]["consultation"]


def made_of(
    event: Mapping[str, Any], case: Mapping[str, Any], group: str, part: Mapping[str, Any]
) -> dict[str, Any]:
    """The event forwarding.sent or consultation.requested (`group`: forwarding, consultation) of what was
    handed over: its time and place are the handover's, its words the case's."""
    name = {"forwarding": "forwarding.sent", "consultation": "consultation.requested"}[group]
    complaint = dict(case["complaint"])
    reporter = complaint.pop("reporter", {})
    hub = str(event["source"])
    data = {
        "case_id": case["id"],
        "tracking_number": case["tracking_number"],
        "status": case["status"],
        "version": case["version"],
        "agency": event["data"]["from"],
        "owner": case["owner"],
        "anonymous": bool(reporter.get("anonymous")),
        "confidential": bool(complaint.get("confidential")),
        group: dict(part),
        "complaint": complaint,
    }
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid5(uuid.UUID(str(part["id"])), str(event["id"]))),
        "source": hub,
        "type": event_type(name),
        "time": event["time"],
        "subject": case["id"],
        "sequence": f"{int(case['version']):010d}",
        "datacontenttype": "application/json",
        "dataschema": dataschema(hub, name),
        "data": data,
    }
