"""`private_key_jwt` (RFC 7523): what an assertion must say, and that it is used once."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from auth import jws
from auth.directory import ReplayGuard
from auth.errors import InvalidClient
from auth.public_keys import PublicKey

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_ASSERTION_LIFETIME_S: Final = 300
CLOCK_SKEW_S: Final = 30
MAX_JTI_CHARS: Final = 128
NOT_AUTHENTICATED: Final = "The client is unknown or revoked, or its credentials are wrong."
"""One sentence for every failure before the proof, so that it does not tell which client exists."""
_CLOCK: Final = "Compare this machine's clock with the hub's (NTP)."


def claimed_client(assertion: str) -> str:
    """Who the assertion says it is from, not yet proven; `InvalidClient` unless iss and sub agree."""
    claims = jws.unverified_claims(assertion, _unreadable)
    subject = jws.text(claims, "sub")
    if subject is None or claims.get("iss") != subject:
        raise InvalidClient("The assertion's 'iss' and 'sub' must both be the client_id.")
    return subject


def check_assertion(
    assertion: str, key: PublicKey, client_id: str, audiences: Collection[str], now: float
) -> tuple[str, float]:
    """`jti` and `exp` of an assertion that holds; `InvalidClient` says what is wrong with it.

    Every audience must be one of `audiences`: what is also meant for another server, that server could
    replay here. The words grow precise only once the signature is proven.
    """
    claims = jws.verified_claims(assertion, key, InvalidClient, NOT_AUTHENTICATED)
    if claims.get("iss") != client_id or claims.get("sub") != client_id:
        raise InvalidClient("The assertion's 'iss' and 'sub' must both be the client_id.")
    meant_for = jws.audiences(claims)
    if not meant_for or not meant_for <= frozenset(audiences):
        raise InvalidClient(f"The assertion's 'aud' must be one of: {', '.join(sorted(audiences))}.")
    jti = jws.text(claims, "jti", MAX_JTI_CHARS)
    if jti is None:
        raise InvalidClient(f"The assertion needs a 'jti', a text of 1 to {MAX_JTI_CHARS} characters.")
    return jti, _checked_times(claims, now)


def use_once(replay: ReplayGuard, client_id: str, jti: str, expires_at: float) -> None:
    """`InvalidClient` when this client's assertion was used before."""
    # The clock may be set back a little: remembered for longer than it can be used.
    if not replay.remember(client_id, jti, expires_at + CLOCK_SKEW_S):
        raise InvalidClient("This assertion was used before; sign a new one, with a new 'jti', each time.")


def _checked_times(claims: dict[str, Any], now: float) -> float:
    expires_at = jws.moment(claims, "exp")
    if expires_at is None:
        raise InvalidClient("The assertion needs an 'exp', in seconds since 1970.")
    if expires_at <= now:
        raise InvalidClient(f"The assertion expired {now - expires_at:.0f} s ago. {_CLOCK}")
    if expires_at > now + MAX_ASSERTION_LIFETIME_S + CLOCK_SKEW_S:
        raise InvalidClient(
            f"The assertion's 'exp' is {expires_at - now:.0f} s ahead; "
            f"at most {MAX_ASSERTION_LIFETIME_S} s is taken. {_CLOCK}"
        )
    _check_not_before(claims, now)
    return expires_at


def _check_not_before(claims: dict[str, Any], now: float) -> None:
    for name in ("iat", "nbf"):
        if name not in claims:
            continue
        since = jws.moment(claims, name)
        if since is None:
            raise InvalidClient(f"The assertion's '{name}' is not a time in seconds since 1970.")
        if since > now + CLOCK_SKEW_S:
            raise InvalidClient(f"The assertion's '{name}' is {since - now:.0f} s in the future. {_CLOCK}")
    issued_at = jws.moment(claims, "iat")
    if issued_at is not None and issued_at < now - MAX_ASSERTION_LIFETIME_S - CLOCK_SKEW_S:
        raise InvalidClient(f"The assertion was signed {now - issued_at:.0f} s ago; sign a new one. {_CLOCK}")


def _unreadable(reason: str) -> InvalidClient:
    return InvalidClient(f"The client assertion cannot be read. {reason}")
