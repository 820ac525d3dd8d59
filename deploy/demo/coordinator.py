"""What a coordinator (admin koordinator) does at the hub: verify, ask whose business it is, forward, forward
again after a return, and close what is settled."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence

from deploy.demo.api import Event, HubApi, Refused, follow, session, short_type
from deploy.demo.lapor_kotim import open_app
from deploy.demo.layout import HSS, HST, PU, SOSIAL, Layout
from deploy.demo.program import Position, client, layout, run, texts

TO_PU = ("road", "drainage", "irrigation", "water", "other")
TO_SOSIAL = ("social_aid", "social_welfare", "disability")
TO_BOTH = ("flood", "disaster")
WASTE = ("waste", "pollution")
JOINT = {"flood": ((PU.id, "lead"), (HST.id, "support"), (HSS.id, "support"))}
"""Of the province's cases: a ministry and two regencies answer together."""
CONSULTED = {"social_aid": SOSIAL.id}
"""Of the province's cases: whom to ask before forwarding, since citizens call many things aid."""
ROOMS = ("flood",)
"""Of the regency's cases: about which it opens a room with the ministry that leads."""
PAUSE_S, FAST_PAUSE_S = 2.0, 0.1
Settled = Callable[[str, str], Awaitable[None]]
"""(case id, what was done): told before a case is closed that needed no other agency."""


def recipients(category: str, waste_to: Sequence[str] = ()) -> list[dict[str, str]]:
    """Who handles a category: nobody else, one ministry, or one leading and one supporting."""
    if category in TO_PU:
        return [_leg(PU.id, "lead")]
    if category in TO_SOSIAL:
        return [_leg(SOSIAL.id, "lead")]
    if category in TO_BOTH:
        return [_leg(PU.id, "lead"), _leg(SOSIAL.id, "support")]
    if category in WASTE:
        return [_leg(agency, "lead") for agency in waste_to]
    return []


def _leg(agency: str, role: str) -> dict[str, str]:
    return {"agency": agency, "role": role}


