"""Who really called, when a proxy stands in front: its word counts only if its address is trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from aiohttp import web

from hub.api.settings import Network


@dataclass(frozen=True, slots=True)
class Peer:
    """The caller's address as far as it can be trusted ("" when unknown), and whether it came by TLS."""

    address: str
    secure: bool


def peer_of(request: web.BaseRequest, trusted: Sequence[Network], tls_in_front: bool) -> Peer:
    """Goes through X-Forwarded-For from the right, past trusted proxies, to the first that is none."""
    address, secure = request.remote or "", tls_in_front or request.secure
    if not trusted or not _is_trusted(address, trusted):
        return Peer(address, secure)
    secure = secure or request.headers.get("X-Forwarded-Proto", "").strip().lower() == "https"
    for hop in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
        named = hop.strip()
        if not _is_address(named):
            break
        address = named
        if not _is_trusted(named, trusted):
            break
    return Peer(address, secure)


def _is_address(text: str) -> bool:
    try:
        return bool(ip_address(text))
    except ValueError:
        return False


def _is_trusted(text: str, trusted: Sequence[Network]) -> bool:
    if not _is_address(text):
        return False
    address = ip_address(text)
    return any(address in network for network in trusted)
