from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote_plus

import pytest
from multidict import CIMultiDict

from auth.clients import new_secret
from auth.errors import (
    InvalidClient,
    InvalidGrant,
    InvalidRequest,
    InvalidScope,
    OAuthError,
    TemporarilyUnavailable,
    UnsupportedGrantType,
)
from auth.forms import basic_header, parse_basic, parse_form
from auth.grants import grant, token_response
from auth.metadata import server_metadata
from auth.scopes import DEFAULT_SCOPES, SCOPES

GRANT = {"grant_type": "client_credentials"}
SECRET = new_secret()


def _basic(client_id: str, secret: str = SECRET) -> dict[str, str]:
    return {"Authorization": basic_header(client_id, secret)}


def _raw_basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_basic_and_post_both_authenticate(world: Any) -> None:
    client = world.add(secret=SECRET)
    form = {**GRANT, "client_id": client.id, "client_secret": SECRET}
    assert world.authenticate(_basic(client.id), GRANT) is client
    assert world.authenticate({}, form) is client
    assert world.authenticate(_basic(client.id), {**GRANT, "client_id": client.id}) is client


def test_the_header_is_found_whatever_its_case(world: Any) -> None:
    client = world.add(secret=SECRET)
    for name in ("authorization", "AUTHORIZATION"):
        assert world.authenticate({name: _basic(client.id)["Authorization"]}, GRANT) is client
    headers = CIMultiDict({"authorization": _basic(client.id)["Authorization"].replace("Basic", "bAsIc")})
    assert world.authenticate(headers, GRANT) is client


@pytest.mark.parametrize("secret", ["r:a h%a+s&i=a", "kata sandi", "p@ß/wörd", "100%", "::"])
def test_special_characters_survive_basic(world: Any, secret: str) -> None:
    client = world.add("dinas kesehatan:1", secret=secret)
    assert world.authenticate(_basic(client.id, secret), GRANT) is client
    assert parse_basic(_raw_basic(f"{quote_plus(client.id)}:{quote_plus(secret)}")) == (client.id, secret)


def test_our_own_secrets_need_no_encoding(world: Any) -> None:
    client = world.add(secret=SECRET)
    assert world.authenticate({"Authorization": _raw_basic(f"{client.id}:{SECRET}")}, GRANT) is client


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("Bearer abc", "takes the scheme Basic"),
        ("", "takes the scheme Basic"),
        ("Basic", "not base64|must hold"),
        ("Basic ###", "not base64"),
        ("Basic é", "not base64"),
        ("Basic " + base64.b64encode(b"\xff:\xff").decode(), "not base64"),
        (_raw_basic("%ff:rahasia"), "not base64"),
        (_raw_basic("tanpa-titik-dua"), "must hold"),
        (_raw_basic(":rahasia"), "must hold"),
        (_raw_basic("client_kotim:"), "must hold"),
    ],
)
def test_a_damaged_basic_header_is_refused(world: Any, header: str, says: str) -> None:
    world.add(secret=SECRET)
    with pytest.raises(InvalidClient, match=says) as caught:
        world.authenticate({"Authorization": header}, GRANT)
    assert caught.value.status == 401
    assert str(caught.value.challenge()).startswith("Basic ")


def test_no_method_and_half_a_method_are_refused(world: Any) -> None:
    client = world.add(secret=SECRET)
    for form in (
        GRANT,
        {**GRANT, "client_id": client.id},
        {**GRANT, "client_id": client.id, "client_secret": ""},
    ):
        with pytest.raises(InvalidClient, match="did not authenticate"):
            world.authenticate({}, form)
    with pytest.raises(InvalidClient, match="without its client_id"):
        world.authenticate({}, {**GRANT, "client_secret": SECRET})


def test_two_methods_at_once_are_refused(world: Any) -> None:
    client = world.add(secret=SECRET)
    post = {"client_id": client.id, "client_secret": SECRET}
    for headers, form in (
        (_basic(client.id), post),
        (_basic(client.id), {"client_assertion": "a.b.c"}),
        ({}, {**post, "client_assertion": "a.b.c"}),
    ):
        with pytest.raises(InvalidRequest, match="two ways"):
            world.authenticate(headers, {**GRANT, **form})
    twice = CIMultiDict([("Authorization", "Basic a"), ("authorization", "Basic b")])
    with pytest.raises(InvalidRequest, match="several Authorization"):
        world.authenticate(twice, GRANT)


def test_another_client_id_in_the_form_is_refused(world: Any) -> None:
    client = world.add(secret=SECRET)
    with pytest.raises(InvalidRequest, match="another than the one"):
        world.authenticate(_basic(client.id), {**GRANT, "client_id": "client_other"})


