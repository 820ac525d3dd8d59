from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auth.clients import Client
from auth.errors import NoSigningKey
from auth.keys import (
    MAX_TOKEN_LIFETIME_S,
    PublishedKeys,
    SigningKey,
    generate_signing_key,
    jwks,
    rotate,
    signing_key,
)
from auth.public_keys import PublicKey, load_public_key, thumbprint
from auth.scopes import DEFAULT_SCOPES
from auth.tokens import TokenIssuer, TokenVerifier

T0 = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
URL = "https://simpul.example.go.id"


def _kids(keys: list[SigningKey], now: datetime) -> list[str]:
    return [jwk["kid"] for jwk in jwks(keys, now)["keys"]]


@pytest.mark.parametrize(("algorithm", "kty"), [("ES256", "EC"), ("EdDSA", "OKP")])
def test_a_key_is_published_without_its_private_half(algorithm: str, kty: str) -> None:
    key = generate_signing_key(T0, algorithm)  # type: ignore[arg-type]
    jwk = jwks([key], T0)["keys"][0]
    assert (jwk["kty"], jwk["alg"], jwk["use"]) == (kty, algorithm, "sig")
    assert "d" not in jwk
    assert thumbprint(load_public_key(json.dumps(jwk))) == jwk["kid"] == key.kid
    assert "PRIVATE" not in repr(key)


def test_es256_is_the_default_and_others_are_refused() -> None:
    assert generate_signing_key(T0).algorithm == "ES256"
    with pytest.raises(ValueError, match="no signing algorithm"):
        generate_signing_key(T0, "HS256")  # type: ignore[arg-type]


def test_no_kid_begins_like_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    thumbprints = iter(["-begins-badly", "fine"])
    monkeypatch.setattr("auth.keys.thumbprint", lambda key: next(thumbprints))
    assert generate_signing_key(T0).kid == "fine"


def test_the_first_key_signs_at_once() -> None:
    keys = rotate([], T0)
    assert signing_key(keys, T0) is keys[0]
    assert _kids(keys, T0) == [keys[0].kid]


def test_without_a_key_the_remedy_is_named() -> None:
    with pytest.raises(NoSigningKey, match="simpul key rotate"):
        signing_key([], T0)


def test_the_timeline_of_a_rotation() -> None:
    first = rotate([], T0)
    at = T0 + timedelta(days=30)
    keys = rotate(first, at, overlap_s=1800, publish_ahead_s=3600)
    old, new = keys
    assert _kids(keys, at) == [old.kid, new.kid], "published before it is used"
    assert signing_key(keys, at) is old
    switch = at + timedelta(seconds=3600)
    assert signing_key(keys, switch - timedelta(seconds=1)) is old
    assert signing_key(keys, switch) is new
    retired = switch + timedelta(seconds=1800)
    assert _kids(keys, retired - timedelta(seconds=1)) == [old.kid, new.kid], "published after it last signed"
    assert _kids(keys, retired) == [new.kid]


def test_a_further_rotation_leaves_retired_keys_out_and_promises_as_they_were() -> None:
    keys = rotate(rotate([], T0), T0 + timedelta(hours=1), overlap_s=1800, publish_ahead_s=60)
    old, middle = keys
    again = rotate(keys, T0 + timedelta(hours=1, seconds=30), overlap_s=7200, publish_ahead_s=60)
    assert [key.kid for key in again[:2]] == [old.kid, middle.kid]
    assert again[0].retires_at == old.retires_at
    later = rotate(again, T0 + timedelta(days=9), overlap_s=1800, publish_ahead_s=60)
    assert [key.kid for key in later[:-1]] == [again[-1].kid]


def test_an_overlap_shorter_than_a_token_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 900 s"):
        rotate([], T0, overlap_s=MAX_TOKEN_LIFETIME_S - 1)


def test_published_keys_change_only_when_a_key_retires() -> None:
    keys = rotate(rotate([], T0), T0 + timedelta(hours=1), overlap_s=900, publish_ahead_s=600)
    published = PublishedKeys(keys)
    before = published.at(T0.timestamp())
    assert set(before) == {key.kid for key in keys}
    assert published.at(T0.timestamp() + 3600 + 1499) is before
    assert set(published.at(T0.timestamp() + 3600 + 1500)) == {keys[1].kid}
    assert set(published.at(T0.timestamp())) == {key.kid for key in keys}, "a clock set back is believed"


rotations = st.lists(
    st.tuples(
        st.integers(1, 10_000),
        st.integers(MAX_TOKEN_LIFETIME_S, 8_000),
        st.integers(0, 8_000),
        st.sampled_from(["ES256", "EdDSA"]),
    ),
    max_size=4,
)


@settings(max_examples=25, deadline=None)
@given(
    plan=rotations,
    lifetime_s=st.integers(300, 900),
    ages=st.lists(st.floats(0, 0.999), min_size=1, max_size=3),
)
def test_every_token_verifies_until_it_expires_with_the_keys_then_published(
    plan: list[tuple[int, int, int, str]], lifetime_s: int, ages: list[float]
) -> None:
    clock = _Clock(T0.timestamp())
    issuer = TokenIssuer(URL, [URL], lifetime_s, clock)
    history = [(clock.now, rotate([], T0))]
    for wait_s, overlap_s, ahead_s, algorithm in plan:
        at = history[-1][0] + wait_s
        now = datetime.fromtimestamp(at, UTC)
        history.append((at, rotate(history[-1][1], now, overlap_s, ahead_s, algorithm)))  # type: ignore[arg-type]
    for issued_at in _interesting(history):
        clock.now = issued_at
        token, claims = issuer.issue(CLIENT, DEFAULT_SCOPES, _keys_at(history, issued_at))
        life = claims["exp"] - issued_at
        for age in ages:
            clock.now = issued_at + age * life
            published = _as_outsiders_read(_keys_at(history, clock.now), clock.now)
            verifier = TokenVerifier(URL, URL, clock)
            assert verifier.verify(token, published, lambda _: CLIENT).token_id == claims["jti"]


CLIENT = Client("client_kotim", "kab-kotawaringin-timur", DEFAULT_SCOPES, b"", None, T0)


class _Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def _keys_at(history: list[tuple[float, list[SigningKey]]], now: float) -> list[SigningKey]:
    return next(keys for at, keys in reversed(history) if at <= now)


def _interesting(history: list[tuple[float, list[SigningKey]]]) -> list[float]:
    moments = {at for at, _ in history}
    for _, keys in history:
        for key in keys:
            ends = [key.signs_from, *([key.retires_at] if key.retires_at else [])]
            moments |= {end.timestamp() + slip for end in ends for slip in (-901, -900, -0.5, 0, 0.5)}
    ordered = sorted(moment for moment in moments if moment >= T0.timestamp())
    return ordered + [(a + b) / 2 for a, b in pairwise(ordered)]


def _as_outsiders_read(keys: list[SigningKey], now: float) -> Mapping[str, PublicKey]:
    published = jwt.PyJWKSet.from_dict(jwks(keys, datetime.fromtimestamp(now, UTC)))
    return {str(jwk.key_id): jwk.key for jwk in published.keys}
