"""A handover in the case's history and in its evidence; and who has the rights of a thread's opener."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from auth.evidence_signing import key_set
from hub.app_access import access, secret_box
from hub.cli.verify import trust
from hub.domain.commands import Accept, Progress, Return
from hub.domain.evidence import Signer, sealed_file
from hub.domain.evidence_check import Trust, verified
from hub.domain.threads.commands import AddParticipant, OpenThread, RemoveParticipant
from hub.domain.threads.thread import ThreadState
from hub.errors import Forbidden
from hub.service.requests import ChangeAgency, Outcome
from tests.accounts.conftest import officer
from tests.api.conftest import House, forwarded
from tests.evidence.evidencework import broken, document_of
from tests.handover.handwork import KOTIM, NEW, OFFICE, PLN, THIRD, Office, client, hand_over, request
from tests.handover.test_api_handover import APP, HANDOVER, MINISTRY, RIVER, admin, rebuilt
from tests.service.hubworld import HubWorld, principal

HANDED = "agency.handed_over"


async def history(world: HubWorld, agency: str, case_id: str, limit: int = 1000) -> list[dict[str, Any]]:
    """All of it, page by page."""
    found: list[dict[str, Any]] = []
    async with world.serving() as hub:
        after: int | None = 0
        while after is not None:
            page = await hub.reading.history(principal(agency), case_id, after, limit)
            assert len(page.events) <= limit
            found, after = found + page.events, page.after
    return found


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("id.simpul.").removesuffix(".v1") for event in events]


def passed(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Who gave to whom, in the order of the history."""
    return [(event["data"]["from"], event["data"]["to"]) for event in events if HANDED in event["type"]]


# --- the history --------------------------------------------------------------------------------------------


async def test_the_history_shows_it_in_its_place(world: HubWorld, office: Office) -> None:
    world.core.rows.add_client(client(NEW))
    hand_over(world)
    when = office.case(office.handled).handovers[0].at
    world.do(world.request(Progress(office.handled, office.leg, "Tim berangkat."), NEW))
    for agency in (KOTIM, NEW):
        events = await history(world, agency, office.handled)
        assert kinds(events) == ["complaint.submitted", "complaint.verified", "forwarding.sent",
                                 "forwarding.accepted", HANDED, "forwarding.progressed"]  # fmt: skip
        said = events[4]
        assert (said["subject"], said["time"]) == (OFFICE, when)
        data = said["data"]
        assert (data["from"], data["to"], data["case_id"]) == (OFFICE, NEW, office.handled)
        assert (data["forwardings"], data["owner"]) == ([office.leg], False)
        mailed = world.read(lambda session, name=agency: session.mailbox(name, 0, 1000))
        assert said["id"] in {row.event.id for row in mailed}, "the same event as in the mailbox"


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 7])
async def test_pages_miss_nothing_and_give_nothing_twice(world: HubWorld, office: Office, limit: int) -> None:
    for agency in (NEW, THIRD):
        world.core.rows.add_client(client(agency))
    hand_over(world)
    hand_over(world, NEW, THIRD)
    world.do(world.request(Progress(office.handled, office.leg, "Tim berangkat."), THIRD))
    hand_over(world, THIRD, OFFICE)
    whole = await history(world, KOTIM, office.handled)
    assert passed(whole) == [(OFFICE, NEW), (NEW, THIRD), (THIRD, OFFICE)]
    assert kinds(whole)[4:] == [HANDED, HANDED, "forwarding.progressed", HANDED]
    assert await history(world, KOTIM, office.handled, limit) == whole


async def test_a_page_goes_on_where_it_ended_whatever_was_handed_over_meanwhile(
    world: HubWorld, office: Office
) -> None:
    world.core.rows.add_client(client(NEW))
    async with world.serving() as hub:
        first = await hub.reading.history(principal(KOTIM), office.handled, 0, 3)
        assert first.after is not None
    hand_over(world)
    world.do(world.request(Progress(office.handled, office.leg, "Tim berangkat."), NEW))
    hand_over(world, NEW, THIRD)
    async with world.serving() as hub:
        rest = await hub.reading.history(principal(KOTIM), office.handled, first.after, 100)
    assert kinds(rest.events) == ["forwarding.accepted", HANDED, "forwarding.progressed", HANDED]


async def test_who_handed_over_sees_its_own_and_nothing_after(world: HubWorld, office: Office) -> None:
    hand_over(world)
    hand_over(world, NEW, THIRD)
    assert passed(await history(world, OFFICE, office.handled)) == [(OFFICE, NEW)]
    assert passed(await history(world, NEW, office.handled)) == [(OFFICE, NEW), (NEW, THIRD)]
    assert passed(await history(world, THIRD, office.handled)) == [(OFFICE, NEW), (NEW, THIRD)]


