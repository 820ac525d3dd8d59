"""Headers of which a request has one (RFC 9110, 5.3): where two come, one would silently count, and a proxy
in front may have looked at the other."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from hub.errors import Problem

SINGLE: Final = (
    *("Authorization", "Idempotency-Key", "If-Match", "Content-Type", "Content-Length", "Content-Encoding"),
    *("Last-Event-ID", "Repr-Digest", "X-CSRF-Token", "Origin", "Sec-Fetch-Site", "Host"),
)


class HeaderTwice(Problem):
    status, code, title = 400, "header-twice", "A header is there twice"


def require_single(request: web.BaseRequest) -> None:
    """400 where one of SINGLE is there more than once, even with the same value."""
    headers = request.headers
    if len(set(headers)) == len(headers):  # one microsecond; repetitions are in the length alone
        return
    for name in SINGLE:
        if (count := len(headers.getall(name, ()))) > 1:
            raise HeaderTwice(f"The header {name} is there {count} times; send it once.")
