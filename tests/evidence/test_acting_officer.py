"""The officer who acted stands in the event's header: in the chain, in the evidence, in a rebuild; and is
named to whom it concerns, to nobody else."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from typing import Any

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import given

from auth.evidence_signing import key_set
from auth.policy import READERS, Relation, sees_officers
from auth.roles import Role
from hub.app_access import accounts
from hub.cli.database import fold
from hub.cli.verify import trust
from hub.domain.commands import Verify
from hub.domain.copies import but
from hub.domain.events import Fact, OfficersFact, Recorded, chain
from hub.domain.evidence_check import verified
from hub.store.rebuilding import check_rebuild
from tests.accounts.conftest import Browser, officer
from tests.api.conftest import Caller, House, complaint, forwarded
from tests.evidence.evidencework import EvidenceWorld

APP, MINISTRY, RIVER = "kab-kotim", "kementerian-pupr", "bbws"
NAMES = ("Dewi Kartika", "Budi Santoso", "Nur Aini", "Rudi Hartono")
OLD = (
    b'{"id":"e-1","type":"complaint.closed","time":"2025-03-14T02:00:00.000Z","stream":"c-1","sequence":4,'
    b'"actor":"kab-kotim","recipients":{"kab-kotim":"owner"},"data":{"status":"closed"}}'
)


@dataclass
class Staff:
    """Who has signed in, and the id of each one's account."""

    app: Browser
    ministry: Browser
    ids: dict[str, str]


@pytest.fixture
async def staff(house: House) -> Staff:
    app = await officer(house, "siti@kotim.go.id", "coordinator", name=NAMES[0])
    ministry = await officer(house, "budi@pupr.go.id", "liaison", agency=MINISTRY, name=NAMES[1])
    return Staff(app, ministry, ids_of(house))


def ids_of(house: House) -> dict[str, str]:
    """Agency and role -> the account's id."""
    return {f"{row.agency} {row.role}": row.id for row in accounts(house.core).store.officers()}


def log(house: House) -> list[Recorded]:
    with house.core.store.read() as session:
        return list(session.events_after(0, 10_000))


def headers(house: House, stream: str) -> list[dict[str, Any]]:
    return [orjson.loads(event.header) for event in log(house) if event.stream == stream]


async def worked(staff: Staff) -> tuple[str, str]:
    """A case from its submission to its answer, by officers alone."""
    reply = await staff.app.post("/v1/complaints", complaint(APP))
    assert reply.status == 201, reply.text
    case_id = reply.json["id"]
    await done(staff.app, f"/v1/cases/{case_id}/verification", {"decision": "accept"})
    to = {"to": [{"agency": MINISTRY, "role": "lead"}]}
    leg = (await done(staff.app, f"/v1/cases/{case_id}/forwardings", to))["items"][0]["id"]
    await done(staff.ministry, f"/v1/forwardings/{leg}/acceptance", {})
    await done(staff.ministry, f"/v1/forwardings/{leg}/answer", {"text": "Sudah ditambal."})
    return case_id, leg


async def done(by: Browser | Caller, path: str, body: Any, method: str = "POST") -> Any:
    reply = await by.send(method, path, body)
    assert reply.status in (200, 201), reply.text
    return reply.json


# --- the header ---------------------------------------------------------------------------------------------


def test_a_header_without_an_officer_is_what_it_always_was() -> None:
    fact = Fact.from_bytes(OLD)
    assert type(fact) is Fact
    assert (fact.officer_id, fact.to_bytes()) == (None, OLD)
    made = Fact("e-1", "complaint.closed", fact.time, "c-1", 4, APP, {APP: "owner"}, {"status": "closed"})
    assert made == fact
    assert made.to_bytes() == OLD


@given(
    st.from_regex(r"[0-9a-f]{8}-[0-9a-f]{4}", fullmatch=True), st.dictionaries(st.text(), st.integers(0, 9))
)
def test_a_header_with_an_officer_is_read_as_it_was_written(name: str, data: dict[str, int]) -> None:
    fact = Fact.from_bytes(OLD)
    acted = OfficersFact(*vars(but(fact, data=data)).values(), name)
    stored = acted.to_bytes()
    read = Fact.from_bytes(stored)
    assert (read, read.officer_id, read.to_bytes()) == (acted, name, stored)
    assert but(read, recipients={}).officer_id == name
    without = orjson.loads(stored)
    assert without.pop("officer") == name
    assert orjson.dumps(without) == but(fact, data=data).to_bytes(), "it stands last, and nothing else moves"
    assert chain(bytes(32), stored, None) != chain(bytes(32), orjson.dumps(without), None)


# --- who is recorded ----------------------------------------------------------------------------------------


