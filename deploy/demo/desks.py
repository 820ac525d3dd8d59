"""Three agencies without a system of their own, whose officers work at the hub itself: two regencies that
assist, and the hub's own office, to which a case comes that has nobody above it."""

from __future__ import annotations

import asyncio
from typing import Any

from deploy.demo.api import Event, HubApi, Refused, follow, session, short_type
from deploy.demo.layout import HSS, HST, HUB, Agency, Layout
from deploy.demo.program import Position, layout, run, texts
from deploy.demo.secrets_file import Secrets

DESKS = {"desk-hst": HST, "desk-hss": HSS, "desk-hub": HUB}
PAUSE_S, FAST_PAUSE_S = 2.5, 0.1


class Desk:
    """One agency's officers. Every call carries an Idempotency-Key made from the event."""

    def __init__(self, api: HubApi, agency: Agency, pause_s: float) -> None:
        self._api, self._agency, self._pause_s = api, agency.id, pause_s

    async def handle(self, event: Event) -> None:
        kind, data = short_type(event), event["data"]
        if data.get("withheld"):
            return
        try:
            if kind == "forwarding.sent" and data["forwarding"]["to"] == self._agency:
                await self._assist(data["forwarding"]["id"], event["id"])
            elif kind == "complaint.answered" and data["owner"] == self._agency:
                await self._post(f"/v1/cases/{data['case_id']}/closure", {"reason": "resolved"}, event["id"])
        except Refused as refused:
            if refused.status != 409:
                raise
            print(f"somebody was faster: {refused}", flush=True)

    async def _assist(self, leg: str, event_id: str) -> None:
        await self._post(f"/v1/forwardings/{leg}/acceptance", {}, event_id)
        await self._post(f"/v1/forwardings/{leg}/answer", {"text": texts("answers")[self._agency]}, event_id)

    async def _post(self, path: str, body: dict[str, Any], event_id: str) -> None:
        await asyncio.sleep(self._pause_s)
        await self._api.post(path, body, f"desk-{event_id}")


def main() -> None:
    run(serve(layout()))


async def serve(run_layout: Layout) -> None:
    secrets = Secrets(run_layout.secrets)
    async with session() as http, asyncio.TaskGroup() as group:
        for name, agency in DESKS.items():
            api = HubApi(http, run_layout.hub_urls, *secrets.client(name))
            desk = Desk(api, agency, FAST_PAUSE_S if run_layout.fast else PAUSE_S)
            position = Position(run_layout.folder / f"{name}.position")
            group.create_task(follow(api, position.read(), desk.handle, position.keep))


if __name__ == "__main__":
    main()
