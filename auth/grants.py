"""The token endpoint's logic (RFC 6749 4.4): who is this client, and what does it get. No web framework."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from auth.assertions import ASSERTION_TYPE, NOT_AUTHENTICATED, check_assertion, claimed_client, use_once
from auth.clients import Client, secret_matches
from auth.directory import ClientDirectory, ReplayGuard
from auth.errors import InvalidClient, InvalidRequest, InvalidScope, UnsupportedGrantType
from auth.forms import authorization_of, parse_basic
from auth.public_keys import PublicKey, load_public_key
from auth.scopes import parse_scope

GRANT_TYPE: Final = "client_credentials"
AUTH_METHODS: Final = ("client_secret_basic", "client_secret_post", "private_key_jwt")
_NOBODY: Final = bytes(32)
"""Compared with when there is no client: no secret hashes to it."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A client that proved itself. By an assertion it has done so only once that is used up: it must not have
    been used before."""

    client: Client
    jti: str | None = None
    expires_at: float = 0.0

    @property
    def by_assertion(self) -> bool:
        return self.jti is not None

    def use_up(self, replay: ReplayGuard) -> None:
        """Needs nothing but the guard, so it may run where the guard may write; `InvalidClient` when the
        assertion was used before."""
        if self.jti is not None:
            use_once(replay, self.client.id, self.jti, self.expires_at)


def prove_client(
    headers: Mapping[str, str],
    form: Mapping[str, str],
    *,
    directory: ClientDirectory,
    pepper: bytes,
    audiences: Collection[str],
    now: float,
) -> Proof:
    """The client that proved itself by exactly one of `AUTH_METHODS`; `InvalidClient` or `InvalidRequest`.
    Grant nothing before `Proof.use_up`.

    `audiences`: the token endpoint's URL and the issuer; `now`: Unix seconds. An unknown or revoked
    client and a wrong secret take the same path and get the same words.
    """
    authorization = authorization_of(headers)
    secret, assertion = form.get("client_secret"), form.get("client_assertion")
    _one_method(authorization, secret, assertion)
    if assertion:
        _assertion_form(form)
        proof = _by_assertion(assertion, claimed_client(assertion), directory, audiences, now)
    elif authorization is not None:
        proof = Proof(_by_secret(*parse_basic(authorization), directory, pepper))
    elif form.get("client_id"):
        proof = Proof(_by_secret(form["client_id"], secret or "", directory, pepper))
    else:
        raise InvalidClient("A client_secret came without its client_id.")
    if form.get("client_id") not in (None, "", proof.client.id):
        raise InvalidRequest("The form's client_id is another than the one that authenticated.")
    return proof


def unchanged(proven: Client, directory: ClientDirectory) -> Client:
    """The client that proved itself a moment ago, if nothing about it changed since; `InvalidClient` when it
    was revoked meanwhile."""
    if directory.get(proven.id) != proven:
        raise InvalidClient(NOT_AUTHENTICATED)
    return proven


def grant(client: Client, form: Mapping[str, str]) -> frozenset[str]:
    """The scopes that the client gets: those it asked for, or without `scope` all of its own."""
    grant_type = form.get("grant_type")
    if not grant_type:
        raise InvalidRequest(f"The parameter grant_type is missing; send grant_type={GRANT_TYPE}.")
    if grant_type != GRANT_TYPE:
        raise UnsupportedGrantType(f"The only grant_type here is {GRANT_TYPE}.")
    asked = parse_scope(form.get("scope") or "")
    beyond = sorted(asked - client.scopes)
    if beyond:
        raise InvalidScope(f"The client was not registered for: {', '.join(beyond)}.")
    return asked or client.scopes


def token_response(token: str, claims: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON body of a successful answer (RFC 6749 5.1); send it with `Cache-Control: no-store`."""
    return {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": claims["exp"] - claims["iat"],
        "scope": claims["scope"],
    }


def _one_method(authorization: str | None, secret: str | None, assertion: str | None) -> None:
    used = sum((authorization is not None, bool(secret), bool(assertion)))
    if used > 1:
        raise InvalidRequest("The client authenticated in two ways at once; use one (RFC 6749 2.3).")
    if used == 0:
        raise InvalidClient(f"The client did not authenticate; use one of: {', '.join(AUTH_METHODS)}.")


def _assertion_form(form: Mapping[str, str]) -> None:
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise InvalidRequest(f"With client_assertion send client_assertion_type={ASSERTION_TYPE}.")


def _by_secret(client_id: str, secret: str, directory: ClientDirectory, pepper: bytes) -> Client:
    client = directory.get(client_id)
    usable = client is not None and client.revoked_at is None and client.secret_hash is not None
    expected = client.secret_hash if client is not None else None
    matches = secret_matches(secret, expected or _NOBODY, pepper)
    if client is None or not usable or not matches:
        raise InvalidClient(NOT_AUTHENTICATED)
    return client


def _by_assertion(
    assertion: str,
    client_id: str,
    directory: ClientDirectory,
    audiences: Collection[str],
    now: float,
) -> Proof:
    client = directory.get(client_id)
    key = _nobodys_key()
    if client is not None and client.public_key is not None:
        key = load_public_key(client.public_key)
    jti, expires_at = check_assertion(assertion, key, client_id, audiences, now)
    if client is None or client.public_key is None or client.revoked_at is not None:
        raise InvalidClient(NOT_AUTHENTICATED)
    return Proof(client, jti, expires_at)


@cache
def _nobodys_key() -> PublicKey:
    # A key whose private half was never kept: an unknown client's assertion is checked all the same.
    return ec.generate_private_key(ec.SECP256R1()).public_key()
