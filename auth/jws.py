"""Reading signed tokens with PyJWT, the one way this project does it: bounded, pinned, never echoed.

PyJWT checks form and signature; times are checked by the caller, against the injected clock. Its errors
are not chained: their contexts can hold pieces of the token.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import jwt
from jwt.types import Options

from auth.errors import AuthError
from auth.public_keys import PublicKey, algorithms_for

MAX_TOKEN_CHARS: Final = 8192

# Everything that PyJWT would check by the system's clock, or that a caller checks in better words, is off.
_OPTIONS: Final[Options] = {
    "verify_signature": True,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}
_UNVERIFIED: Final[Options] = {**_OPTIONS, "verify_signature": False}

Refusal = Callable[[str], AuthError]


def unverified_header(token: str, refuse: Refusal) -> dict[str, Any]:
    """The header of a token whose signature nobody has checked yet; only to find the key to check it with."""
    _bounded(token, refuse)
    try:
        return jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise refuse("It is not a signed JWT in compact form.") from None


def unverified_claims(token: str, refuse: Refusal) -> dict[str, Any]:
    """The claims of a token whose signature nobody has checked yet; only to find who should have signed."""
    _bounded(token, refuse)
    try:
        return dict(jwt.decode(token, options=_UNVERIFIED))
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise refuse("It is not a signed JWT in compact form.") from None


def verified_claims(token: str, key: PublicKey, refuse: Refusal, failure: str) -> dict[str, Any]:
    """The claims once the signature holds under `key`, by the algorithms of the key's own type alone."""
    _bounded(token, refuse)
    try:
        return dict(jwt.decode(token, key, algorithms=algorithms_for(key), options=_OPTIONS))
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise refuse(failure) from None


def moment(claims: dict[str, Any], name: str) -> float | None:
    """A NumericDate claim (Unix seconds), or None when it is missing or no finite number."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Compared as it is, for a huge integer cannot become a float; NaN and infinity fail it too.
    return float(value) if abs(value) < 1e12 else None


def text(claims: dict[str, Any], name: str, longest: int = 256) -> str | None:
    """A claim that must be a text of 1 to `longest` characters, or None."""
    value = claims.get(name)
    return value if isinstance(value, str) and 0 < len(value) <= longest else None


def audiences(claims: dict[str, Any]) -> frozenset[str]:
    """`aud` as a set: it may be one text or a list of texts (RFC 7519 4.1.3). Anything else is empty."""
    aud = claims.get("aud")
    if isinstance(aud, str):
        return frozenset([aud])
    if isinstance(aud, list) and all(isinstance(item, str) for item in aud):
        return frozenset(aud)
    return frozenset()


def _bounded(token: str, refuse: Refusal) -> None:
    if len(token) > MAX_TOKEN_CHARS:
        raise refuse(f"It is longer than {MAX_TOKEN_CHARS} characters.")
    if not token.isascii():
        raise refuse("It holds characters that no JWT has.")