class Coordinator:
    """Acts on events of one mailbox. Every call carries an Idempotency-Key made from the event, so that an
    event that comes again does nothing twice."""

    def __init__(
        self,
        api: HubApi,
        verifies: bool,
        settled: Settled,
        pause_s: float,
        waste_to: Sequence[str] = (),
        joint: Mapping[str, Sequence[tuple[str, str]]] | None = None,
        consulted: Mapping[str, str] | None = None,
        rooms: Sequence[str] = (),
    ) -> None:
        self._api, self._verifies, self._settled, self._pause_s = api, verifies, settled, pause_s
        self._waste_to, self._joint, self._consulted = waste_to, joint or {}, consulted or {}
        self._rooms = rooms

    async def handle(self, event: Event) -> None:
        kind, data = short_type(event), event["data"]
        if data.get("withheld"):
            return
        try:
            if kind == "complaint.submitted" and self._verifies:
                await self._verify(event)
            elif kind == "complaint.verified":
                await self._settle(event)
            elif kind == "consultation.answered" and self._verifies:
                await self._heed(event)
            elif kind == "forwarding.sent" and data["complaint"]["category"] in self._rooms:
                await self._confer(event)
            elif kind == "forwarding.returned":
                await self._forward_again(event)
            elif kind == "complaint.replied" and data["status"] == "answered":
                await self._close(data["case_id"], event["id"])  # the demo's reporters say thanks here
        except Refused as refused:
            if refused.status != 409:
                raise
            print(f"somebody was faster: {refused}", flush=True)

    async def _verify(self, event: Event) -> None:
        case_id, complaint = event["data"]["case_id"], event["data"]["complaint"]
        await asyncio.sleep(self._pause_s)
        await self._api.post(
            f"/v1/cases/{case_id}/verification", {"decision": "accept"}, f"verify-{event['id']}"
        )
        if asked := self._consulted.get(complaint["category"]):
            body = {"agency": asked, "question": texts("answers")["question"]}
            await self._api.post(f"/v1/cases/{case_id}/consultations", body, f"consult-{event['id']}")
        elif to := self._recipients(complaint["category"]):
            note = "Mohon ditindaklanjuti sesuai kewenangan."
            await self._forward(case_id, to, note, f"forward-{event['id']}")

    async def _heed(self, event: Event) -> None:
        """The verdict on the question decides where the case goes."""
        asked = event["data"]["consultation"]
        to = asked.get("suggested_agency") if asked["verdict"] == "not_ours" else asked["agency"]
        if to:
            await asyncio.sleep(self._pause_s)
            note = f"Sesuai hasil konsultasi: {asked.get('text', '-')}"
            await self._forward(event["data"]["case_id"], [_leg(to, "lead")], note, f"heed-{event['id']}")

    def _recipients(self, category: str) -> list[dict[str, str]]:
        if category in self._joint:
            return [_leg(agency, role) for agency, role in self._joint[category]]
        return recipients(category, self._waste_to)

    async def _forward(self, case_id: str, to: list[dict[str, str]], note: str, key: str) -> None:
        await self._api.post(f"/v1/cases/{case_id}/forwardings", {"to": to, "note": note}, key)

    async def _close(self, case_id: str, event_id: str) -> None:
        await asyncio.sleep(self._pause_s)
        await self._api.post(f"/v1/cases/{case_id}/closure", {"reason": "resolved"}, f"close-{event_id}")

    async def _confer(self, event: Event) -> None:
        """A room with whoever leads the case, and the first question there."""
        leg, words = event["data"]["forwarding"], texts("answers")
        if leg["role"] != "lead":
            return
        body = {"subject": words["room"], "cases": [leg["case_id"]], "participants": [leg["to"]]}
        thread = await self._api.post("/v1/threads", body, f"room-{event['id']}")
        question = {"text": words["in_room"], "scope": "agencies"}
        await self._api.post(f"/v1/threads/{thread['id']}/messages", question, f"ask-{event['id']}")

    async def _settle(self, event: Event) -> None:
        case_id = event["data"]["case_id"]
        case = await self._api.get(f"/v1/cases/{case_id}")
        category = case["complaint"]["category"]
        if self._recipients(category) or case["status"] == "closed":
            return
        await asyncio.sleep(self._pause_s)
        local = texts("answers")["local"]
        text = local.get(category, local["*"])
        await self._settled(case_id, text)
        await self._api.post(
            f"/v1/cases/{case_id}/closure", {"reason": "resolved", "text": text}, f"close-{event['id']}"
        )

    async def _forward_again(self, event: Event) -> None:
        leg = event["data"]["forwarding"]
        suggested = leg.get("suggested_agency")
        if not suggested:
            return
        await asyncio.sleep(self._pause_s)
        to, note = [_leg(suggested, leg["role"])], texts("answers")["forward_again"]
        await self._forward(event["data"]["case_id"], to, note, f"again-{event['id']}")


def main() -> None:
    run(kotim(layout()))


async def kotim(run_layout: Layout) -> None:
    """The regency's coordinator. Its connector verifies and forwards; people do the rest."""
    database = open_app(run_layout.kotim_database)
    position = Position(run_layout.folder / "coordinator-kotim.position")
    async with session() as http:
        api = HubApi(http, run_layout.hub_urls, *client())

        async def settled(case_id: str, text: str) -> None:
            case = await api.get(f"/v1/cases/{case_id}")
            answer_in_app(database, int(case["complaint"]["source"]["reference"]), text)

        pause_s = FAST_PAUSE_S if run_layout.fast else PAUSE_S
        coordinator = Coordinator(api, False, settled, pause_s, run_layout.waste_to, rooms=ROOMS)
        await follow(api, position.read(), coordinator.handle, position.keep)


def answer_in_app(database: sqlite3.Connection, number: int, text: str) -> None:
    """The regency's officer answers in the app itself, once, as before there was a hub."""
    database.execute(
        "INSERT INTO tanggapan (id_pengaduan, tgl_tanggapan, tanggapan, id_petugas) "
        "SELECT ?, date('now', '+7 hours'), ?, 2 WHERE NOT EXISTS "
        "(SELECT 1 FROM tanggapan WHERE id_pengaduan = ? AND tanggapan = ?)",
        (number, text, number, text),
    )


if __name__ == "__main__":
    main()