async def test_every_command_of_a_session_names_its_officer(house: House, staff: Staff) -> None:
    """Every kind of stream and decision; only the hub's own clock and commands by token have none."""
    case_id, _ = await worked(staff)
    c = f"/v1/cases/{case_id}"
    other = (await done(staff.app, "/v1/complaints", complaint(APP)))["id"]
    await done(staff.app, f"/v1/cases/{other}/verification", {"decision": "accept"})
    asked = {"agency": MINISTRY, "question": "Jalan siapa?"}
    asked_id = (await done(staff.app, f"/v1/cases/{other}/consultations", asked))["id"]
    await done(staff.ministry, f"/v1/consultations/{asked_id}/answer", {"verdict": "ours"})
    await done(staff.app, f"{c}/links", {"case": other, "relation": "related"})
    await done(staff.app, f"{c}/links/{other}", None, "DELETE")
    opened = {"subject": "Jembatan", "cases": [case_id], "participants": [MINISTRY]}
    thread = (await done(staff.app, "/v1/threads", opened))["id"]
    said = {"text": "Besok.", "scope": "agencies"}
    message = (await done(staff.ministry, f"/v1/threads/{thread}/messages", said))["id"]
    await done(staff.ministry, f"/v1/messages/{message}", {"text": "Lusa."}, "PATCH")
    await done(staff.app, f"/v1/threads/{thread}/conclusion", {"text": "Selesai."})
    await done(staff.app, f"/v1/threads/{thread}/reopening", {})
    third = (await done(staff.app, "/v1/complaints", complaint(APP)))["id"]
    await done(staff.app, f"/v1/cases/{third}/verification", {"decision": "accept"})
    to = {"to": [{"agency": MINISTRY, "role": "lead"}]}
    await done(staff.app, f"/v1/cases/{third}/forwardings", to)
    reply = await staff.app.get(f"{c}/reporter", params={"purpose": "Menelepon pelapor"})
    assert reply.status == 200, reply.text
    await done(staff.app, f"/v1/cases/{other}/erasure", {"reason": "Diminta pelapor."})
    boss = await officer(house, "pusat@simpul.go.id", "hub_administrator", agency="hub", name=NAMES[2])
    new = {"id": "balai-baru", "name": "Balai Baru", "kind": "agency"}
    await done(boss, "/v1/agencies", new)
    await done(boss, "/v1/agencies/balai-baru", {"name": "Balai Paling Baru"}, "PATCH")
    await done(boss, f"/v1/agencies/{MINISTRY}/handover", {"to": RIVER, "text": "Pindah."})
    ids = ids_of(house)
    by_agency = {APP: ids[f"{APP} coordinator"], MINISTRY: ids[f"{MINISTRY} liaison"],
                 "hub": ids["hub hub_administrator"]}  # fmt: skip
    streams = {case_id, other, f"thread/{thread}", "agency/balai-baru", f"agency/{MINISTRY}"}
    seen: set[str] = set()
    for event in log(house):
        fact = event.fact()
        if event.stream not in streams or (fact.type == "agency.registered" and MINISTRY in event.stream):
            continue
        seen.add(fact.type)
        assert fact.officer_id == by_agency[fact.actor], (fact.type, fact.stream)
        assert not any(name.encode() in event.header for name in NAMES), "an id, and no name"
    assert {"complaint.submitted", "complaint.linked", "complaint.unlinked", "consultation.answered",
            "reporter.read", "reporter.erased", "thread.opened", "thread.message_edited", "thread.concluded",
            "thread.participant_left", "agency.registered", "agency.changed", "agency.handed_over",
            "forwarding.answered"} <= seen  # fmt: skip
    assert check_rebuild(house.core.store, fold(house.core.sealer))[1] is None


async def test_a_token_and_the_hubs_clock_name_nobody(house: House) -> None:
    app, ministry = await house.caller(APP), await house.caller(MINISTRY)
    case_id, leg = await forwarded(app)
    await done(ministry, f"/v1/forwardings/{leg}/acceptance", {})
    assert [header for header in headers(house, case_id) if "officer" in header] == []


def test_what_time_has_done_is_nobodys_though_an_officers_command_found_it(
    plain_world: EvidenceWorld,
) -> None:
    """In one batch: the deadline that was missed, by the hub; and then what the officer did."""
    case_id = plain_world.submitted()
    plain_world.clock.turn(days=60)
    asked = plain_world.request(Verify(case_id, "accept"))
    plain_world.do(replace(asked, principal=replace(asked.principal, officer="petugas-1")))
    facts = [event.fact() for event in plain_world.read(lambda session: session.stream(case_id, 0, 99))]
    by = {fact.type: fact.officer_id for fact in facts}
    assert by["deadline.missed"] is None
    assert by["complaint.verified"] == "petugas-1"


# --- who reads it -------------------------------------------------------------------------------------------


def named(reply: Any) -> dict[str, set[tuple[str | None, str | None]]]:
    """Acting agency -> the officers that the history names."""
    found: dict[str, set[tuple[str | None, str | None]]] = {}
    officers = reply.json.get("officers", {})
    assert officers.keys() <= {event["id"] for event in reply.json["items"]}
    for event in reply.json["items"]:
        officer = officers.get(event["id"], {})
        by = (officer.get("id"), officer.get("name"))
        found.setdefault(event["data"]["agency"], set()).add(by)
    return found


