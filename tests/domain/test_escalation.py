"""Consultation, the note for who declined, the third return, onward forwarding: each rule by an example."""

from __future__ import annotations

from typing import Any

import pytest

from hub.domain.agency import HUB, Agency
from hub.domain.audience import actions, relations, takes_part
from hub.domain.commands import (
    Accept,
    Advise,
    Answer,
    Close,
    Consult,
    Forward,
    Recipient,
    Reconsider,
    Return,
    Verify,
    Withdraw,
)
from hub.domain.escalation import nearest_above
from hub.errors import Invalid, StateConflict
from tests.domain.casework import CASE_ID, SOURCE, Casework, uuid

PROVINCE, MINISTRY = "pemprov-kalteng", "kemen-pupr"
REGISTRY = {
    agency.id: agency
    for agency in (
        Agency(HUB, "Simpul", "hub"),
        Agency(PROVINCE, "Pemprov Kalteng", "province", "62"),
        Agency(SOURCE, "Pemkab Kotim", "regency", "62.02", PROVINCE),
        Agency("dinas-kotim", "Dinas PUPR Kotim", "unit", parent=SOURCE),
        Agency("dinas-prov", "Dinas PUPR Kalteng", "unit", parent=PROVINCE),
        Agency(MINISTRY, "Kementerian PU", "ministry"),
        Agency("balai", "Balai Jalan", "agency", parent=MINISTRY),
        Agency("ombudsman", "Ombudsman RI", "oversight"),
        Agency("dinas-lama", "Dinas lama", "unit", active=False),
    )
}


def work_in(limit: int = 3) -> Casework:
    return Casework(agencies=REGISTRY, returns_limit=limit).verified()


def send(work: Casework, agency: str, role: str = "lead", note: str | None = None, by: str = "") -> str:
    leg = uuid(next(work.numbers))
    work.act(Forward(CASE_ID, (Recipient(leg, agency, role),), note), by or work.state.owner)
    return leg


def bounced(work: Casework, *agencies: str) -> Casework:
    for agency in agencies:
        work.act(Return(CASE_ID, send(work, agency, note="Mohon ditangani."), "not_ours"), agency)
    return work


def refused(work: Casework, command: Any, actor: str) -> StateConflict:
    with pytest.raises(StateConflict) as caught:
        work.act(command, actor)
    return caught.value


# --- consultation ------------------------------------------------------------------------------------------


def test_a_consultation_is_asked_and_answered_once() -> None:
    work = work_in()
    work.act(Consult(CASE_ID, uuid(1), "balai", "Jalan nasional?"))
    assert takes_part(work.state, "balai")
    assert work.log[-1][0].recipients == {SOURCE: "owner", "balai": "consulted"}
    again = refused(work, Consult(CASE_ID, uuid(2), "balai", "Sudah?"), SOURCE)
    assert (again.extra["state"], again.extra["possible"]) == (
        "verified",
        ["close", "consult", "forward", "reply"],
    )
    work.act(Consult(CASE_ID, uuid(3), "dinas-prov", "Atau jalan provinsi?"))
    work.act(Advise(CASE_ID, uuid(1), "not_ours", "dinas-prov", "Bukan."), "balai")
    second = refused(work, Advise(CASE_ID, uuid(1), "ours"), "balai")
    assert (second.extra["state"], second.extra["possible"]) == ("answered", [])
    asked = work.state.consultation(uuid(1))
    assert (asked.verdict, asked.suggested_agency, asked.status) == ("not_ours", "dinas-prov", "answered")
    assert takes_part(work.state, "balai"), "it goes on seeing the case"
    work.act(Consult(CASE_ID, uuid(4), "balai", "Sungguh?"))  # another question, once the first is answered


@pytest.mark.parametrize("agency", [SOURCE, "tidak-ada", "dinas-lama", "ombudsman", HUB])
def test_who_cannot_be_consulted(agency: str) -> None:
    with pytest.raises(Invalid) as caught:
        work_in().act(Consult(CASE_ID, uuid(1), agency, "Wewenang Anda?"))
    assert [pointer for pointer, _ in caught.value.flaws] == ["/agency"]


