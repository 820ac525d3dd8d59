from __future__ import annotations

import pytest

from auth.errors import InvalidScope
from auth.scopes import DEFAULT_SCOPES, SCOPES, format_scope, parse_scope


def test_there_are_exactly_the_published_scopes() -> None:
    assert set(SCOPES) == {
        "complaints:write",
        "cases:read",
        "cases:verify",
        "cases:consult",
        "cases:forward",
        "cases:handle",
        "cases:close",
        "cases:reopen",
        "threads:write",
        "attachments:write",
        "mailbox:read",
        "stream:read",
        "webhook:write",
        "deliveries:write",
        "evidence:read",
        "reporter:read",
        "reporter:erase",
        "agencies:write",
        "oversight:read",
    }
    assert all(sentence.endswith(".") for sentence in SCOPES.values())


def test_registry_and_oversight_are_never_given_by_default() -> None:
    assert set(SCOPES) - DEFAULT_SCOPES == {"agencies:write", "oversight:read"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", set()),
        ("cases:read", {"cases:read"}),
        ("cases:read  mailbox:read cases:read", {"cases:read", "mailbox:read"}),
        (" cases:read ", {"cases:read"}),
    ],
)
def test_a_scope_text_is_a_set(text: str, expected: set[str]) -> None:
    assert parse_scope(text) == expected


@pytest.mark.parametrize("text", ["cases:delete", "Cases:Read", "cases:read,mailbox:read", "a\tb", "*"])
def test_an_unknown_scope_is_named(text: str) -> None:
    with pytest.raises(InvalidScope, match="There is no scope '") as caught:
        parse_scope(text)
    assert "mailbox:read" in caught.value.description
    assert caught.value.code == "invalid_scope"


def test_a_hostile_scope_cannot_break_out_of_the_answer() -> None:
    with pytest.raises(InvalidScope) as caught:
        parse_scope('x"\r\nSet-Cookie:ö\\')
    assert not set('"\r\n\\ö') & set(caught.value.description)


def test_formatting_and_parsing_are_inverse() -> None:
    assert parse_scope(format_scope(DEFAULT_SCOPES)) == DEFAULT_SCOPES