async def test_the_history_names_them_to_their_own_agency_alone(house: House, staff: Staff) -> None:
    case_id, _ = await worked(staff)
    own = {APP: (staff.ids[f"{APP} coordinator"], NAMES[0]),
           MINISTRY: (staff.ids[f"{MINISTRY} liaison"], NAMES[1])}  # fmt: skip
    for agency, browser in ((APP, staff.app), (MINISTRY, staff.ministry)):
        for reader in (browser, await house.caller(agency)):
            reply = await reader.get(f"/v1/cases/{case_id}/history")
            other = MINISTRY if agency == APP else APP
            assert named(reply) == {agency: {own[agency]}, other: {(None, None)}}
            assert own[other][0] not in reply.text
            assert own[other][1] not in reply.text


async def test_no_other_road_names_anybody(house: House, staff: Staff) -> None:
    """Mailbox, stream, case, list, threads: as for a command by token, to their own agency too."""
    case_id, _ = await worked(staff)
    opened = {"subject": "Jembatan", "cases": [case_id], "participants": [MINISTRY]}
    thread = (await done(staff.app, "/v1/threads", opened))["id"]
    for agency in (APP, MINISTRY):
        reader = await house.caller(agency)
        for path in ("/v1/mailbox", f"/v1/cases/{case_id}", "/v1/cases", f"/v1/threads/{thread}"):
            reply = await reader.get(path)
            assert reply.status == 200, reply.text
            for said in (*staff.ids.values(), *NAMES[:2]):
                assert said not in reply.text, (agency, path)


async def test_a_departed_officers_name_stays_readable(house: House, staff: Staff) -> None:
    case_id, _ = await worked(staff)
    accounts(house.core).disable("siti@kotim.go.id")
    reply = await (await house.caller(APP)).get(f"/v1/cases/{case_id}/history")
    assert named(reply)[APP] == {(staff.ids[f"{APP} coordinator"], NAMES[0])}


async def test_the_name_is_the_accounts_of_today(house: House, staff: Staff) -> None:
    case_id, _ = await worked(staff)
    with house.core.store.writing() as db:
        db.execute(
            "UPDATE officers SET name = ? WHERE email_key = ?", ("Siti R. Lestari", "siti@kotim.go.id")
        )
    reply = await (await house.caller(APP)).get(f"/v1/cases/{case_id}/history")
    assert {name for _, name in named(reply)[APP]} == {"Siti R. Lestari"}


async def test_oversight_and_the_hubs_administrators_read_who_it_was(house: House, staff: Staff) -> None:
    case_id, _ = await worked(staff)
    boss = await officer(house, "pusat@simpul.go.id", "hub_administrator", agency="hub", name=NAMES[2])
    watcher = await officer(house, "uji@ombudsman.go.id", "ombudsman", agency="ombudsman", name=NAMES[3])
    path = f"/v1/cases/{case_id}/history"
    for browser in (boss, watcher):
        assert (await browser.get(path)).status == 404, "a role alone opens no case"
    with house.core.store.writing() as db:  # no history of a case of today comes here
        (state,) = db.execute("SELECT state FROM cases WHERE id = ?", (case_id,)).fetchone()
        changed = orjson.loads(state) | {"overseers": ["ombudsman"], "former_owners": ["hub"]}
        db.execute("UPDATE cases SET state = ? WHERE id = ?", (orjson.dumps(changed), case_id))
    for browser in (boss, watcher):
        reply = await browser.get(path)
        assert reply.status == 200, reply.text
        said = named(reply)
        assert said[APP] == {(staff.ids[f"{APP} coordinator"], NAMES[0])}
        assert said[MINISTRY] == {(staff.ids[f"{MINISTRY} liaison"], NAMES[1])}
    for agency in ("hub", "ombudsman"):
        client = await house.caller(agency, frozenset({"cases:read"}))
        reply = await client.get(path)
        assert reply.status == 200, reply.text
        assert set.union(*named(reply).values()) == {(None, None)}, "a name is for a person who asks"


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("relation", list(Relation))
def test_who_is_shown_the_officers_of_others(role: Role, relation: Relation) -> None:
    by_hand = {Role.OMBUDSMAN: {"overseer"},
               Role.HUB_ADMINISTRATOR: {"source", "owner", "handler", "participant", "former", "consulted",
                                        "former_owner", "overseer"}}  # fmt: skip
    assert sees_officers(role, frozenset({relation})) == (str(relation) in by_hand.get(role, set()))
    assert relation in READERS or not sees_officers(role, frozenset({relation}))


# --- evidence -----------------------------------------------------------------------------------------------


async def test_evidence_holds_the_id_and_no_name(house: House, staff: Staff) -> None:
    case_id, _ = await worked(staff)
    by = trust(key_set((house.core.settings.data_dir / "jwks.json").read_text()))
    for agency in (APP, MINISTRY):
        file = (await (await house.caller(agency)).get(f"/v1/cases/{case_id}/evidence")).body
        found = verified(file, by)
        assert found.shown == found.events == 6
        for event in orjson.loads(file)["streams"][0]["events"]:
            header = orjson.loads(base64.b64decode(event["header"]))
            assert header["officer"] in staff.ids.values()
            assert not any(name in orjson.dumps(header).decode() for name in NAMES)
        assert not any(name.encode() in file for name in NAMES)
