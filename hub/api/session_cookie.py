"""The cookies of an officer's browser, and what keeps other sites from using its session: a token that only
the hub's own pages know, and where the browser says that a request comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from hub.errors import Forbidden

NAME: Final = "simpul_session"
SECURE_NAME: Final = "__Host-simpul_session"
"""By https: a browser takes a cookie of this name only when it is Secure, for `/` and for this host alone."""
DEVICE_NAME: Final = "simpul_device"
SECURE_DEVICE_NAME: Final = "__Host-simpul_device"
CSRF_HEADER: Final = "X-CSRF-Token"
SAFE_METHODS: Final = frozenset({"GET", "HEAD"})


def is_secure(public_url: str) -> bool:
    return public_url.startswith("https://")


def name_of(public_url: str) -> str:
    """By https the plain name is not taken: a neighbouring host could set a cookie of that one."""
    return SECURE_NAME if is_secure(public_url) else NAME


def device_name_of(public_url: str) -> str:
    return SECURE_DEVICE_NAME if is_secure(public_url) else DEVICE_NAME


def read(request: web.BaseRequest, public_url: str) -> str | None:
    """The session's cookie; None without one."""
    return _read(request, name_of(public_url))


def read_device(request: web.BaseRequest, public_url: str) -> str | None:
    """What says that somebody signed in with this browser before; None without one."""
    return _read(request, device_name_of(public_url))


def _read(request: web.BaseRequest, name: str) -> str | None:
    if "Cookie" not in request.headers:
        return None
    cookies: Mapping[str, str] = request.cookies
    return cookies.get(name)


def put(response: web.Response, cookie: str, public_url: str, lifetime_s: int) -> None:
    """HttpOnly, so that no script reads it; Lax, so that a link in a letter finds the officer signed in."""
    _put(response, name_of(public_url), cookie, public_url, lifetime_s)


def put_device(response: web.Response, cookie: str, public_url: str, lifetime_s: int) -> None:
    """It stays when the officer signs out: the browser is still known."""
    _put(response, device_name_of(public_url), cookie, public_url, lifetime_s)


def _put(response: web.Response, name: str, cookie: str, public_url: str, lifetime_s: int) -> None:
    secure = is_secure(public_url)
    response.set_cookie(
        name, cookie, max_age=lifetime_s, path="/", secure=secure, httponly=True, samesite="Lax"
    )


def remove(response: web.Response, public_url: str) -> None:
    secure = is_secure(public_url)
    response.del_cookie(name_of(public_url), path="/", secure=secure, httponly=True, samesite="Lax")


def require_csrf(request: web.BaseRequest, public_url: str, matches: Callable[[str | None], bool]) -> None:
    """403 unless the hub's own page sent this: asked of writes, and of a reading that is recorded. `matches`
    says whether a CSRF token is the session's."""
    require_same_origin(request, public_url)
    if not matches(request.headers.get(CSRF_HEADER)):
        raise Forbidden(
            f"With a session, this needs the header {CSRF_HEADER}, with the csrf_token of GET /v1/session.",
            code="csrf",
        )


def require_same_origin(request: web.BaseRequest, public_url: str) -> None:
    """403 when the browser says that another site sent this. Who says nothing is no browser of our days."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        own = site == "same-origin"
    else:
        origin = request.headers.get("Origin")
        own = origin is None or _is_own(origin, public_url, request.headers.get("Host", ""))
    if not own:
        raise Forbidden("This request comes from another site; send it from the hub's own.", code="csrf")


def _is_own(origin: str, public_url: str, host: str) -> bool:
    """By the public address, or by the one that the browser itself asked."""
    parts, public = urlsplit(origin), urlsplit(public_url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return False
    return (parts.scheme, parts.netloc) == (public.scheme, public.netloc) or parts.netloc == host
