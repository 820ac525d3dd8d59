"""Forwardings that cannot pass to a successor as they stand: its own, a second one beside one that it holds,
and one of a case that it returned. They end, or are sent anew, by events of the case before the rest of it is
handed over. Pure."""

from __future__ import annotations

from hub.domain.bounds import MOST_LEGS
from hub.domain.case import Case, CaseState, Leg, leg_facts, status_from_legs
from hub.domain.clocks import Clock, facts
from hub.domain.copies import but
from hub.domain.decisions import common
from hub.domain.events import Draft
from hub.domain.forwarding import withdrawn
from hub.domain.handover import HandOver
from hub.domain.recipients import declined

PROGRESS = ("sent", "accepted", "in_progress")


def settled(case: Case, command: HandOver, leg_id: str) -> list[Draft]:
    """The drafts of the next step; [] once everything that is open may pass on. Ask again with the case after
    them. `leg_id` is for the forwarding that takes another's place, if one does."""
    state, to = case.state, command.to
    held = [leg for leg in state.open_legs() if leg.to in (command.agency, to)]
    if to == _owner(state, command):
        return withdrawn(case, held[0], _own(command)) if held else []
    if len(held) > 1:
        first = max(held, key=lambda leg: _weight(leg, to))
        second = next(leg for leg in held if leg.id != first.id)
        return withdrawn(case, second, _twice(command))
    for leg in held:
        why = _why_anew(state, leg, command)
        if why is None:
            continue
        if len(state.legs) >= MOST_LEGS:
            return withdrawn(case, leg, why)
        return _anew(case, leg, command, leg_id, why)
    return []


def _owner(state: CaseState, command: HandOver) -> str:
    """Who owns the case after the handover."""
    return command.to if state.owner == command.agency else state.owner


def _weight(leg: Leg, to: str) -> tuple[bool, bool, int, bool]:
    """Of two forwardings of one agency the greater stays: the lead, one that cannot be returned, the one
    further on, the successor's own."""
    return leg.role == "lead", leg.binding, PROGRESS.index(leg.status), leg.to == to


def _why_anew(state: CaseState, leg: Leg, command: HandOver) -> str | None:
    """The note with which the leg is sent to the successor anew; None where it can pass on as it stands."""
    if _sender(leg, command) == command.to:
        return _note(command, "Else it would be the sender of its own forwarding; the case's owner is.")
    if leg.to == command.agency and (why := declined(state, command.to)):
        return _note(command, f"{why}, and takes the work on as the successor.")
    return None


def _sender(leg: Leg, command: HandOver) -> str:
    """Whose the leg is to withdraw after the handover."""
    return command.to if leg.sender == command.agency else leg.sender


def _anew(case: Case, leg: Leg, command: HandOver, leg_id: str, note: str) -> list[Draft]:
    """A leg to the successor in the place of this one, which is withdrawn beside it: the case waits for
    somebody all the time. Its deadline is the other one's: a handover gives no new time."""
    state, own = case.state, _sender(leg, command) == command.to
    made = but(leg, id=leg_id, sender=state.owner if own else leg.sender, to=command.to, status="sent")
    after = but(state, legs=(*state.legs, made))
    said = common(state, status_from_legs(after.legs)) | {
        "forwarding": leg_facts(made, state.id),
        "noted": True,
        "complaint": state.complaint,
    }
    if made.binding:
        said["binding"] = True
    if clocks := _followed(state, leg, made):
        said["clocks"] = [facts(clock) for clock in clocks]
    texts = {"complaint": case.texts.complaint if case.texts else {}, "note": note}
    return [Draft("forwarding.sent", said, texts), *withdrawn(Case(after, case.texts), leg, note)]


def _followed(state: CaseState, leg: Leg, made: Leg) -> list[Clock]:
    """The leg's clocks for the whole of the work, as those of the one in its place."""
    name = f"{made.id}/follow_up/{state.version + 1}"
    return [
        but(clock, id=f"{name}/shown" if clock.shown_only else name, subject=made.id, agency=made.to)
        for clock in state.clocks
        if clock.is_open and (clock.stage, clock.subject) == ("follow_up", leg.id)
    ]


def _own(command: HandOver) -> str:
    return f"{_handed(command)} {command.to} owns the case, and no agency forwards a case to itself."


def _twice(command: HandOver) -> str:
    return f"{_handed(command)} {command.to} holds another open forwarding of this case, which stays."


def _note(command: HandOver, why: str) -> str:
    return f"{_handed(command)} {why} The forwarding before it is withdrawn, and the deadline stays."


def _handed(command: HandOver) -> str:
    return f"By the handover of {command.agency} to {command.to}:"
