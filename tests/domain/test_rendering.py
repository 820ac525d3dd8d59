"""Every event type as a CloudEvent: fits its schema with its words, without them, and withheld; and carries
no part of the reporter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson
import pytest

from hub.domain.agency import Agency, change, evolve_agency, register
from hub.domain.case import CaseLink
from hub.domain.commands import (
    Accept,
    Advise,
    Answer,
    Close,
    ConfirmErasure,
    Consult,
    Erase,
    Forward,
    Progress,
    ReadReporter,
    Recipient,
    Reconsider,
    Reopen,
    Reply,
    Return,
    Verify,
    Withdraw,
)
from hub.domain.events import (
    AGENCY_EVENTS,
    EVENT_TYPES,
    HANDED_OVER,
    RULE_EVENTS,
    THREAD_EVENTS,
    Draft,
    Fact,
    agency_stream,
)
from hub.domain.handover import HandOver, case_facts, summary_draft, work_of
from hub.domain.links import DUPLICATE, link, unlink
from hub.domain.rendering import cloud_event, event_data
from hub.domain.working_time import instant
from hub.errors import Invalid, StateConflict
from schemas.registry import Registry
from tests.domain.casework import AGENCIES, CASE_ID, HANDLERS, REPORTER, SOURCE, Casework, uuid
from tests.domain.treework import REGISTRY, rule_drafts, rulebooks

URL = "https://simpul.example.go.id"
LEAD, SUPPORT, _ = HANDLERS
PHOTO = {"sha256": "cd" * 32, "media_type": "image/png", "size": 4}


@pytest.fixture(scope="module")
def schemas() -> Registry:
    return Registry.load()


def case_events() -> Iterator[tuple[Fact, dict[str, Any]]]:
    """At least one of each type, from two cases."""
    asked = Casework()
    asked.submit()
    asked.act(Verify(CASE_ID, "incomplete", "Sebutkan nomor tiang."))
    asked.act(Verify(CASE_ID, "reject", "Bukan urusan pemerintah."))
    work = Casework().verified()
    returned, support = work.sent(LEAD, note="Mohon dicek."), work.sent(SUPPORT, "support")
    work.act(Return(CASE_ID, returned, "other", "Tiang milik desa.", SUPPORT), LEAD)
    work.act(Withdraw(CASE_ID, support, "Digabung."))
    lead = work.sent(SUPPORT)
    work.act(Accept(CASE_ID, lead), SUPPORT)
    work.act(Progress(CASE_ID, lead, "Menunggu lampu."), SUPPORT)
    work.act(Answer(CASE_ID, lead, "Sudah menyala.", (PHOTO,), ("sesudah.png",)), SUPPORT)
    work.act(Close(CASE_ID, "other", "Pelapor puas."))
    work.act(ReadReporter(CASE_ID, "Menanyakan kepuasan lewat telepon.", uuid(74)))
    work.act(ReadReporter(CASE_ID, "Menanyakan kepuasan lewat sistem."))
    work.act(Reopen(CASE_ID, "Padam lagi."))
    work.act(Erase(CASE_ID, "Permintaan pelapor."))
    work.act(ConfirmErasure(CASE_ID), SUPPORT)
    yield from asked.log + work.log + passed_up().log + late().log


def passed_up() -> Casework:
    """Consulted, returned once too often, escalated, and asked to be reconsidered."""
    work = Casework(returns_limit=1).verified()
    work.act(Consult(CASE_ID, uuid(71), SUPPORT, "Apakah tiang ini milik Anda?"))
    work.act(Advise(CASE_ID, uuid(71), "not_ours", LEAD, "Tiang ini bukan aset kami."), SUPPORT)
    work.act(Return(CASE_ID, work.sent(LEAD), "not_ours"), LEAD)
    kept = uuid(72)
    work.act(Forward(CASE_ID, (Recipient(kept, LEAD, "lead"),), "Tangani bersama."), work.state.owner)
    work.act(Reconsider(CASE_ID, kept, "Mohon ditinjau ulang."), LEAD)
    return work


def late() -> Casework:
    """The reporter replies, the case is linked and unlinked; else nobody does anything."""
    work = Casework(agencies=REGISTRY, rules=RULES[0], at=instant("2025-03-10T03:00:00Z"))
    work.submit()
    work.act(Verify(CASE_ID, "accept"))
    work.act(Consult(CASE_ID, uuid(71), "balai", "Apakah tiang ini milik Anda?"))
    work.sent("dinas-prov")
    work.act(Reply(CASE_ID, "Sudah seminggu gelap."))
    other, around = replace(work.state, id=uuid(73)), work.around(SOURCE)
    here, there = link(work.state, other, DUPLICATE, around)
    work.record([here], SOURCE)
    undone = unlink(work.state, replace(other, links=(CaseLink(CASE_ID, DUPLICATE, False, SOURCE),)), around)
    work.record([undone[0], there], SOURCE)
    work.wait(days=30)
    return work


def rule_events() -> Iterator[tuple[Fact, dict[str, Any]]]:
    for number, draft in enumerate(rule_drafts(), 1):
        time, stream = "2025-03-14T02:00:00.000Z", agency_stream("hub")
        yield Fact(uuid(number), draft.type, time, stream, number, "hub", {"hub": "agency"}, draft.facts), {}


def agency_events() -> Iterator[tuple[Fact, dict[str, Any]]]:
    before = AGENCIES[SOURCE]
    after = Agency(SOURCE, "Pemkab Kotim", "regency", region="62.02", time_zone="Asia/Pontianak")
    drafts = [register(before, None, None), change(before, after, None)]
    for number, draft in enumerate(drafts, 1):
        assert isinstance(draft, Draft)
        stream = agency_stream(SOURCE)
        time = "2025-03-14T02:00:00.000Z"
        yield Fact(uuid(number), draft.type, time, stream, number, "hub", {"hub": "agency"}, draft.facts), {}


def handovers() -> Iterator[tuple[Fact, dict[str, Any]]]:
    """Of one case, and the sum of it with a note."""
    work = Casework().verified()
    work.sent(LEAD)
    command = HandOver(SOURCE, LEAD, (CASE_ID,), (), "Akun pindah ke dinas.")
    held = work_of(work.state, SOURCE)
    facts = case_facts(work.state, held, command)
    nothing = dict.fromkeys(("cases", "owned", "forwardings", "consultations", "threads", "commitments"), 0)
    summed = summary_draft(
        command, {"counts": nothing, "cases": [], "threads": [], "due": [], "commitments": []}
    )
    time, stream = "2025-03-14T02:00:00.000Z", agency_stream(SOURCE)
    for number, draft in enumerate((Draft(HANDED_OVER, facts), summed), 3):
        yield Fact(uuid(number), HANDED_OVER, time, stream, number, "hub", {}, draft.facts), draft.texts


RULES = rulebooks()
EVENTS = [*case_events(), *agency_events(), *handovers(), *rule_events()]
OF_AGENCIES = (*AGENCY_EVENTS, *RULE_EVENTS)
"""Those in an agency's stream: nothing in them is erased."""


