"""What `/.well-known/oauth-authorization-server` says (RFC 8414)."""

from __future__ import annotations

from typing import Any

from auth.grants import AUTH_METHODS, GRANT_TYPE
from auth.scopes import SCOPES


def server_metadata(issuer: str) -> dict[str, Any]:
    """The metadata document; `issuer` is the hub's public URL, without a slash at its end."""
    return {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/oauth/token",
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "service_documentation": f"{issuer}/docs",
        "grant_types_supported": [GRANT_TYPE],
        # Required by RFC 8414 2, and empty: there is no authorization endpoint.
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "token_endpoint_auth_signing_alg_values_supported": ["ES256", "EdDSA", "PS256", "RS256"],
        "scopes_supported": list(SCOPES),
    }
