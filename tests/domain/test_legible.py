"""What can be seen in a text, and what cannot."""

from __future__ import annotations

import pytest

from hub.domain.legible import is_blank

NOTHING = tuple("\u3164\u2800\u00ad\u034f\u115f\u180e\U000e0020\u2061\ufe0f\u0301\u202e\u061c\u200b\u2060")


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u00a0\u3000", *NOTHING, "".join(NOTHING)])
def test_what_shows_nothing_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", ["a", " 1 ", "-", "?", "\u200bya", "é", "꧁", "ꦲ", "人", "👍", "e\u0301"])
def test_whatever_can_be_seen_is_none(text: str) -> None:
    assert not is_blank(text)