def test_the_examples_cover_every_type() -> None:
    """Threads have theirs in tests/domain/threads."""
    assert {fact.type for fact, _ in EVENTS} == set(EVENT_TYPES) - set(THREAD_EVENTS)


@pytest.mark.parametrize(("fact", "texts"), EVENTS, ids=lambda value: getattr(value, "type", ""))
def test_every_event_fits_its_schema(fact: Fact, texts: dict[str, Any], schemas: Registry) -> None:
    for given in (texts, None):
        event = cloud_event(fact, given, source=URL)
        assert schemas.validate(fact.type, event["data"]) == [], event["data"]
        assert schemas.validate("event", event) == []
        shown = orjson.dumps(event).decode()
        assert '"reporter"' not in shown
        assert not [part for part in REPORTER if part in shown]
    withheld = cloud_event(fact, texts, source=URL, withheld=True)
    if fact.type not in OF_AGENCIES:
        assert schemas.validate(fact.type, withheld["data"]) == []
    assert withheld["data"] == {"withheld": True}


@pytest.mark.parametrize(("fact", "texts"), EVENTS, ids=lambda value: getattr(value, "type", ""))
def test_the_envelope(fact: Fact, texts: dict[str, Any]) -> None:
    event = cloud_event(fact, texts, source=URL)
    assert event["type"] == f"id.simpul.{fact.type}.v1"
    assert event["subject"] == (
        {**dict.fromkeys(AGENCY_EVENTS, SOURCE), **dict.fromkeys(RULE_EVENTS, "hub")}.get(fact.type, CASE_ID)
    )
    assert event["dataschema"] == f"{URL}/schemas/{fact.type}/1.json"
    assert event["sequence"] == f"{fact.sequence:010d}", "compares as text in the order of the numbers"


