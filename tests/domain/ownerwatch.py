"""What holds for the ownership of a case after every step, told from its state and its log."""

from __future__ import annotations

from itertools import pairwise

from hub.domain.agency import HUB
from hub.domain.audience import actions, relations, takes_part
from hub.domain.case import status_from_legs
from hub.domain.escalation import above
from hub.domain.transitions import HELD_LEG
from tests.domain.casework import SOURCE, Casework
from tests.domain.treework import REGISTRY


def exactly_one_owner(work: Casework) -> None:
    state = work.state
    assert [name for name in REGISTRY if "owner" in relations(state, name)] == [state.owner]
    assert state.owner not in state.former_owners
    assert state.owner == SOURCE or (takes_part(state, SOURCE) and SOURCE in state.former_owners)


def it_goes_up_and_only_up(work: Casework) -> None:
    state = work.state
    owners = [*state.former_owners, state.owner]
    passed = [fact.data for fact, _ in work.log if fact.type == "complaint.escalated"]
    causes = [data["cause"] for data in passed if "deactivated" not in data]
    up = [cause for cause in causes if cause != "ombudsman"]
    assert ("missed", "missed") not in pairwise(up), "to whom it went up for that, nothing is taken for it"
    assert causes.count("ombudsman") <= 1
    for lower, upper in pairwise(owners):
        assert upper == HUB or upper in above(lower, REGISTRY.get)


def returns_are_bounded(work: Casework) -> None:
    """To each owner a lead leg comes back `limit` times at the most; then the case is another's, or its
    legs stay."""
    state, limit = work.state, work.returns_limit
    returned = [fact.data for fact, _ in work.log if fact.type == "forwarding.returned"]
    owners = [data["owner"] for data in returned if data["forwarding"]["role"] == "lead"]
    assert all(owners.count(owner) <= limit for owner in owners)
    assert owners.count(state.owner) < limit or state.owner == HUB
    assert not [leg for leg in state.legs if leg.binding and leg.status == "returned"]
    asked = [fact.data["forwarding"]["id"] for fact, _ in work.log
             if fact.type == "forwarding.reconsideration_requested"]  # fmt: skip
    assert len(asked) == len(set(asked)), "once"


def nobody_holds_unasked_what_it_returned(work: Casework) -> None:
    noted = {fact.data["forwarding"]["id"]: fact.data["noted"] for fact, _ in work.log
             if fact.type == "forwarding.sent"}  # fmt: skip
    returned: set[str] = set()
    for fact, _ in work.log:
        leg = fact.data.get("forwarding", {})
        if fact.type == "forwarding.returned":
            returned.add(leg["to"])
        elif fact.type == "forwarding.sent" and leg["to"] in returned:
            assert noted[leg["id"]], "a leg to who returned the case carries a note"


def nobody_holds_two_open_legs_or_its_own_case(work: Casework) -> None:
    holders = [leg.to for leg in work.state.open_legs()]
    assert len(holders) == len(set(holders))
    assert sum(leg.role == "lead" and leg.status in HELD_LEG for leg in work.state.legs) <= 1


def status_is_what_the_legs_say(work: Casework) -> None:
    state = work.state
    taken_over = state.status == "answered" and not state.legs  # by whom, the hub never knew
    if state.verified and state.status != "closed" and not taken_over:
        assert state.status == status_from_legs(state.legs)
    assert state.verified or not state.legs
    assert state.status != "closed" or not state.open_legs()


def there_is_no_dead_end(work: Casework) -> None:
    """Somebody can always go on; and what `actions` names can be done."""
    state = work.state
    held = {state.owner, *[leg.to for leg in state.open_legs()]}
    assert state.status == "closed" or any(actions(state, name, work.now) for name in held)


ALWAYS = (
    exactly_one_owner,
    it_goes_up_and_only_up,
    returns_are_bounded,
    nobody_holds_unasked_what_it_returned,
    nobody_holds_two_open_legs_or_its_own_case,
    status_is_what_the_legs_say,
    there_is_no_dead_end,
)
