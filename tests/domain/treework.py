"""A registry with a tree in three time zones, the rules of its clocks, and every command on a leg, for the
lives of `test_ownership_machine.py`."""

from __future__ import annotations

from typing import Any

from hub.domain.agency import HUB, Agency
from hub.domain.case import CaseState, Leg
from hub.domain.commands import (
    Accept,
    Answer,
    Close,
    Consult,
    Escalate,
    Forward,
    Progress,
    Recipient,
    Reconsider,
    Reopen,
    Reply,
    Return,
    Verify,
    Withdraw,
)
from hub.domain.dated_facts import dated_facts
from hub.domain.events import Draft, Fact, agency_stream
from hub.domain.policies import ANY, DEFAULTS, Policy
from hub.domain.working_time import Calendar, DayOff
from hub.service.requests import RecordRules
from hub.service.rulebook import Rulebook, record
from tests.domain import decrees
from tests.domain.casework import CASE_ID, SOURCE, uuid

TREE = {
    HUB: (None, "hub"),
    "kemendagri": (None, "ministry"),
    "prov-kalteng": ("kemendagri", "province"),
    SOURCE: ("prov-kalteng", "regency"),
    "dinas-kotim": (SOURCE, "unit"),
    "kec-baamang": ("dinas-kotim", "unit"),
    "dinas-prov": ("prov-kalteng", "unit"),
    "kemenpu": (None, "ministry"),
    "balai": ("kemenpu", "agency"),
    "balai-papua": ("kemenpu", "agency"),
    "satker": ("balai", "unit"),
    "ombudsman": (None, "oversight"),
}
ZONES = {"balai": "Asia/Makassar", "satker": "Asia/Makassar", "balai-papua": "Asia/Jayapura"}
DAYS_OFF = {"dinas-prov": {"2025-03-27": "Pawai obor", "2025-05-23": "Hari jadi Kalimantan Tengah"}}
SPARE = "satker"
"""Nobody forwards to it or asks it in these lives, so that there is always one who could be."""
REGISTRY = {
    name: Agency(
        name,
        name,
        kind,
        region="62" if kind in ("province", "regency") else None,
        parent=parent,
        time_zone=ZONES.get(name, "Asia/Jakarta"),
        days_off=DAYS_OFF.get(name, {}),
    )
    for name, (parent, kind) in TREE.items()
}
CHANGED_ROWS = (
    Policy("verification-36h", ANY, "verification", 36, "hours", "2025-02-01", "Perbup 12/2025"),
    Policy("follow-up-4cd", ANY, "follow_up", 4, "calendar_days", "2025-02-01", "Perbup 12/2025",
           escalates=True),
    Policy("acceptance-2wd", "complaint", "acceptance", 2, "working_days", "2025-02-01", "Perbup 12/2025"),
)  # fmt: skip
DECREED = decrees.calendar()
CHANGED = Calendar(
    dict(DECREED.days) | {day: DayOff("Cuti tambahan", "government") for day in ("2025-03-27", "2025-04-09")},
    DECREED.known_until,
)


def rulebooks() -> list[Rulebook]:
    """The rules as they change in a life: the defaults, other policies, then another official calendar."""
    return [_learnt(rule_drafts(number)) for number in (1, 2, 3)]


def rule_drafts(number: int = 3) -> list[Draft]:
    """What so many changes of the rules put into the log."""
    first, second = RecordRules(DEFAULTS, DECREED, "SKB 3 Menteri"), RecordRules((*DEFAULTS, *CHANGED_ROWS))
    drafts: list[Draft] = []
    for command in (first, second, RecordRules(None, CHANGED, "SKB 3 Menteri, diubah"))[:number]:
        drafts += record(_learnt(drafts), command)
    return drafts


def _learnt(drafts: list[Draft]) -> Rulebook:
    """From the log alone, as the service reads it."""
    rulebook = Rulebook(None, lambda: -1)  # type: ignore[arg-type]  # never refreshed
    rulebook.agencies = dict(REGISTRY)
    for sequence, draft in enumerate(drafts, 1):
        fact = Fact(
            "e", draft.type, "2025-01-02T00:00:00.000Z", agency_stream(HUB), sequence, HUB, {}, draft.facts
        )
        rulebook.learn(dated_facts(Fact.from_bytes(fact.to_bytes())))
    return rulebook


def leg_commands(leg: Leg) -> list[Any]:
    return [
        Accept(CASE_ID, leg.id),
        Return(CASE_ID, leg.id, "not_ours"),
        Progress(CASE_ID, leg.id, "Tim di lokasi."),
        Answer(CASE_ID, leg.id, "Sudah diperbaiki."),
        Withdraw(CASE_ID, leg.id, "Salah alamat."),
        Reconsider(CASE_ID, leg.id, "Bukan wewenang kami."),
    ]


def commands(state: CaseState, agency: str, only: Leg | None = None, spare: str = SPARE) -> list[Any]:
    """Every command that `agency` could have a part in, on the case or on that leg alone; `spare` is whom it
    forwards to and asks."""
    made: list[Any] = []
    for leg in (only,) if only else state.legs:
        if agency == leg.to:
            made += [command for command in leg_commands(leg) if command.action != "withdraw"]
        if agency in (leg.sender, state.owner):
            made.append(Withdraw(CASE_ID, leg.id, "Salah alamat."))
    if only is not None:
        return made
    role = "lead" if agency == state.owner and not state.lead() else "support"
    made.append(Forward(CASE_ID, (Recipient(uuid(1), spare, role),)))
    if agency == state.owner:
        made.append(Consult(CASE_ID, uuid(2), spare, "?"))
        made += [Close(CASE_ID, "resolved"), Verify(CASE_ID, "accept")]
    if agency in (state.owner, state.source):
        made += [Reopen(CASE_ID, "Belum selesai."), Escalate(CASE_ID, "Terlalu lama.")]
    if agency == state.source:
        made.append(Reply(CASE_ID, "Masih gelap."))
    return made