def test_without_words_nothing_that_was_written_shows(schemas: Registry) -> None:
    written = [
        "Mohon dicek",
        "Tiang milik desa",
        "Digabung",
        "Menunggu",
        "Sudah menyala",
        "puas",
        "Padam lagi",
    ]
    written += [
        "Lampu jalan padam",
        "sesudah.png",
        "lampu-padam.jpg",
        "Tjilik Riwut",
        "Sebutkan",
        "Bukan urusan",
        "Apakah tiang",
        "bukan aset",
        "ditinjau ulang",
        "seminggu gelap",
        "Menanyakan",
    ]
    for fact, _ in EVENTS:
        header = fact.to_bytes().decode()
        erased = orjson.dumps(event_data(fact, None)).decode()
        for words in written:
            assert words not in header, "the header is clear for ever, so it holds no words"
            assert words not in erased
        if fact.type not in OF_AGENCIES:
            assert '"erased":true' in erased


def test_a_handler_can_work_with_nothing_but_the_webhook() -> None:
    fact, texts = next((f, t) for f, t in EVENTS if f.type == "forwarding.sent")
    data = event_data(fact, texts)
    assert data["complaint"]["title"].startswith("Lampu jalan padam")
    assert data["complaint"]["attachments"][0]["name"] == "lampu-padam.jpg"
    assert data["forwarding"]["note"] == "Mohon dicek."


@pytest.mark.parametrize(
    ("agency", "pointer"),
    [
        (Agency("Kotim", "Kotim", "ministry"), "/id"),
        (Agency("-kotim", "Kotim", "ministry"), "/id"),
        (Agency("kotim\n", "Kotim", "ministry"), "/id"),
        (Agency("kotim", "  ", "ministry"), "/name"),
        (Agency("kotim", "\u3164\u2800\u00ad", "ministry"), "/name"),
        (Agency("kotim", "Dinas 6202015503900007", "ministry"), "/name"),
        (Agency("kotim", "Dinas (telp 0812-3456-7890)", "ministry"), "/name"),
        (Agency("kotim", "Dinas budi@contoh.id", "ministry"), "/name"),
        (Agency("6202015503900007", "Dinas PU", "ministry"), "/id"),
        (Agency("dinas-6202015503900007", "Dinas PU", "ministry"), "/id"),
        (Agency("kotim", "Kotim", "kerajaan"), "/kind"),
        (Agency("kotim", "Kotim", "regency"), "/region"),
        (Agency("kotim", "Kotim", "hub"), "/kind"),
        (Agency("kotim", "Kotim", "unit", parent="tidak-ada"), "/parent"),
    ],
)
def test_an_impossible_agency_is_refused_at_its_field(agency: Agency, pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        register(agency, None, None)
    assert [flaw for flaw, _ in refused.value.flaws] == [pointer]


@pytest.mark.parametrize("name", ["Dinas PUPR Blok A No. 7", "Call Center 112", "UPT 3 Kec. Baamang"])
def test_a_name_that_tells_of_no_person_is_taken(name: str) -> None:
    assert register(Agency("dinas", name, "ministry"), None, None).facts["agency"]["name"] == name


def test_agencies_register_once_and_change_only_when_something_changes() -> None:
    agency = AGENCIES[SOURCE]
    draft = register(agency, None, None)
    assert evolve_agency(orjson.loads(orjson.dumps(draft.facts))) == agency
    with pytest.raises(StateConflict) as refused:
        register(agency, agency, None)
    assert refused.value.type_code == "agency-exists"
    assert change(agency, agency, None) is None
    with pytest.raises(StateConflict):
        change(Agency("hub", "Simpul", "hub"), Agency("hub", "Simpul", "hub", active=False), None)
