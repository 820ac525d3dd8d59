"""The token request's parts: the form body, the Basic header. RFC 6749 is strict about both."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, quote_plus, unquote_plus

from auth.errors import InvalidClient, InvalidRequest

MAX_FORM_BYTES: Final = 32_768
MAX_PARAMETERS: Final = 32


def parse_form(body: bytes) -> dict[str, str]:
    """The parameters of an `application/x-www-form-urlencoded` body, each at most once (RFC 6749 3.2).

    A parameter without a value counts as left out. `InvalidRequest` for anything else.
    """
    if len(body) > MAX_FORM_BYTES:
        raise InvalidRequest(f"The form is longer than {MAX_FORM_BYTES} bytes.")
    try:
        pairs = parse_qsl(body.decode("utf-8"), errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError:
        raise InvalidRequest(
            "The body is no form: send application/x-www-form-urlencoded in UTF-8."
        ) from None
    form = dict(pairs)
    if len(form) < len(pairs):
        raise InvalidRequest("A parameter is there twice; each may be sent once.")
    return form


def authorization_of(headers: Mapping[str, str]) -> str | None:
    """The one `Authorization` header, whatever its case; `InvalidRequest` when there are several."""
    found = [value for name, value in headers.items() if name.lower() == "authorization"]
    if len(found) > 1:
        raise InvalidRequest("There are several Authorization headers; send one.")
    return found[0] if found else None


def parse_basic(authorization: str) -> tuple[str, str]:
    """Client id and secret of `client_secret_basic`; both parts were form-encoded first (RFC 6749 2.3.1)."""
    scheme, _, encoded = authorization.strip().partition(" ")
    if scheme.lower() != "basic":
        raise InvalidClient("The token endpoint takes the scheme Basic in the Authorization header.")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
        client_id, colon, secret = decoded.partition(":")
        parts = unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")
    except (binascii.Error, UnicodeError, ValueError):
        raise InvalidClient("The Basic header is not base64 of 'client_id:client_secret'.") from None
    if not colon or not all(parts):
        raise InvalidClient("The Basic header must hold 'client_id:client_secret', neither of them empty.")
    return parts


def basic_header(client_id: str, secret: str) -> str:
    """The `Authorization` value of `client_secret_basic`."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return "Basic " + base64.b64encode(pair.encode("ascii")).decode("ascii")
