from __future__ import annotations

from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519

from auth.client_side import ClientCredentials, ClientKey, TokenCache, TokenRequest
from auth.clients import Client, new_secret
from auth.errors import KeyRefused, OAuthError, TokenRefused
from auth.forms import parse_form
from auth.grants import grant, token_response


def _exchange(world: Any, request: TokenRequest) -> tuple[int, dict[str, Any]]:
    """What the hub's endpoint does with a request, without the HTTP between."""
    try:
        form = parse_form(request.body)
        client: Client = world.authenticate(request.headers, form)
        return 200, token_response(*world.tokens.issue(client, grant(client, form), world.keys))
    except OAuthError as error:
        return error.status, error.document()


@pytest.mark.parametrize("secret", [new_secret(), "r:a h%a+s&i=a ß"], ids=["generated", "odd characters"])
def test_a_secret_gets_a_token_that_the_hub_takes(world: Any, secret: str) -> None:
    client = world.add(secret=secret)
    credentials = ClientCredentials(world.token_url, client.id, secret=secret, scope="cases:read")
    request = credentials.request(world.now)
    assert request.url == world.token_url
    assert secret not in repr(request)
    token = TokenCache(world.clock).accept(*_exchange(world, request))
    assert world.verify(token).scopes == {"cases:read"}


def test_a_private_key_gets_a_token_each_time(world: Any, client_key: ClientKey, pkcs8: Any) -> None:
    client = world.add(key=client_key)
    credentials = ClientCredentials(world.token_url, client.id, private_key=pkcs8(client_key))
    cache = TokenCache(world.clock)
    for _ in range(2):
        token = cache.accept(*_exchange(world, credentials.request(world.now)))
        assert world.verify(token).client_id == client.id
    assert "Authorization" not in credentials.request(world.now).headers


def test_behind_another_address_the_hubs_own_name_is_the_audience(world: Any, pkcs8: Any) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    client = world.add(key=key)
    inside = "http://10.0.0.5:8080/oauth/token"
    plain = ClientCredentials(inside, client.id, private_key=pkcs8(key))
    named = ClientCredentials(inside, client.id, private_key=pkcs8(key), audience=world.issuer)
    assert _exchange(world, plain.request(world.now))[0] == 401
    assert _exchange(world, named.request(world.now))[0] == 200


def test_an_assertion_lives_a_minute(world: Any, pkcs8: Any) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    request = ClientCredentials(world.token_url, "c", private_key=pkcs8(key)).request(world.now)
    claims = jwt.decode(parse_form(request.body)["client_assertion"], options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 60


@pytest.mark.parametrize("given", [{}, {"secret": "a", "private_key": "b"}])
def test_credentials_are_of_one_kind(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="either"):
        ClientCredentials("https://hub.example/oauth/token", "c", **given)


def test_an_unusable_private_key_is_refused_before_anything_is_sent(pkcs8: Any) -> None:
    url = "https://hub.example/oauth/token"
    keys = [
        ("halo", "cannot be read"),
        (pkcs8(ec.generate_private_key(ec.SECP384R1())), "curve"),
        (pkcs8(rsa.generate_private_key(65537, 1024)), "too weak"),
        (pkcs8(x25519.X25519PrivateKey.generate()), "of this kind"),
    ]
    for text, says in keys:
        with pytest.raises(KeyRefused, match=says):
            ClientCredentials(url, "c", private_key=text)


def test_a_token_is_renewed_at_four_fifths_and_serves_until_it_expires(world: Any) -> None:
    cache = TokenCache(world.clock)
    assert cache.token() is None
    assert cache.due()
    cache.accept(200, {"access_token": "abc", "token_type": "bearer", "expires_in": 600})
    for after, due, token in ((0, False, "abc"), (479, False, "abc"), (1, True, "abc"), (119, True, "abc")):
        world.now += after
        assert (cache.due(), cache.token()) == (due, token)
    world.now += 1
    assert (cache.due(), cache.token()) == (True, None)


def test_a_refused_token_is_forgotten(world: Any) -> None:
    cache = TokenCache(world.clock)
    cache.accept(200, {"access_token": "abc", "token_type": "Bearer", "expires_in": 600})
    cache.forget()
    assert (cache.due(), cache.token()) == (True, None)


def test_a_refusal_gives_the_hubs_words_and_keeps_the_old_token(world: Any) -> None:
    cache = TokenCache(world.clock)
    cache.accept(200, {"access_token": "abc", "token_type": "Bearer", "expires_in": 600})
    answer = _exchange(world, ClientCredentials(world.token_url, "nobody", secret="x").request(world.now))
    with pytest.raises(TokenRefused, match="unknown or revoked") as caught:
        cache.accept(*answer)
    assert caught.value.error == "invalid_client"
    assert cache.token() == "abc"


@pytest.mark.parametrize(
    ("status", "document", "says"),
    [
        (503, None, "answered 503"),
        (502, "<html>", "answered 502"),
        (400, {"error": 7}, "answered 400"),
        (200, [], "no access_token"),
        (200, {"access_token": ""}, "no access_token"),
        (200, {"access_token": "abc", "token_type": "Bearer"}, "no expires_in"),
        (200, {"access_token": "abc", "token_type": "Bearer", "expires_in": "600"}, "no expires_in"),
        (200, {"access_token": "abc", "token_type": "Bearer", "expires_in": 0}, "no expires_in"),
        (
            200,
            {"access_token": "abc", "token_type": "Bearer", "expires_in": True},
            "no access_token|expires_in",
        ),
        (200, {"access_token": "abc", "token_type": "mac", "expires_in": 600}, "no Bearer token"),
    ],
)
def test_an_unreadable_answer_is_named(world: Any, status: int, document: object, says: str) -> None:
    cache = TokenCache(world.clock)
    with pytest.raises(TokenRefused, match=says):
        cache.accept(status, document)
    assert cache.due()