async def test_who_returned_its_leg_is_not_shown_anothers(world: HubWorld) -> None:
    """As of another's leg: neither before it left nor after."""
    office = Office(world).begin()
    more = world.forwarding(office.handled, (PLN, "support"))
    world.do(world.request(more), world.request(Accept(office.handled, more.to[0].leg_id), PLN))
    hand_over(world)
    assert passed(await history(world, PLN, office.handled)) == [(OFFICE, NEW)]
    world.do(world.request(Return(office.handled, more.to[0].leg_id, "not_ours", "Bukan kami."), PLN))
    hand_over(world, NEW, THIRD)
    assert passed(await history(world, PLN, office.handled)) == []


async def test_it_is_found_in_a_stream_of_many_and_where_the_clock_went_back(
    world: HubWorld, office: Office
) -> None:
    for number in range(9):
        world.core.operate(ChangeAgency(OFFICE, {"name": f"Dinas PUPR {number}"}))
    world.clock.turn(hours=-5)
    renamed = [request(ChangeAgency(OFFICE, {"name": f"Dinas {number}"})) for number in range(700)]
    for start in range(0, len(renamed), 100):
        assert all(isinstance(result, Outcome) for result in world.run(*renamed[start : start + 100]))
    hand_over(world)
    world.clock.turn(days=1)
    world.core.operate(ChangeAgency(OFFICE, {"name": "Dinas PUPR"}))
    for case_id in (office.handled, office.asked):
        assert passed(await history(world, KOTIM, case_id)) == [(OFFICE, NEW)]


# --- the evidence -------------------------------------------------------------------------------------------


async def handed_file(house: House) -> tuple[str, dict[str, bytes], Trust]:
    """A case that the ministry handed over to the river authority, and each one's evidence of it."""
    app, river, ministry = [await house.caller(name) for name in (APP, RIVER, MINISTRY)]
    case_id, leg = await forwarded(app)
    assert (await (await admin(house)).post(HANDOVER, {"to": RIVER, "text": "Pindah."})).status == 200
    assert (await river.post(f"/v1/forwardings/{leg}/acceptance")).status == 200
    files = {}
    for caller in (app, river, ministry):
        reply = await caller.get(f"/v1/cases/{case_id}/evidence")
        assert reply.status == 200, reply.text
        files[caller.agency] = reply.body
    keys = (house.core.settings.data_dir / "jwks.json").read_text()
    return case_id, files, trust(key_set(keys))


async def test_the_evidence_holds_the_handover(house: House) -> None:
    case_id, files, by = await handed_file(house)
    with house.core.store.read() as session:
        stored = session.stream(f"agency/{MINISTRY}", 0, 100)
    for agency, file in files.items():
        found = verified(file, by)
        assert found.handovers == 1, agency
        (handed,) = orjson.loads(file)["handovers"]
        assert (handed["stream"], handed["after"]) == (f"agency/{MINISTRY}", 3)
        event = stored[handed["sequence"] - 1]
        assert (handed["chain"], handed["previous"]) == (
            event.chain.hex(),
            stored[event.sequence - 2].chain.hex(),
        )
        reply = await (await house.caller(agency)).get(f"/v1/cases/{case_id}/history")
        assert event.id in {each["id"] for each in reply.json["items"]}
        assert "header" in handed or handed["told"] in reply.json["items"]
    assert "header" in orjson.loads(files[APP])["handovers"][0]
    case_id, _ = await forwarded(await house.caller(APP))
    plain = (await (await house.caller(APP)).get(f"/v1/cases/{case_id}/evidence")).body
    assert orjson.loads(plain)["handovers"] == []


async def test_a_handover_that_was_touched_is_noticed(house: House) -> None:
    _, files, by = await handed_file(house)
    file = files[APP]
    start, end = file.index(b'"handovers":'), file.index(b',"sha256":')
    changed = bytearray(file)
    for place in range(start, end):
        changed[place] ^= 1
        assert broken(bytes(changed), by)
        changed[place] ^= 1
    signer = signing(house)
    for change, sentence in (
        ({"sequence": 7}, "recorded as another event"),
        ({"after": 2}, "another place"),
        ({"previous": "00" * 32}, "does not follow"),
        ({"chain": "11" * 32}, "does not follow"),
        ({"stream": "agency/bbws"}, "recorded as another event"),
    ):
        document = document_of(file)
        document["handovers"][0] |= change
        assert sentence in broken(sealed_file(document, signer), by), change
    document = document_of(file)
    document["handovers"] *= 2
    assert "twice" in broken(sealed_file(document, signer), by)
    document = document_of(file)
    del document["handovers"]
    assert verified(sealed_file(document, signer), by).handovers == 0, "a file of an older hub"


