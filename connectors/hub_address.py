"""What is wrong with hub.url, told apart: another program's address, a hub that is not started, a path."""

from __future__ import annotations

import errno
import ssl
from urllib.parse import urlsplit

import aiohttp

from connectors.errors import ConfigRefused, HubAway
from connectors.words import why_unreachable

PUBLIC = "the hub's public address, without a path of its interface such as /v1"
_OWN_PATHS = ("/v1", "/oauth")
_NO_HTTP = (aiohttp.ClientResponseError, aiohttp.ServerDisconnectedError)


def check_hub_url(url: str) -> None:
    """Refuses what can be no hub's address, whoever listens there: paths of its interface, a query."""
    parts = urlsplit(url)
    own = [found for path in _OWN_PATHS if (found := f"{parts.path}/".find(f"{path}/")) >= 0]
    if own or parts.query or parts.fragment:
        path = parts.path[: min(own)] if own else parts.path.rstrip("/")
        problem = f"{url!r} holds more than the hub's address"
        raise ConfigRefused("hub.url", problem, f"write {parts.scheme}://{parts.netloc}{path}")


def away(base: str, error: BaseException) -> HubAway:
    """No answer came: why, and what to do where waiting alone may not help."""
    return HubAway(f"{base} does not answer ({why_unreachable(error)}){_remedy(error)}")


def no_hub(url: str, status: int) -> HubAway:
    """Something answers the request for a token otherwise than a hub does."""
    return HubAway(f"{url} answers {status}, which is no hub's answer; mend hub.url: it is {PUBLIC}")


def _remedy(error: BaseException) -> str:
    inner = getattr(error, "os_error", None) or error
    if getattr(inner, "errno", None) == errno.ECONNREFUSED:
        return "; start the hub, or mend hub.url"
    if isinstance(error, _NO_HTTP):
        return "; if it does so again, mend hub.url: another program than the hub may listen there"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "; mend hub.url, or this machine's name service"
    if isinstance(error, (aiohttp.ClientSSLError, ssl.SSLError)):
        return "; mend hub.url (http or https), or let this machine trust the certificate"
    return ""
