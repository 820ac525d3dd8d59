"""Cases and forwardings as JSON, as one agency may see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hub.domain.audience import Sight, actions, may_link
from hub.domain.case import (
    Case,
    CaseState,
    Consultation,
    Erasure,
    Leg,
    consultation_facts,
    leg_facts,
)
from hub.domain.case_texts import CaseTexts
from hub.domain.clocks import deadline_document
from hub.domain.limits import DEFAULT_LIMITS, Limits
from hub.domain.privacy import join_complaint
from hub.domain.threads.thread import Thread
from hub.domain.threads.views import open_commitments, thread_summary
from hub.domain.working_time import written
from hub.ports.clock import rfc3339
from hub.ports.topics import COPIES_KEPT, SEGMENT


def case_view(
    case: Case,
    agency: str,
    now: datetime,
    limits: Limits = DEFAULT_LIMITS,
    *,
    reporter_name: str | None = None,
    rooms: Sequence[Thread] = (),
) -> dict[str, Any]:
    """The whole case at `now`, for an agency that takes part in it. `reporter_name` is shown as given:
    whoever calls passes it only when neither flag forbids it. `rooms` are the threads about it in which the
    agency takes part."""
    state, texts = case.state, case.texts
    view: dict[str, Any] = {
        "id": state.id,
        "tracking_number": state.tracking_number,
        "status": state.status,
        "version": state.version,
        "owner": state.owner,
        "complaint": _complaint(case, reporter_name),
        "forwardings": [forwarding_view(leg, state.id, texts) for leg in state.legs],
        "threads": [thread_summary(thread) for thread in rooms],
        "commitments": [each for thread in rooms for each in open_commitments(thread, agency)],
        "deadlines": [deadline_document(clock, now) for clock in state.clocks],
        "links": [{"case": each.case, "relation": each.relation} for each in state.links],
        "actions": _actions(state, agency, now, limits),
        "created_at": state.created_at,
        "updated_at": state.updated_at,
    }
    if texts is None:
        view["erased"] = True
    if state.erasure is not None:
        view["erasure"] = erasure_view(state.erasure)
    return view


def erasure_view(erasure: Erasure, only: str | None = None) -> dict[str, Any]:
    """When and by whom, who has given its receipt, and until when a copy still lies on that agency's topics;
    of these `only` that agency's."""
    gone = rfc3339(datetime.fromisoformat(erasure.erased_at) + COPIES_KEPT + SEGMENT)
    receipts = [
        {"agency": name, "receipted_at": at} | ({"on_topic_until": gone} if name in erasure.on_topic else {})
        for name, at in erasure.receipts.items()
        if only in (None, name)
    ]
    return {"erased_at": erasure.erased_at, "by": erasure.by, "receipts": receipts}


def _actions(state: CaseState, agency: str, now: datetime, limits: Limits) -> list[str]:
    linking = ["link"] if may_link(state, agency) else []
    return sorted([*actions(state, agency, written(now), limits), *linking])


def frozen_view(
    then: Case, agency: str, now: datetime, *, erased: bool, erasure: Erasure | None = None
) -> dict[str, Any]:
    """For an agency that returned its leg or lost it: the case as it stood then, its own legs and clocks
    alone. `erased`: since then its texts were; `erasure` with its own receipt."""
    texts, left = None if erased else then.texts, Sight(agency, False, then.state.version)
    view = case_view(Case(then.state, texts), agency, now)
    view["forwardings"] = [forwarding_view(leg, then.state.id, texts) for leg in left.legs(then.state)]
    own = [clock for clock in then.state.clocks if clock.agency == agency]
    view["deadlines"] = [deadline_document(clock, now) for clock in own]
    view["actions"] = []
    if erasure is not None:
        view["erasure"] = erasure_view(erasure, only=agency)
    return view


def forwarding_view(leg: Leg, case_id: str, texts: CaseTexts | None) -> dict[str, Any]:
    """One leg. The reason is a code for a returned leg and the sender's words for a withdrawn one."""
    written = texts.legs.get(leg.id) if texts else None
    view = leg_facts(leg, case_id)
    view["note"] = written.note if written else None
    if written and written.reason:
        view["reason"] = written.reason
    view["updated_at"] = leg.updated_at
    return view


def consultation_view(asked: Consultation, case_id: str, texts: CaseTexts | None) -> dict[str, Any]:
    """One question and, once it was given, its answer."""
    view = consultation_facts(asked, case_id)
    written = texts.consultations.get(asked.id) if texts else None
    if written and written.question is not None:
        view["question"] = written.question
    if written and written.text is not None:
        view["text"] = written.text
    if texts is None:
        view["erased"] = True
    view["updated_at"] = asked.updated_at
    return view


def _complaint(case: Case, reporter_name: str | None) -> dict[str, Any]:
    texts = None if case.texts is None else case.texts.complaint
    complaint = join_complaint(case.state.complaint, texts)
    complaint.pop("anonymous", None)
    reporter: dict[str, Any] = {"anonymous": case.state.anonymous}
    if reporter_name and not (case.state.anonymous or case.state.confidential):
        reporter["name"] = reporter_name
    return complaint | {"reporter": reporter}