def signing(house: House) -> Signer:
    """The hub itself, gone wrong."""
    return access(house.core, secret_box(house.core)).signer()


async def test_a_handover_of_another_case_is_noticed(house: House) -> None:
    app = await house.caller(APP)
    first, _ = await forwarded(app)
    second, _ = await forwarded(app)
    assert (await (await admin(house)).post(HANDOVER, {"to": RIVER})).status == 200
    by = trust(key_set((house.core.settings.data_dir / "jwks.json").read_text()))
    files = [(await app.get(f"/v1/cases/{name}/evidence")).body for name in (first, second)]
    one, other = [document_of(file) for file in files]
    one["handovers"] = other["handovers"]
    assert "another case" in broken(sealed_file(one, signing(house)), by)


async def test_who_left_is_told_of_nobody_else(house: House) -> None:
    """The header names whoever took part then; the office's history does not."""
    _, files, by = await handed_file(house)
    (handed,) = orjson.loads(files[MINISTRY])["handovers"]
    assert verified(files[MINISTRY], by).withheld >= 1
    assert "header" not in handed or b"orang-luar" not in files[MINISTRY]
    assert b"Pindah." not in files[APP], "the note is for both agencies and the hub"


async def test_an_officer_hands_over_and_the_history_says_who(house: House) -> None:
    case_id, _ = await forwarded(await house.caller(APP))
    browser = await officer(house, "budi@pupr.go.id", "administrator", agency=MINISTRY, name="Budi Santoso")
    assert (await browser.post(HANDOVER, {"to": RIVER})).status == 200
    for agency, name in ((MINISTRY, "Budi Santoso"), (APP, None), (RIVER, None)):
        reply = await (await house.caller(agency)).get(f"/v1/cases/{case_id}/history")
        (handed,) = [each for each in reply.json["items"] if HANDED in each["type"]]
        assert reply.json.get("officers", {}).get(handed["id"], {}).get("name") == name
    assert rebuilt(house) is None


# --- whose the opener's rights are --------------------------------------------------------------------------


def room_of(world: HubWorld, thread: str) -> ThreadState:
    state: ThreadState = world.read(lambda session: session.thread(thread)).state
    return state


def test_whoever_takes_the_openers_place_may_show_others_out(world: HubWorld, office: Office) -> None:
    """`opened_by` is history and stays; what the opener may do follows its work."""
    thread, cases = world.legs.new(), (office.handled,)
    for agency in (NEW, THIRD):
        world.core.rows.add_client(client(agency))
    world.do(world.request(OpenThread(thread, "Drainase", cases, (KOTIM,)), OFFICE))
    (refused,) = world.run(world.request(RemoveParticipant(thread, cases, OFFICE), KOTIM))
    assert isinstance(refused, Forbidden)
    hand_over(world)
    state = room_of(world, thread)
    assert (state.opened_by, state.keeper, state.present()) == (OFFICE, NEW, [KOTIM, NEW])
    (refused,) = world.run(world.request(RemoveParticipant(thread, cases, NEW), KOTIM))
    assert isinstance(refused, Forbidden)
    world.do(world.request(RemoveParticipant(thread, cases, KOTIM), NEW))
    world.do(world.request(AddParticipant(thread, cases, KOTIM, "all"), NEW))
    hand_over(world, NEW, THIRD)
    state = room_of(world, thread)
    assert (state.opened_by, state.keeper) == (OFFICE, THIRD)
    world.do(world.request(RemoveParticipant(thread, cases, KOTIM), THIRD))
    assert world.difference() is None


def test_who_did_not_open_it_hands_no_such_right_over(world: HubWorld, office: Office) -> None:
    hand_over(world)
    state = office.room().state
    assert (state.opened_by, state.keeper) == (KOTIM, KOTIM)
    assert world.difference() is None


def test_a_row_of_a_thread_from_before_is_no_difference(world: HubWorld, office: Office) -> None:
    """An older program wrote threads without `kept_by`."""
    with world.core.store.writing() as db:
        (state,) = db.execute("SELECT state FROM threads WHERE id = ?", (office.thread,)).fetchone()
        document = orjson.loads(state)
        assert document.pop("kept_by") is None
        db.execute("UPDATE threads SET state = ? WHERE id = ?", (orjson.dumps(document), office.thread))
    assert office.room().state.keeper == KOTIM
    assert world.difference() is None
