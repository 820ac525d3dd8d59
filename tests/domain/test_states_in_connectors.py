"""The domain imports no schema, and connectors import no domain: the states that both know are the same."""

from __future__ import annotations

from uuid import uuid4

import pytest

from connectors import replies
from hub.domain import transitions
from hub.domain.threads.thread import AGENCIES, INTERNAL, REPORTER
from schemas import case_states


def test_the_domain_and_the_connectors_know_the_same_states() -> None:
    assert set(case_states.CASE_STATUSES) == transitions.CASE.keys()
    assert set(case_states.OPEN_LEG) == transitions.OPEN_LEG
    assert set(case_states.HELD_LEG) == transitions.HELD_LEG


def test_a_leg_is_open_while_its_agency_may_do_something_and_held_until_it_is_given_up() -> None:
    may_act = {status for status, moves in transitions.LEG.items() if moves}
    given_up = {"returned", "withdrawn"}
    assert set(case_states.OPEN_LEG) == may_act
    assert set(case_states.HELD_LEG) == transitions.LEG.keys() - given_up


def test_the_domain_and_the_connectors_know_the_same_verdicts_and_scopes() -> None:
    assert replies.VERDICTS == transitions.VERDICTS
    assert set(replies.SCOPES) == {INTERNAL, AGENCIES, REPORTER}


def test_the_connectors_name_every_reason_for_a_return() -> None:
    with pytest.raises(replies.ReplyRefused) as refused:
        replies.read_reply({"id": "1", "forwarding_id": str(uuid4()), "action": "return"}, "")
    said = str(refused.value).partition(":")[2].replace(",", " ").split()
    assert [word for word in said if word in transitions.RETURN_REASONS] == list(transitions.RETURN_REASONS)
