"""Every error of this room, as one tree; the web layer maps `status`, `code` and `description` one to one.

AuthError
├── OAuthError                    answers of the token endpoint (RFC 6749 5.2)
│   ├── InvalidRequest 400 · InvalidGrant 400 · UnsupportedGrantType 400 · InvalidScope 400
│   ├── InvalidClient 401
│   └── TemporarilyUnavailable 503
├── InvalidToken 401              a bearer token that is not taken (RFC 6750 3.1)
│   ├── MissingToken 401          there is none
│   └── SessionRefused 401        an officer's session is over, or signing in failed
├── KeyRefused                    a public key that cannot be registered, and why
├── NoSigningKey                  the hub has no key to sign with
└── TokenRefused                  client side: the token endpoint said no, or something unreadable
"""

from __future__ import annotations

import re
from typing import ClassVar, Final

_FORBIDDEN: Final = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")


class AuthError(Exception):
    """Root of this room's errors. `description` is for the caller and never holds a token or secret."""

    code: ClassVar[str] = "server_error"
    status: ClassVar[int] = 500

    def __init__(self, description: str) -> None:
        # RFC 6749 5.2 and RFC 6750 3 allow printable ASCII without quote and backslash, and part of a
        # description may come from the caller: nothing else reaches a header or a log line.
        self.description = _FORBIDDEN.sub("?", description)
        super().__init__(self.description)


class OAuthError(AuthError):
    """An answer of the token endpoint; `document()` is its JSON body."""

    status = 400

    def document(self) -> dict[str, str]:
        return {"error": self.code, "error_description": self.description}

    def challenge(self) -> str | None:
        """The `WWW-Authenticate` header that must go with the answer, or None."""
        return None


class InvalidRequest(OAuthError):
    """A parameter is missing, malformed or there twice, or two ways of authenticating were used at once."""

    code = "invalid_request"


class InvalidClient(OAuthError):
    """The client is unknown, revoked, or did not prove that it is the one it says."""

    code, status = "invalid_client", 401

    def challenge(self) -> str | None:
        return 'Basic realm="simpul", charset="UTF-8"'


class InvalidGrant(OAuthError):
    """The grant is not valid. Client credentials have none to check; kept for grants that come later."""

    code = "invalid_grant"


class UnsupportedGrantType(OAuthError):
    """`grant_type` is not `client_credentials`."""

    code = "unsupported_grant_type"


class InvalidScope(OAuthError):
    """A scope is unknown, or more than the client was registered for."""

    code = "invalid_scope"


class TemporarilyUnavailable(OAuthError):
    """The endpoint cannot decide now; nothing was granted. Trying again later may help."""

    code, status = "temporarily_unavailable", 503


class InvalidToken(AuthError):
    """A bearer token is missing, malformed, expired, revoked or not ours (RFC 6750 3.1)."""

    code, status = "invalid_token", 401

    def challenge(self) -> str:
        """The `WWW-Authenticate` header of the 401."""
        return f'Bearer realm="simpul", error="{self.code}", error_description="{self.description}"'


class MissingToken(InvalidToken):
    """No bearer token came with the request: the challenge then names no error (RFC 6750 3)."""

    def challenge(self) -> str:
        return 'Bearer realm="simpul"'


class SessionRefused(InvalidToken):
    """Nobody is signed in: a session is over, or signing in failed. `problem` tells apart what the officer
    can do about it."""

    def __init__(self, description: str, problem: str = "unauthenticated") -> None:
        super().__init__(description)
        self.problem = problem

    def challenge(self) -> str:
        return 'Bearer realm="simpul"'


class KeyRefused(AuthError):
    """A public key cannot be registered. The message says why and which command makes a right one."""

    code, status = "key_refused", 400


class NoSigningKey(AuthError):
    """No signing key is in force. `simpul key rotate` makes one."""

    code = "no_signing_key"


class TokenRefused(AuthError):
    """Client side: no token was given. `error` is the endpoint's RFC 6749 code, None when unreadable."""

    code = "token_refused"

    def __init__(self, description: str, error: str | None = None) -> None:
        super().__init__(description)
        self.error = error
