"""`ReadSession.cases` against a naive model: every filter, both orders, keyset paging."""

from __future__ import annotations

import dataclasses
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, given, settings

from hub.domain.case import Case, CaseState, Leg
from hub.domain.transitions import HELD_LEG
from hub.ports.effects import Effects
from hub.ports.store import CaseFilter
from hub.store.projections import empty
from tests.store.storework import case, clock, write

AGENCIES = ("kotim", "medan", "pupr", "pln")
STATUSES = ("submitted", "verified", "forwarded", "in_progress", "answered", "closed")
REGIONS = (None, "62", "62.02", "62.02.02", "6202022001", "12.71")
TITLES = ("Jalan rusak 100%", "Lampu_jalan padam", "JALAN gelap", "Banjir \\ got")
TIMES = tuple(f"2025-03-{day:02d}T02:00:00.000Z" for day in range(1, 8))
QUERIES = ("jalan", "100%", "%", "_", "\\", "lampu_", "PGD-3", "aaaa-bbbb-0002", "tidak ada")
CLOCKS = st.builds(
    clock,
    st.sampled_from(("running", "paused", "missed", "missed", "met", "historical")),
    ended_at=st.sampled_from((None, None, TIMES[5])),
    shown_only=st.sampled_from((False, False, True)),
)


@st.composite
def worlds(draw: st.DrawFn) -> list[Case]:
    made = []
    for number in range(draw(st.integers(1, 14))):
        owner = draw(st.sampled_from(AGENCIES))
        legs = tuple(draw(leg_of(owner, f"{number}-{i}", i)) for i in range(draw(st.integers(0, 3))))
        region = draw(st.sampled_from(REGIONS))
        changes: dict[str, Any] = {
            "owner": owner,
            "source": draw(st.sampled_from((owner, "kotim"))),
            "status": draw(st.sampled_from(STATUSES)),
            "updated_at": draw(st.sampled_from(TIMES)),
            "legs": legs,
            "complaint": {"category": draw(st.sampled_from(("road", "water")))}
            | ({"location": {"region": region}} if region else {}),
            "clocks": tuple(draw(st.lists(CLOCKS, max_size=2))),
        }
        texts = {"title": draw(st.sampled_from(TITLES)), "description": draw(st.sampled_from(TITLES))}
        built = case(number, texts=texts, **changes)
        made.append(Case(built.state, None) if draw(st.integers(0, 9)) == 0 else built)
    return made


def leg_of(owner: str, leg_id: str, order: int) -> st.SearchStrategy[Leg]:
    def build(to: str, status: str, when: str, ended_status: str) -> Leg:
        leg = Leg(leg_id, owner, to, "support", status, TIMES[0], when)
        if status in HELD_LEG:
            return leg
        return dataclasses.replace(leg, ended_sequence=order + 2, ended_status=ended_status)

    others = [name for name in AGENCIES if name != owner]
    statuses = ["sent", "accepted", "answered", "returned", "withdrawn"]
    return st.builds(
        build,
        st.sampled_from(others),
        st.sampled_from(statuses),
        st.sampled_from(TIMES),
        st.sampled_from(STATUSES),
    )


def optional(*values: Any) -> st.SearchStrategy[Any]:
    return st.none() | st.none() | st.sampled_from(values)


FILTERS = st.builds(
    CaseFilter,
    status=optional(*STATUSES),
    agency=optional(*AGENCIES),
    region=optional("62", "62.02", "62.02.02", "12.71", "6"),
    category=optional("road", "water"),
    role=optional("owner", "handler", "participant"),
    q=optional(*QUERIES),
    updated_since=optional(*TIMES),
    overdue=st.sampled_from([None, None, None, False, True]),
)


def seen(state: CaseState, agency: str) -> tuple[set[str], str, str] | None:
    """(what the agency is, status, updated_at) as it may see them; None when it never took part."""
    what = {"owner"} & ({"owner"} if agency == state.owner else set())
    if agency == state.source:
        what.add("source")
    if any(leg.to == agency and leg.status in HELD_LEG for leg in state.legs):
        what.add("handler")
    if what:
        return what | {"participant"}, state.status, state.updated_at
    ended = [leg for leg in state.legs if leg.to == agency]
    if not ended:
        return None
    last = max(ended, key=lambda leg: leg.ended_sequence or 0)
    return {"former"}, last.ended_status or "", last.updated_at


def fits(found: Case, agency: str, wanted: CaseFilter) -> tuple[str, str] | None:
    """(updated_at, id) when the case belongs on the agency's list."""
    state = found.state
    view = seen(state, agency)
    if view is None:
        return None
    what, status, updated = view
    late = "former" not in what and any(
        each.state == "missed" and each.ended_at is None and not each.shown_only for each in state.clocks
    )
    other = seen(state, wanted.agency) if wanted.agency else None
    visible = {"owner", "source"} if "former" in what else {"owner", "source", "handler"}
    region = (state.complaint.get("location") or {}).get("region", "").replace(".", "")
    words = list((found.texts.complaint if found.texts else {}).values())
    kept = (
        wanted.status in (None, status)
        and wanted.overdue in (None, late)
        and (wanted.role is None or wanted.role in what)
        and wanted.category in (None, state.complaint["category"])
        and (wanted.region is None or region.startswith(wanted.region.replace(".", "")))
        and (wanted.agency is None or (other is not None and bool(other[0] & visible)))
        and (wanted.updated_since is None or updated >= wanted.updated_since)
        and (
            wanted.q is None
            or wanted.q.upper() == state.tracking_number
            or wanted.q == state.reference
            or any(wanted.q.lower() in text.lower() for text in words)
        )
    )
    return (updated, state.id) if kept else None


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # emptied before each example
)
@given(
    world=worlds(),
    questions=st.lists(
        st.tuples(st.sampled_from(AGENCIES), FILTERS, st.integers(1, 5)), min_size=10, max_size=10
    ),
)
def test_listing_agrees_with_the_model(
    world: list[Case], questions: list[tuple[str, CaseFilter, int]], store: Any
) -> None:
    with store.writing() as connection:
        empty(connection)
    write(store, Effects(new_cases=world))
    for agency, wanted, limit in questions:
        assert listed(store, agency, wanted, limit) == expected(world, agency, wanted), (agency, wanted)


def expected(world: list[Case], agency: str, wanted: CaseFilter) -> list[str]:
    found = [place for each in world if (place := fits(each, agency, wanted))]
    if wanted.updated_since is not None:
        return [case_id for _, case_id in sorted(found)]
    return sorted((case_id for _, case_id in found), reverse=True)


def listed(store: Any, agency: str, wanted: CaseFilter, limit: int) -> list[str]:
    """All pages put together."""
    result: list[str] = []
    after = None
    with store.read() as session:
        while page := session.cases(agency, wanted, after, limit):
            assert len(page) <= limit
            assert page[-1][0] != after, "each page goes on"
            for _, each in page:
                assert each == session.case(each.state.id), "a row is the whole case"
            result += [each.state.id for _, each in page]
            after = page[-1][0]
    return result
