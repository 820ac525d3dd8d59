from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.policy import (
    TABLE,
    Action,
    Outcome,
    Reading,
    Relation,
    decide,
    reading_of,
)
from auth.scopes import DEFAULT_SCOPES, SCOPES

COLUMNS = (
    *("source", "owner", "handler", "participant", "sender", "former", "none"),
    *("consulted", "former_owner", "overseer", "above"),
)

# Written by hand from the rules, not from the code. y: allowed, f: allowed as it stood then,
# 3: forbidden, 4: as if it did not exist.
EXPECTED = {
    "submit": ("complaints:write", "yyyyyyyyyyy"),
    "read": ("cases:read", "yyyy4f4yyy4"),
    "history": ("cases:read", "yyyy4f4yyy4"),
    "verify": ("cases:verify", "3y334343334"),
    "consult": ("cases:consult", "3y334343334"),
    "advise": ("cases:consult", "3333434y334"),
    "forward": ("cases:forward", "3yy34343y34"),
    "accept": ("cases:handle", "33y34343334"),
    "return": ("cases:handle", "33y34343334"),
    "progress": ("cases:handle", "33y34343334"),
    "answer": ("cases:handle", "33y34343334"),
    "withdraw": ("cases:forward", "3y33y343334"),
    "reconsider": ("cases:handle", "33y34343334"),
    "close": ("cases:close", "3y334343334"),
    "reopen": ("cases:reopen", "yy334343334"),
    "reply": ("complaints:write", "y3334343334"),
    "escalate": ("cases:reopen", "yy334343334"),
    "link": ("cases:forward", "3yy34343334"),
    "attach": ("attachments:write", "yyyyyyyyyyy"),
    "evidence": ("evidence:read", "yyyy4f4yyy4"),
    "identity": ("reporter:read", "yy334343334"),
    "erase": ("reporter:erase", "yy334343334"),
    "confirm_erasure": ("cases:handle", "yyyy4f4yyy4"),
    "thread": ("threads:write", "yyyyyyyyyyy"),
    "mailbox": ("mailbox:read", "yyyyyyyyyyy"),
    "stream": ("stream:read", "yyyyyyyyyyy"),
    "webhook": ("webhook:write", "yyyyyyyyyyy"),
    "deliveries": ("deliveries:write", "yyyyyyyyyyy"),
    "register": ("agencies:write", "yyyyyyyyyyy"),
    "handover": ("agencies:write", "yyyyyyyyyyy"),
}
CELLS = [
    (action, scope, relation, cell)
    for action, (scope, row) in EXPECTED.items()
    for relation, cell in zip(COLUMNS, row, strict=True)
]
OUTCOMES = {"y": Outcome.ALLOWED, "f": Outcome.ALLOWED, "3": Outcome.FORBIDDEN, "4": Outcome.NOT_FOUND}


def _are(relation: str) -> frozenset[str]:
    return frozenset() if relation == "none" else frozenset({relation})


def permitted(relations: frozenset[str], scopes: frozenset[str]) -> set[str]:
    return {action.value for action in Action if decide(action, relations, scopes).allowed}


def test_every_action_and_relation_has_its_cell() -> None:
    assert set(EXPECTED) == set(Action) == set(TABLE)
    assert set(COLUMNS) - {"none"} == set(Relation)
    assert {rule.scope for rule in TABLE.values()} <= DEFAULT_SCOPES | {"agencies:write"}


@pytest.mark.parametrize(("action", "scope", "relation", "cell"), CELLS)
def test_each_cell(action: str, scope: str, relation: str, cell: str) -> None:
    verdict = decide(action, _are(relation), frozenset({scope}))
    assert verdict.outcome is OUTCOMES[cell]
    assert verdict.allowed is (cell in "yf")
    assert verdict.missing_scope is None
    assert bool(verdict.detail) is (cell == "3")
    if cell == "f":
        assert verdict.reading is Reading.FROZEN


@pytest.mark.parametrize(("action", "scope", "relation", "cell"), CELLS)
def test_each_cell_without_its_scope(action: str, scope: str, relation: str, cell: str) -> None:
    verdict = decide(action, _are(relation), frozenset(SCOPES) - {scope})
    if cell == "4":
        assert verdict.outcome is Outcome.NOT_FOUND, "who may not see it does not learn that it is there"
        assert not verdict.detail
        assert verdict.reading is Reading.NONE
    else:
        assert verdict.outcome is Outcome.FORBIDDEN
        assert verdict.missing_scope == scope
        assert scope in verdict.detail


@pytest.mark.parametrize(
    ("relations", "reading"),
    [
        (set(), Reading.NONE),
        ({"sender"}, Reading.NONE),
        ({"former"}, Reading.FROZEN),
        ({"former", "sender"}, Reading.FROZEN),
        ({"former", "handler"}, Reading.WHOLE),
        ({"former", "source"}, Reading.WHOLE),
        ({"former", "consulted"}, Reading.WHOLE),
        ({"former_owner"}, Reading.WHOLE),
        ({"overseer"}, Reading.WHOLE),
        ({"participant"}, Reading.WHOLE),
        ({"owner"}, Reading.WHOLE),
    ],
)
def test_what_may_be_seen(relations: set[str], reading: Reading) -> None:
    assert reading_of(frozenset(relations)) is reading


relation_sets = st.frozensets(st.sampled_from([str(relation) for relation in Relation]))
scope_sets = st.frozensets(st.sampled_from(list(SCOPES)))


@given(action=st.sampled_from(Action), held=relation_sets, more=relation_sets, scopes=scope_sets)
def test_a_further_relation_never_takes_a_right_away(
    action: Action, held: frozenset[str], more: frozenset[str], scopes: frozenset[str]
) -> None:
    if decide(action, held, scopes).allowed:
        assert decide(action, held | more, scopes).allowed


@given(held=relation_sets)
def test_without_scopes_nothing_is_allowed(held: frozenset[str]) -> None:
    assert permitted(held, frozenset()) == set()


def test_several_relations_are_allowed_what_each_is_allowed() -> None:
    every = frozenset(SCOPES)
    for pair in combinations([str(relation) for relation in Relation], 2):
        apart = permitted(frozenset(pair[:1]), every) | permitted(frozenset(pair[1:]), every)
        assert permitted(frozenset(pair), every) == apart


def test_unknown_relations_give_nothing_and_unknown_actions_are_a_defect() -> None:
    assert decide("read", frozenset({"neighbour"}), frozenset(SCOPES)).outcome is Outcome.NOT_FOUND
    with pytest.raises(ValueError, match="burn"):
        decide("burn", frozenset({"owner"}), frozenset(SCOPES))


def test_what_an_owner_and_a_handler_may_do() -> None:
    owner = permitted(frozenset({"owner"}), DEFAULT_SCOPES)
    assert {"verify", "forward", "close", "reopen", "withdraw", "read"} <= owner
    assert not {"accept", "answer"} & owner
    assert permitted(frozenset({"handler"}), frozenset({"cases:handle"})) == {
        "accept",
        "return",
        "progress",
        "answer",
        "reconsider",
        "confirm_erasure",
    }
