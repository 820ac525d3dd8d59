"""The wall clock stands behind the moment at which the keys were made: it was ahead then, or has jumped back.
They are still the only ones there are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from auth.clients import Client
from auth.errors import NoSigningKey
from auth.keys import (
    MAX_TOKEN_LIFETIME_S,
    PublishedKeys,
    can_sign,
    generate_signing_key,
    jwks,
    rotate,
    signing_key,
)
from auth.scopes import DEFAULT_SCOPES
from auth.tokens import TokenIssuer, TokenVerifier

T0 = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
URL = "https://simpul.example.go.id"
CLIENT = Client("client_kotim", "kab-kotawaringin-timur", DEFAULT_SCOPES, b"", None, T0)
BACK = [timedelta(seconds=1), timedelta(hours=1), timedelta(days=40)]


@pytest.mark.parametrize("back", BACK)
def test_the_only_key_signs_and_is_published(back: timedelta) -> None:
    keys, now = rotate([], T0), T0 - back
    assert signing_key(keys, now) is keys[0]
    assert can_sign(keys, now)
    assert [each["kid"] for each in jwks(keys, now)["keys"]] == [keys[0].kid]


@pytest.mark.parametrize("back", BACK)
def test_a_token_that_is_made_then_is_believed(back: timedelta) -> None:
    keys, now = rotate([], T0), (T0 - back).timestamp()
    token, claims = TokenIssuer(URL, [URL], 600, lambda: now).issue(CLIENT, DEFAULT_SCOPES, keys)
    verifier = TokenVerifier(URL, URL, lambda: now + 599)
    found = verifier.verify(token, PublishedKeys(keys).at(now + 599), lambda _: CLIENT)
    assert found.token_id == claims["jti"]


def test_of_several_the_one_that_begins_earliest_signs_until_one_has_begun() -> None:
    keys = rotate(rotate([], T0), T0 + timedelta(days=1))
    old, new = keys
    assert signing_key(keys, T0 - timedelta(days=9)) is old, "it was published longest"
    assert signing_key([new, old], T0 - timedelta(days=9)) is old
    assert signing_key(keys, T0) is old
    assert signing_key(keys, T0 + timedelta(days=1, hours=1)) is new


def test_a_key_that_has_begun_comes_before_one_that_has_not() -> None:
    keys = rotate(rotate([], T0), T0 + timedelta(days=1), publish_ahead_s=3600)
    assert signing_key(keys, T0 + timedelta(days=1)) is keys[0]


def test_none_signs_that_retires_before_its_token_does() -> None:
    (key,) = rotate([], T0)
    soon = T0 - timedelta(days=1)
    retiring = type(key)(**{**vars(key), "retires_at": soon + timedelta(seconds=MAX_TOKEN_LIFETIME_S - 1)})
    with pytest.raises(NoSigningKey):
        signing_key([retiring], soon)
    assert not can_sign([retiring], soon)


def test_a_key_that_just_was_published_signs_where_there_is_no_other() -> None:
    key = generate_signing_key(T0, publish_ahead_s=60)
    assert signing_key([key], T0) is key
