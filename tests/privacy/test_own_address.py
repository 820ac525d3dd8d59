"""The reporter's own e-mail address goes whole, also where it begins like their name."""

from __future__ import annotations

import pytest

from hub.domain.privacy import mask, own_values

PERSON = {"name": "Yohanes Buntaran Kiwok", "email": "y.kiwok@pos.example"}


@pytest.mark.parametrize("hidden", [True, False])
@pytest.mark.parametrize(
    "text", ["Surel y.kiwok@pos.example, ya", "Y.KIWOK@pos.example", "(y.kiwok@pos.example)"]
)
def test_no_part_of_the_address_is_left(text: str, hidden: bool) -> None:
    masked = mask(text, own_values(PERSON, hidden=hidden))
    assert "pos.example" not in masked.text
    assert [finding.kind for finding in masked.found] == ["reporter"]