def test_a_closed_case_takes_no_verdict() -> None:
    work = work_in()
    work.act(Consult(CASE_ID, uuid(1), "balai", "Jalan nasional?"))
    work.act(Close(CASE_ID, "archived"))
    assert refused(work, Advise(CASE_ID, uuid(1), "ours"), "balai").extra["state"] == "closed"


@pytest.mark.parametrize("note", [None, "", "  ", "\u3164\u200b", "\u2800\u0301"])
def test_not_ours_needs_a_note_by_the_latest_verdict(note: str | None) -> None:
    work = work_in()
    for number, verdict in ((1, "ours"), (2, "not_ours")):
        work.act(Consult(CASE_ID, uuid(number), "balai", "Jalan nasional?"))
        work.act(Advise(CASE_ID, uuid(number), verdict), "balai")
    problem = refused(work, Forward(CASE_ID, (Recipient(uuid(5), "balai", "lead"),), note), SOURCE)
    assert "note" in problem.detail
    assert problem.extra["possible"] == ["close", "consult", "forward", "reply"]
    leg = send(work, "balai", note="Ruas ini nasional sejak 2024.")
    assert work.case.texts.legs[leg].note == "Ruas ini nasional sejak 2024."
    work.act(Withdraw(CASE_ID, leg, "Salah."))
    work.act(Consult(CASE_ID, uuid(3), "balai", "Dan sekarang?"))
    work.act(Advise(CASE_ID, uuid(3), "partly"), "balai")
    send(work, "balai")  # the latest verdict counts


# --- returns and escalation --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("owner", "returner", "above"),
    [
        (SOURCE, "dinas-kotim", PROVINCE),
        (SOURCE, "dinas-prov", PROVINCE),
        ("dinas-kotim", SOURCE, PROVINCE),  # strictly above both
        (SOURCE, PROVINCE, HUB),
        (SOURCE, "balai", HUB),
        (HUB, "balai", HUB),
    ],
)
def test_the_nearest_above_both(owner: str, returner: str, above: str) -> None:
    assert nearest_above(owner, returner, REGISTRY.get) == above


def test_a_circle_of_parents_and_an_inactive_one_are_passed_over() -> None:
    a, b = Agency("a", "A", "unit", parent="b"), Agency("b", "B", "unit", parent="a")
    assert nearest_above("a", "b", {"a": a, "b": b}.get) == HUB
    chain = [Agency("x", "X", "unit", parent="y"), Agency("y", "Y", "unit", active=False, parent="z")]
    chain += [Agency("z", "Z", "unit"), Agency("w", "W", "unit", parent="y")]
    assert nearest_above("x", "w", {agency.id: agency for agency in chain}.get) == "z"


def test_the_third_return_passes_the_case_up_with_its_path() -> None:
    work = bounced(work_in(), "balai", MINISTRY)
    assert work.state.owner == SOURCE
    bounced(work, "dinas-prov")  # three agencies: a loop over several is caught by the count
    returned, escalated = (fact for fact, _ in work.log[-2:])
    assert (returned.type, escalated.type) == ("forwarding.returned", "complaint.escalated")
    assert (work.state.owner, work.state.former_owners) == (PROVINCE, (SOURCE,))
    data = escalated.data
    assert (data["from"], data["to"], data["cause"], data["owner"]) == (SOURCE, PROVINCE, "returns", PROVINCE)
    assert [(step["agency"], step["reason"]) for step in data["path"]] == [
        ("balai", "not_ours"), (MINISTRY, "not_ours"), ("dinas-prov", "not_ours"),
    ]  # fmt: skip
    assert escalated.recipients == {PROVINCE: "owner", SOURCE: "owner"}, "who returned has left"
    assert work.state.status == "verified"


def test_what_was_withdrawn_and_what_supports_does_not_count() -> None:
    work = bounced(work_in(2), "balai")
    work.act(Withdraw(CASE_ID, send(work, MINISTRY), "Salah."))
    send(work, MINISTRY)
    work.act(Return(CASE_ID, send(work, "dinas-prov", "support"), "not_ours"), "dinas-prov")
    assert work.state.owner == SOURCE


def test_the_former_owner_sees_the_case_and_forwards_no_more() -> None:
    work = bounced(work_in(1), "dinas-prov")
    problem = refused(work, Forward(CASE_ID, (Recipient(uuid(5), "balai", "lead"),)), SOURCE)
    assert PROVINCE in problem.detail
    assert problem.extra["possible"] == ["reply"], "it is the reporter's app still"
    assert {"source", "former_owner"} <= relations(work.state, SOURCE)
    assert actions(work.state, SOURCE, work.now) == ["reply"]