def test_unknown_revoked_keyed_and_wrong_secret_take_one_path_with_one_answer(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add("right", secret=SECRET)
    world.add("revoked", secret=SECRET)
    world.revoke("revoked")
    world.add("keyed")
    compared: list[int] = []
    real = __import__("auth.grants", fromlist=["x"]).secret_matches

    def spy(secret: str, expected: bytes, pepper: bytes) -> bool:
        compared.append(len(expected))
        return bool(real(secret, expected, pepper))

    monkeypatch.setattr("auth.grants.secret_matches", spy)
    answers = []
    for client_id, secret in (
        ("right", new_secret()),
        ("revoked", SECRET),
        ("keyed", SECRET),
        ("nobody", SECRET),
    ):
        world.asked.clear()
        with pytest.raises(InvalidClient) as caught:
            world.authenticate(_basic(client_id, secret), GRANT)
        answers.append(caught.value.document())
        assert world.asked == [client_id]
        assert secret not in str(caught.value)
    assert compared == [32] * 4, "each compares one hash of the same length"
    assert answers == [answers[0]] * 4


def test_without_scope_the_client_gets_all_of_its_own(world: Any) -> None:
    client = world.add(scopes=frozenset({"cases:read", "mailbox:read"}))
    assert grant(client, GRANT) == client.scopes
    assert grant(client, {**GRANT, "scope": ""}) == client.scopes
    assert grant(client, {**GRANT, "scope": "mailbox:read"}) == {"mailbox:read"}


def test_more_than_the_client_has_is_refused_and_named(world: Any) -> None:
    client = world.add(scopes=DEFAULT_SCOPES)
    with pytest.raises(InvalidScope, match="not registered for: agencies:write"):
        grant(client, {**GRANT, "scope": "cases:read agencies:write"})
    with pytest.raises(InvalidScope, match="no scope 'cases:eat'"):
        grant(client, {**GRANT, "scope": "cases:eat"})


@pytest.mark.parametrize(
    ("form", "error", "code"),
    [
        ({}, InvalidRequest, "invalid_request"),
        ({"grant_type": ""}, InvalidRequest, "invalid_request"),
        ({"grant_type": "password"}, UnsupportedGrantType, "unsupported_grant_type"),
        ({"grant_type": "Client_Credentials"}, UnsupportedGrantType, "unsupported_grant_type"),
    ],
)
def test_another_grant_type_is_refused(
    world: Any, form: dict[str, str], error: type[OAuthError], code: str
) -> None:
    with pytest.raises(error) as caught:
        grant(world.add(), form)
    assert caught.value.document()["error"] == code
    assert caught.value.challenge() is None


def test_every_code_is_one_of_rfc_6749() -> None:
    codes = {
        error.code: error.status for error in (InvalidRequest, InvalidClient, InvalidGrant, InvalidScope)
    }
    assert codes == {
        "invalid_request": 400,
        "invalid_client": 401,
        "invalid_grant": 400,
        "invalid_scope": 400,
    }
    assert TemporarilyUnavailable("Sebentar.").document()["error"] == "temporarily_unavailable"


def test_the_answer_is_the_one_of_rfc_6749(world: Any) -> None:
    token, claims = world.tokens.issue(world.add(), frozenset({"cases:read"}), world.keys)
    assert token_response(token, claims) == {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": 600,
        "scope": "cases:read",
    }


def test_a_form_is_parsed_strictly() -> None:
    assert parse_form(b"grant_type=client_credentials&scope=cases%3Aread+mailbox%3Aread&x=") == {
        "grant_type": "client_credentials",
        "scope": "cases:read mailbox:read",
    }
    assert parse_form(b"") == {}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"scope=a&scope=b", "twice"),
        (b"scope=a&scope=a", "twice"),
        (b"\xff\xfe", "no form"),
        (b"scope=%ff", "no form"),
        (b"&".join(b"a%d=1" % n for n in range(33)), "no form"),
        (b"a=" + b"x" * 32_768, "longer"),
    ],
)
def test_a_damaged_form_is_refused(body: bytes, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        parse_form(body)


def test_the_metadata_names_what_there_is(world: Any) -> None:
    metadata = server_metadata(world.issuer)
    assert metadata["issuer"] == world.issuer
    assert metadata["token_endpoint"] == world.token_url
    assert metadata["jwks_uri"].startswith(world.issuer)
    assert metadata["scopes_supported"] == list(SCOPES)
    assert "private_key_jwt" in metadata["token_endpoint_auth_methods_supported"]
    assert "none" not in metadata["token_endpoint_auth_signing_alg_values_supported"]
