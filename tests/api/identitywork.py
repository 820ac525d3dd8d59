"""A reporter who can be told apart, and how the identity is asked for."""

from __future__ import annotations

from typing import Any

from tests.accounts.conftest import Browser
from tests.api.checking import Reply
from tests.api.conftest import Caller

PURPOSE = "Menanyakan letak lubang yang tepat lewat telepon"
PERSON = {
    "name": "Yohanes Buntaran Kiwok",
    "phone": "081355550199",
    "email": "y.kiwok@pos.example",
    "national_id": "6202020203850007",
}
READING = "id.simpul.reporter.read.v1"


def known(**flags: Any) -> dict[str, Any]:
    return {"reporter": PERSON | {"anonymous": False}} | flags


async def ask(caller: Caller | Browser, case_id: str, purpose: str | None = PURPOSE, **given: Any) -> Reply:
    params = {} if purpose is None else {"purpose": purpose}
    return await caller.get(f"/v1/cases/{case_id}/reporter", params=params, **given)


async def readings(caller: Caller, case_id: str) -> list[dict[str, Any]]:
    """Those in the case's history; the mailbox must tell the same."""
    history = (await caller.get(f"/v1/cases/{case_id}/history?limit=200")).json["items"]
    mailbox = [e["event"] for e in (await caller.get("/v1/mailbox?limit=200")).json["items"]]
    found = [event for event in history if event["type"] == READING]
    told = [event for event in mailbox if event["type"] == READING and event["subject"] == case_id]
    assert told == found
    return found
