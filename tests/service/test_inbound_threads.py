"""Coordination threads by records of agencies' own topics: the same acts, rights and masking as by HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from hub.bus.kafka.binding import received
from hub.ports.broker import InRecord
from hub.service.inbound import InboundDesk
from hub.service.record_answers import answer_document
from hub.service.requests import ChangeAgency
from hub.store.relaying import RelayTables
from schemas.registry import Registry as Schemas
from tests.service.hubworld import KOTIM, PLN, PUPR, STRANGER, HubWorld, complaint, principal

NOWHERE = "0190aaaa-0000-7000-8000-000000000000"


def record(agency: str, offset: int, name: str, subject: str, body: Any, key: str) -> InRecord:
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", key.encode()),
        ("ce_source", b"urn:uji"),
        ("ce_type", f"id.simpul.command.{name}.v1".encode()),
        ("content-type", b"application/json"),
    ]
    if subject:
        headers.append(("ce_subject", subject.encode()))
    value = b"" if body is None else orjson.dumps(body)
    return InRecord(f"simpul.inbound.{agency}", 0, offset, None, tuple(headers), value, 0)


@dataclass
class Desk:
    """Sends records to a hub that runs, and gives the answers that their senders read."""

    world: HubWorld
    hub: Any
    desk: InboundDesk
    cases: tuple[str, ...]
    sent: int = field(default=0)

    async def send(
        self, agency: str, name: str, subject: str, body: Any, key: str | None = None
    ) -> dict[str, Any]:
        self.sent += 1
        taken = record(agency, self.sent, name, subject, body, key or f"e-{self.sent}")
        request = await self.desk.prepare(taken)
        (result,) = await self.hub.writer.submit([request])
        return answer_document(result, request.masked)

    async def open(self, *participants: str) -> str:
        body = {"subject": "Lampu di perbatasan", "cases": list(self.cases), "participants": participants}
        opened = await self.send(KOTIM, "thread", "", body)
        assert (opened["status"], opened["kind"]) == (201, "thread"), opened
        assert opened["thread_id"] == opened["ids"][0]
        return str(opened["thread_id"])

    async def messages(self, agency: str, thread_id: str) -> list[dict[str, Any]]:
        items, _ = await self.hub.threads.messages(principal(agency), thread_id, None, 50, newest_first=False)
        return list(items)

    async def thread(self, agency: str, thread_id: str) -> dict[str, Any]:
        return dict(await self.hub.threads.thread(principal(agency), thread_id))


@asynccontextmanager
async def desk_of(world: HubWorld) -> AsyncIterator[Desk]:
    case_id, *_ = world.forwarded((PUPR, "lead"), (PLN, "support"))
    async with world.serving() as hub:
        desk = InboundDesk(hub, Schemas.load(), world.core.registry.agencies, received, "simpul.")
        yield Desk(world, hub, desk, (case_id,))
    assert world.difference() is None


async def test_a_thread_from_opening_to_reopening(world: HubWorld) -> None:
    async with desk_of(world) as desk:
        thread_id = await desk.open(PUPR)
        said = {"text": "Kami periksa besok.", "scope": "agencies", "officer": "Rina"}
        posted = await desk.send(PUPR, "message", thread_id, said)
        assert (posted["status"], posted["kind"], posted["thread_id"]) == (201, "message", thread_id)
        message_id = posted["ids"][1]
        changed = await desk.send(PUPR, "message_change", message_id, {"text": "Kami periksa lusa."})
        assert (changed["status"], changed["ids"]) == (200, [thread_id, message_id])
        (shown,) = await desk.messages(KOTIM, thread_id)
        assert (shown["text"], shown["author"]) == (
            "Kami periksa lusa.", {"agency": PUPR, "officer": "Rina"},
        )  # fmt: skip
        read = await desk.send(KOTIM, "read", thread_id, {"up_to": message_id})
        assert (read["status"], read["kind"], read["ids"]) == (200, "thread", [thread_id])
        assert (await desk.thread(KOTIM, thread_id))["unread"] == 0
        withdrawn = await desk.send(PUPR, "message_withdrawal", message_id, None)
        assert (withdrawn["status"], withdrawn["kind"]) == (200, "message")
        assert (await desk.messages(KOTIM, thread_id))[0]["text"] is None
        joined = await desk.send(KOTIM, "participant", thread_id, {"agency": PLN, "officers": ["Budi"]})
        assert (joined["status"], joined["kind"]) == (200, "thread")
        made = await desk.send(
            PLN, "commitment", thread_id, {"agency": PLN, "text": "Ganti lampu", "due_on": "2025-03-20"}
        )
        assert (made["status"], made["kind"], made["thread_id"]) == (201, "commitment", thread_id)
        promise = made["ids"][1]
        later = {"due_on": "2025-03-24", "reason": "Menunggu tiang"}
        assert (await desk.send(PLN, "commitment_change", promise, later))["status"] == 200
        early = await desk.send(KOTIM, "conclusion", thread_id, {"text": "Selesai."})
        assert early["status"] == 409, "a commitment is open"
        done = await desk.send(PLN, "fulfilment", promise, {"text": "Sudah menyala."})
        assert (done["status"], done["ids"]) == (200, [thread_id, promise])
        left = await desk.send(PLN, "participant_removal", thread_id, {"agency": PLN})
        assert left["status"] == 200
        assert (await desk.send(KOTIM, "conclusion", thread_id, {"text": "Selesai."}))["status"] == 200
        assert (await desk.thread(KOTIM, thread_id))["status"] == "concluded"
        assert (await desk.send(KOTIM, "thread_reopening", thread_id, None))["status"] == 200
        assert (await desk.thread(KOTIM, thread_id))["status"] == "open"


async def test_the_rights_are_those_of_http(world: HubWorld) -> None:
    """Whoever is not in it is told what a stranger to the thread is told; a note stays in its agency."""
    async with desk_of(world) as desk:
        thread_id = await desk.open(PUPR)
        note = {"text": "Catatan sendiri.", "scope": "internal"}
        message_id = (await desk.send(KOTIM, "message", thread_id, note))["ids"][1]
        said = {"text": "Ikut.", "scope": "agencies"}
        room = {"subject": "S", "cases": [*desk.cases]}
        refused = {
            "stranger": await desk.send(STRANGER, "message", thread_id, said),
            "bad body of a stranger": await desk.send(STRANGER, "message", thread_id, {"teks": ""}),
            "no thread": await desk.send(KOTIM, "message", NOWHERE, said),
            "no id": await desk.send(KOTIM, "message", "bukan-uuid", said),
            "an unseen note": await desk.send(PUPR, "message_change", message_id, {"text": "x"}),
            "an unseen note read": await desk.send(PUPR, "read", thread_id, {"up_to": message_id}),
            "a case unseen": await desk.send(STRANGER, "thread", "", room),
            "a bad body": await desk.send(PUPR, "message", thread_id, {"teks": "x"}),
            "nobody there": await desk.send(KOTIM, "participant_removal", thread_id, {"agency": PLN}),
            "another shown out": await desk.send(PUPR, "participant_removal", thread_id, {"agency": KOTIM}),
        }
        assert {name: answer["status"] for name, answer in refused.items()} == {
            "stranger": 404, "bad body of a stranger": 404, "no thread": 404, "no id": 404,
            "an unseen note": 404, "an unseen note read": 404, "a case unseen": 422, "a bad body": 422,
            "nobody there": 404, "another shown out": 403,
        }  # fmt: skip
        assert await desk.messages(PUPR, thread_id) == []
        assert RelayTables(world.core.store).unpublished_dead_letters(9) == [], "they were commands"


async def test_a_repeated_record_is_one_message_also_after_leaving(world: HubWorld) -> None:
    async with desk_of(world) as desk:
        thread_id = await desk.open(PUPR)
        said = {"text": "Kami periksa besok.", "scope": "agencies"}
        first = await desk.send(PUPR, "message", thread_id, said, key="pesan-1")
        assert await desk.send(PUPR, "message", thread_id, said, key="pesan-1") == first
        other = await desk.send(PUPR, "message", thread_id, said | {"text": "Lain."}, key="pesan-1")
        assert other["status"] == 422
        gone = {"agency": PUPR}
        left = await desk.send(PUPR, "participant_removal", thread_id, gone, key="pergi-1")
        assert await desk.send(PUPR, "participant_removal", thread_id, gone, key="pergi-1") == left
        assert await desk.send(PUPR, "message", thread_id, said, key="pesan-1") == first
        assert (await desk.send(PUPR, "message", thread_id, said, key="pesan-2"))["status"] == 403
        assert len(await desk.messages(KOTIM, thread_id)) == 1
        body = {"subject": "Dua kali", "cases": list(desk.cases)}
        opened = await desk.send(KOTIM, "thread", "", body, key="buka-1")
        assert await desk.send(KOTIM, "thread", "", body, key="buka-1") == opened


async def test_the_writer_is_told_what_was_masked(world: HubWorld) -> None:
    """By HTTP a header says it (`Simpul-Masked`); what was masked is not kept."""
    async with desk_of(world) as desk:
        thread_id = await desk.open(PUPR)
        text = {"text": "Pelapor Marlina Tundan, 081250000431.", "scope": "agencies", "officer": "Rina"}
        answer = await desk.send(KOTIM, "message", thread_id, text)
        assert answer["status"] == 201
        assert answer["masked"] == ["reporter"]
        (shown,) = await desk.messages(PUPR, thread_id)
        assert "Marlina" not in str(shown)
        assert "0812" not in str(shown)
        officers = {"agency": PLN, "officers": ["Budi 081399990000"]}
        assert (await desk.send(KOTIM, "participant", thread_id, officers))["masked"] == ["phone"]
        told = await desk.send(KOTIM, "consultation", desk.cases[0], {"agency": STRANGER, "question": "Rp?"})
        assert "masked" not in told
        refused = await desk.send(STRANGER, "message", thread_id, text)
        assert "masked" not in refused, "nothing was kept"


async def test_an_erasure_and_its_receipt_by_records(world: HubWorld) -> None:
    world.core.operate(ChangeAgency(PUPR, {"kafka": True}))
    async with desk_of(world) as desk:
        (case_id,) = desk.cases
        early = await desk.send(PUPR, "erasure_receipt", case_id, None)
        assert early["status"] == 409
        erased = await desk.send(KOTIM, "erasure", case_id, {"reason": "Diminta pelapor."})
        assert (erased["status"], erased["kind"]) == (200, "case")
        receipt = await desk.send(PUPR, "erasure_receipt", case_id, {})
        assert (receipt["status"], receipt["case_id"]) == (200, case_id)
        receipts = world.read(lambda s: s.case(case_id)).state.erasure.receipts
        assert receipts[PUPR] is not None
        assert receipts[PLN] is None
        shown = (await desk.hub.reading.case(principal(KOTIM), case_id))["erasure"]["receipts"]
        lying = {each["agency"]: each.get("on_topic_until") for each in shown}
        assert lying == {PUPR: "2025-03-15T03:00:00.000Z", PLN: None, KOTIM: None}


async def test_a_link_is_undone_by_a_record(world: HubWorld) -> None:
    async with desk_of(world) as desk:
        (case_id,) = desk.cases
        other = (await desk.hub.submit(principal(KOTIM), complaint("PGD-2"))).ids[0]
        linked = await desk.send(KOTIM, "link", case_id, {"case": other, "relation": "related"})
        assert linked["status"] == 200
        undone = await desk.send(KOTIM, "link_removal", case_id, {"case": other})
        assert (undone["status"], undone["kind"]) == (200, "case")
        assert world.read(lambda s: s.case(case_id)).state.links == ()
        assert (await desk.send(KOTIM, "link_removal", case_id, {"case": other}))["status"] == 409


async def test_a_version_that_moved_on_is_refused(world: HubWorld) -> None:
    """The header `if-match`, as by HTTP."""
    async with desk_of(world) as desk:
        thread_id = await desk.open(PUPR)
        taken = record(KOTIM, 9, "conclusion", thread_id, {"text": "Selesai."}, "akhir-1")
        for given, status in ((b'"7"', 412), (b"tiga", 422), (b'"1"', 200)):
            headers = (*taken.headers, ("If-Match", given))
            desk.sent += 1
            again = InRecord(taken.topic, 0, 100 + desk.sent, None, headers, taken.value, 0)
            (result,) = await desk.hub.writer.submit([await desk.desk.prepare(again)])
            assert result.status == status, result
