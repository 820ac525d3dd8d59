"""A copy is what `dataclasses.replace` would give; a state that an older program wrote is read."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from hub.domain.case import CaseLink, CaseState, Leg
from hub.domain.copies import but, read
from tests.domain.waitwork import work_in

LINK = CaseLink("case-1", "related", False, "pemkab-kotim")


def test_a_copy_differs_in_what_was_named_and_the_first_one_stays() -> None:
    assert but(LINK, agency="hub", is_primary=True) == replace(LINK, agency="hub", is_primary=True)
    assert LINK.agency == "pemkab-kotim"
    assert orjson.dumps(but(LINK, case="a")) == orjson.dumps(replace(LINK, case="a")), "in the same order"


def test_what_has_no_such_member_is_refused() -> None:
    with pytest.raises(TypeError, match="owner"):
        but(LINK, owner="hub")
    with pytest.raises(TypeError, match="owner"):
        read(CaseLink, {**LINK.__dict__, "owner": "hub"})
    with pytest.raises(TypeError, match="needs the member relation"):
        read(CaseLink, {"case": "a", "is_primary": False, "agency": "hub"})


def test_a_state_is_read_as_it_was_written_and_with_less_in_it_too() -> None:
    state = work_in("answered").state
    document = orjson.loads(orjson.dumps(state))
    assert CaseState.from_document(orjson.loads(orjson.dumps(document))) == state
    for name in ("links", "rooms", "visits", "taken_over_at", "overseers", "replied"):
        del document[name]
    for leg in document["legs"]:
        del leg["attachments"]
    older = CaseState.from_document(document)
    assert older == state
    assert list(older.__dict__) == list(state.__dict__), "so that it is written as a rebuild writes it"


def test_lists_are_not_shared() -> None:
    first, second = (Leg("a", "b", "c", "lead", "sent", "", "") for _ in range(2))
    assert first.attachments is not second.attachments