def test_the_new_owners_leg_stays_and_is_reconsidered_once() -> None:
    work = bounced(work_in(1), "dinas-prov")
    leg = send(work, SOURCE, note="Ini jalan kabupaten.")
    problem = refused(work, Return(CASE_ID, leg, "not_ours"), SOURCE)
    assert (problem.extra["state"], problem.extra["possible"]) == (
        "sent",
        ["accept", "reconsider"],
    )
    work.act(Reconsider(CASE_ID, leg, "Jalan ini milik balai."), SOURCE)
    assert work.log[-1][0].type == "forwarding.reconsideration_requested"
    assert work.state.leg(leg).status == "sent"
    again = refused(work, Reconsider(CASE_ID, leg, "Sekali lagi."), SOURCE)
    assert again.extra["possible"] == ["accept"]
    work.act(Accept(CASE_ID, leg), SOURCE)
    work.act(Answer(CASE_ID, leg, "Sudah ditambal."), SOURCE)
    assert work.state.status == "answered"


def test_what_can_be_returned_is_not_reconsidered() -> None:
    work = work_in()
    problem = refused(work, Reconsider(CASE_ID, send(work, "balai"), "Bukan kami."), "balai")
    assert problem.extra["possible"] == ["accept", "return"]


def test_hub_owns_and_forwards_and_passes_nothing_to_itself() -> None:
    work = bounced(work_in(1), "balai")
    assert work.state.owner == HUB
    leg = send(work, "dinas-prov")
    assert refused(work, Return(CASE_ID, leg, "not_ours"), "dinas-prov").extra["state"] == "sent"


def test_an_owner_with_nobody_above_keeps_the_case_and_its_legs_stay() -> None:
    work = Casework(agencies=REGISTRY, returns_limit=2)
    work.submit(source={"agency": HUB, "reference": "H-1"})
    work.act(Verify(CASE_ID, "accept"), HUB)
    bounced(work, "balai", "dinas-prov")
    assert (work.state.owner, work.log[-1][0].type) == (HUB, "forwarding.returned")
    leg = send(work, MINISTRY)
    assert refused(work, Return(CASE_ID, leg, "not_ours"), MINISTRY).extra["state"] == "sent"


# --- onward ------------------------------------------------------------------------------------------------


def test_a_handler_forwards_onward_as_support_and_withdraws_it() -> None:
    work = work_in()
    lead = send(work, MINISTRY)
    early = refused(work, Forward(CASE_ID, (Recipient(uuid(5), "balai", "support"),)), MINISTRY)
    assert early.extra["possible"] == ["accept", "return"]
    work.act(Accept(CASE_ID, lead), MINISTRY)
    with pytest.raises(Invalid) as caught:
        send(work, "balai", "lead", by=MINISTRY)
    assert [pointer for pointer, _ in caught.value.flaws] == ["/to/0/role"]
    onward = send(work, "balai", "support", by=MINISTRY)
    assert (work.state.leg(onward).sender, work.state.leg(onward).to) == (MINISTRY, "balai")
    assert work.log[-1][0].recipients["balai"] == "handler"
    work.act(Answer(CASE_ID, lead, "Sudah."), MINISTRY)
    assert work.state.status == "in_progress", "joint closure counts what was sent onward"
    work.act(Withdraw(CASE_ID, onward, "Tidak perlu lagi."), MINISTRY)
    assert work.state.status == "answered"
    late = refused(work, Forward(CASE_ID, (Recipient(uuid(6), "balai", "support"),)), MINISTRY)
    assert late.extra["state"] == "answered"


@pytest.mark.parametrize(("to", "says"), [(SOURCE, "owns"), (MINISTRY, "itself")])
def test_onward_to_the_owner_or_to_itself(to: str, says: str) -> None:
    work = work_in()
    work.act(Accept(CASE_ID, send(work, MINISTRY)), MINISTRY)
    with pytest.raises(Invalid) as caught:
        send(work, to, "support", by=MINISTRY)
    assert [pointer for pointer, _ in caught.value.flaws] == ["/to/0/agency"]
    assert says in str(caught.value.flaws)
