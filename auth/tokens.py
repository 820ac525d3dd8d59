"""Access tokens (RFC 9068): issued for a client, verified once, checked for revocation at every request."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import jwt

from auth import jws
from auth.clients import Client
from auth.errors import InvalidScope, InvalidToken, MissingToken
from auth.keys import MAX_TOKEN_LIFETIME_S, SigningKey, signing_key
from auth.principal import Principal
from auth.public_keys import PublicKey
from auth.scopes import SCOPES, format_scope

MIN_TOKEN_LIFETIME_S: Final = 300
TYPES: Final = frozenset({"at+jwt", "application/at+jwt"})
DEFAULT_CACHE_SIZE: Final = 10_000

Clock = Callable[[], float]
"""Unix seconds, such as `time.time`."""
IsActive = Callable[[str], Client | None]
"""client id -> the client; None when unknown, revoked or of an inactive agency. A dictionary lookup."""


class TokenIssuer:
    """Issues tokens in the name of `issuer` (the hub's public URL) for `audiences` (the same URL)."""

    def __init__(self, issuer: str, audiences: Sequence[str], lifetime_s: int, clock: Clock) -> None:
        if not MIN_TOKEN_LIFETIME_S <= lifetime_s <= MAX_TOKEN_LIFETIME_S:
            raise ValueError(
                f"A token's lifetime is {MIN_TOKEN_LIFETIME_S} to {MAX_TOKEN_LIFETIME_S} s, not {lifetime_s}."
            )
        self._issuer = issuer
        self._audiences = tuple(audiences)
        self._lifetime_s = lifetime_s
        self._clock = clock

    def issue(
        self,
        client: Client,
        scopes: frozenset[str],
        keys: Sequence[SigningKey],
        extra_audiences: Iterable[str] = (),
    ) -> tuple[str, dict[str, Any]]:
        """The token and its claims. `extra_audiences`: `simpul-kafka` for a client of a Kafka agency.

        `InvalidScope` for a scope that the client does not have, `NoSigningKey` when no key may sign.
        """
        if not scopes <= client.scopes:
            raise InvalidScope("The token would carry more than the client was registered for.")
        now = self._clock()
        key = signing_key(keys, datetime.fromtimestamp(now, UTC))
        claims = {
            "iss": self._issuer,
            "sub": client.id,
            "client_id": client.id,
            "aud": [*self._audiences, *extra_audiences],
            "iat": int(now),
            "exp": int(now) + self._lifetime_s,
            "jti": secrets.token_urlsafe(16),
            "scope": format_scope(scopes),
            "agency": client.agency,
        }
        headers = {"typ": "at+jwt", "kid": key.kid}
        return jwt.encode(claims, key.private_key, algorithm=key.algorithm, headers=headers), claims


def bearer_token(authorization: str | None) -> str:
    """The token of an `Authorization` header (RFC 6750 2.1); `MissingToken` when there is none."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise MissingToken("An access token is needed: send the header 'Authorization: Bearer TOKEN'.")
    return token.strip()


@dataclass(frozen=True, slots=True)
class _Verified:
    principal: Principal
    kid: str


class TokenVerifier:
    """Turns a bearer token into a `Principal`. One per event loop: it is not made for several threads.

    A token's signature is verified once; the last `cache_size` tokens are remembered by their SHA-256.
    Expiry, the key's being published and the client's being active are checked every time.
    """

    def __init__(
        self, issuer: str, audience: str, clock: Clock, cache_size: int = DEFAULT_CACHE_SIZE
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._cache_size = cache_size
        self._cache: OrderedDict[bytes, _Verified] = OrderedDict()

    def verify(self, token: str, keys: Mapping[str, PublicKey], is_active: IsActive) -> Principal:
        """Who presents `token`; `keys` are those published now, by kid. `InvalidToken` says what is wrong."""
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._cache.get(digest)
        if known is None:
            known = self._verified(token, keys)
            principal = self._current(known, keys, is_active)
            self._remember(digest, known)
            return principal
        self._cache.move_to_end(digest)
        return self._current(known, keys, is_active)

    def __len__(self) -> int:
        return len(self._cache)

    def _current(self, known: _Verified, keys: Mapping[str, PublicKey], is_active: IsActive) -> Principal:
        principal = known.principal
        if principal.expires_at <= self._clock():
            raise InvalidToken("The access token has expired; get a new one from the token endpoint.")
        if known.kid not in keys:
            raise InvalidToken("The key that signed the access token is withdrawn; get a new token.")
        client = is_active(principal.client_id)
        if client is None or client.revoked_at is not None or client.agency != principal.agency:
            raise InvalidToken("The client of this access token is revoked or not active.")
        if principal.scopes <= client.scopes:
            return principal
        return replace(principal, scopes=principal.scopes & client.scopes)

    def _verified(self, token: str, keys: Mapping[str, PublicKey]) -> _Verified:
        header = jws.unverified_header(token, _unreadable)
        if str(header.get("typ")).lower() not in TYPES:
            raise InvalidToken("This is no access token: its 'typ' is not at+jwt.")
        kid = header.get("kid")
        key = keys.get(kid) if isinstance(kid, str) else None
        if kid is None or key is None:
            raise InvalidToken("The access token was signed with a key that this hub does not publish.")
        claims = jws.verified_claims(token, key, InvalidToken, "The access token's signature does not hold.")
        return _Verified(self._principal(claims), kid)

    def _principal(self, claims: dict[str, Any]) -> Principal:
        if claims.get("iss") != self._issuer:
            raise InvalidToken("The access token was issued by somebody else.")
        if self._audience not in jws.audiences(claims):
            raise InvalidToken("The access token is for another audience.")
        client_id, agency, token_id = (jws.text(claims, name) for name in ("client_id", "agency", "jti"))
        expires_at = jws.moment(claims, "exp")
        if client_id is None or agency is None or token_id is None or expires_at is None:
            raise InvalidToken("The access token lacks a claim: client_id, agency, jti and exp are needed.")
        if claims.get("sub") != client_id:
            raise InvalidToken("The access token's subject is not its client.")
        return Principal(client_id, agency, _scopes(claims), token_id, expires_at)

    def _remember(self, digest: bytes, known: _Verified) -> None:
        self._cache[digest] = known
        if len(self._cache) > self._cache_size:
            self._cache.popitem(last=False)


def _scopes(claims: dict[str, Any]) -> frozenset[str]:
    scope = claims.get("scope")
    # A token of an older hub may carry a scope that is gone since; it simply allows nothing.
    return frozenset(scope.split(" ")) & SCOPES.keys() if isinstance(scope, str) else frozenset()


def _unreadable(reason: str) -> InvalidToken:
    return InvalidToken(f"The access token cannot be read. {reason}")
