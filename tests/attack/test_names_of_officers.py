"""A name that shows nothing is no name: who wrote a message must be legible."""

from __future__ import annotations

import pytest

from hub.app_access import accounts
from hub.errors import Invalid
from tests.api.conftest import House


@pytest.mark.parametrize("name", ["\u3164", "\u2800\u2800", "\uffa0 \u1160", "\u115f", "\u0301\u0336", "-"])
def test_a_name_has_something_to_read(house: House, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        accounts(house.core).add("kab-kotim", "siti@kotim.go.id", name, "liaison")
    assert [pointer for pointer, _ in refused.value.flaws] == ["/name"]


@pytest.mark.parametrize("name", ["Siti Rahmawati", "H. 'Abdul-Qadir, S.T.", "Nyi E\u0301lok", "王伟"])
def test_names_of_all_sorts_are_taken(house: House, name: str) -> None:
    row, _ = accounts(house.core).add("kab-kotim", "siti@kotim.go.id", name, "liaison")
    assert row.name == name
