"""What a connector needs to get tokens and keep them: the request's parts, when to renew. No HTTP inside."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from auth.assertions import ASSERTION_TYPE
from auth.errors import KeyRefused, TokenRefused
from auth.forms import basic_header
from auth.grants import GRANT_TYPE
from auth.public_keys import algorithms_for, load_public_key, public_pem

ASSERTION_LIFETIME_S: Final = 60
RENEW_AT: Final = 0.8

ClientKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A POST to send: to `url`, with `headers` and `body`."""

    url: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def load_private_key(pem: str) -> ClientKey:
    """An agency's own private key (PEM, not encrypted): EC P-256, Ed25519 or RSA. Else `KeyRefused`."""
    try:
        key = serialization.load_pem_private_key(pem.encode("utf-8"), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyRefused(
            "The private key cannot be read: a PEM file without a password is needed."
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey):
        raise KeyRefused("A private key of this kind cannot be used; EC P-256, Ed25519 and RSA can.")
    # The hub would refuse its public half: say so before anything is sent.
    load_public_key(public_pem(key.public_key()))
    return key


class ClientCredentials:
    """A client's credentials: either `secret` or `private_key`. `audience` is the hub's issuer or token URL
    as the hub names it, when that differs from the address through which it is reached."""

    def __init__(
        self,
        token_url: str,
        client_id: str,
        *,
        secret: str | None = None,
        private_key: str | None = None,
        scope: str | None = None,
        audience: str | None = None,
    ) -> None:
        if (secret is None) == (private_key is None):
            raise ValueError("Give either the client's secret or its private key.")
        self._url = token_url
        self._client_id = client_id
        self._secret = secret
        self._key = load_private_key(private_key) if private_key is not None else None
        self._scope = scope
        self._audience = audience or token_url

    def request(self, now: float) -> TokenRequest:
        """The request for a token. `now`: Unix seconds. With a private key each call signs anew."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        form = {"grant_type": GRANT_TYPE}
        if self._scope:
            form["scope"] = self._scope
        if self._key is not None:
            form["client_assertion_type"] = ASSERTION_TYPE
            form["client_assertion"] = self._assertion(self._key, now)
        elif self._secret is not None:
            headers["Authorization"] = basic_header(self._client_id, self._secret)
        return TokenRequest(self._url, headers, urlencode(form).encode("ascii"))

    def _assertion(self, key: ClientKey, now: float) -> str:
        claims = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": self._audience,
            "iat": int(now),
            "exp": int(now) + ASSERTION_LIFETIME_S,
            "jti": secrets.token_urlsafe(16),
        }
        return jwt.encode(claims, key, algorithm=algorithms_for(key.public_key())[0])


class TokenCache:
    """Holds the present token. Renew at 80 % of its life; until it expires the old one still serves, so
    that a hub that is away for a moment costs nothing."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._token: str | None = None
        self._renew_at = 0.0
        self._expires_at = 0.0

    def token(self) -> str | None:
        """The token, while it is valid."""
        return self._token if self._clock() < self._expires_at else None

    def due(self) -> bool:
        """Whether to ask for a new one now."""
        return self._token is None or self._clock() >= self._renew_at

    def accept(self, status: int, document: object) -> str:
        """Takes the endpoint's answer (its JSON, decoded). `TokenRefused` gives the hub's own words."""
        answer: Mapping[str, Any] = document if isinstance(document, Mapping) else {}
        if status != 200:
            raise _refusal(status, answer)
        token, life_s = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token or isinstance(life_s, bool):
            raise TokenRefused("The token endpoint's answer holds no access_token.")
        if not isinstance(life_s, int | float) or life_s <= 0:
            raise TokenRefused("The token endpoint's answer holds no expires_in, in seconds.")
        if str(answer.get("token_type")).lower() != "bearer":
            raise TokenRefused("The token endpoint's answer is no Bearer token.")
        now = self._clock()
        self._token, self._renew_at, self._expires_at = token, now + RENEW_AT * life_s, now + life_s
        return token

    def forget(self) -> None:
        """After a 401: the token is not taken any more, whatever its life."""
        self._token = None


def _refusal(status: int, answer: Mapping[str, Any]) -> TokenRefused:
    error = answer.get("error")
    if not isinstance(error, str):
        return TokenRefused(f"The token endpoint answered {status}, and no OAuth error with it.")
    return TokenRefused(f"{error}: {answer.get('error_description', 'no description')}", error)
