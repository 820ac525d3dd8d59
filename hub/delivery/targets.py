"""Where a webhook may point, and where exactly an attempt connects to: resolved and checked at every attempt.

An attempt connects to an address that this file answered, never to a name: so no second resolution can put
another address in its place (DNS rebinding), and literals take the same way."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from yarl import URL

from hub.delivery.addresses import Address, is_inside, is_public
from hub.delivery.connections import Route
from hub.delivery.settings import DeliverySettings
from hub.errors import Invalid, SimpulError
from hub.ports.clock import Clock

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port to the addresses, as text, in the order to try; raises OSError when there are none."""

KEPT_HOSTS: Final = 1024
KEPT_LITERALS: Final = 1024
MAX_URL: Final = 2048


class TargetRefused(SimpulError):
    """The endpoint's address may not be reached. The message says why, for the agency to read."""


class Unresolved(SimpulError):
    """The endpoint's name has no address now."""


@dataclass(frozen=True, slots=True)
class Target:
    """A checked endpoint: connect to one of `addresses`, in this order, and to nothing else."""

    url: URL
    addresses: tuple[Address, ...]
    routes: tuple[Route, ...]

    @classmethod
    def of(cls, url: URL, addresses: tuple[Address, ...]) -> Target:
        """The name stays only for TLS, which verifies it, and in the Host header."""
        tls_name = (url.raw_host or "").rstrip(".") if url.scheme == "https" else None
        port = url.port or 443
        return cls(url, addresses, tuple(Route(str(address), port, tls_name) for address in addresses))

    @property
    def host(self) -> str:
        """As TLS and the Host header name it: ASCII, no brackets."""
        return self.url.raw_host or ""


async def system_resolve(host: str, port: int) -> Sequence[str]:
    """`getaddrinfo` on the loop's threads."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))


class Targets:
    def __init__(self, settings: DeliverySettings, clock: Clock, resolve: Resolve = system_resolve) -> None:
        self._settings = settings
        self._clock = clock
        self._resolve = resolve
        self._fresh: OrderedDict[tuple[str, int], tuple[float, asyncio.Future[tuple[Address, ...]]]]
        self._fresh = OrderedDict()
        self._literals: OrderedDict[URL, Target] = OrderedDict()

    async def accept(self, text: str) -> str:
        """The URL as it is kept, or Invalid at `/url`. A name without an address now is taken: it is looked
        up again at every attempt."""
        try:
            url = parse(text)
            if url.scheme == "http" and not self._settings.allowed_networks:
                raise TargetRefused("Use https: plain http is not allowed by this hub.")
            await self.check(url)
        except TargetRefused as refused:
            raise Invalid(str(refused), flaws=[("/url", str(refused))]) from refused
        except Unresolved:
            pass
        return str(url)

    async def check(self, url: URL) -> Target:
        """Resolves and checks. Raises TargetRefused if any address of the host may not be reached, Unresolved
        if there is none."""
        known = self._literals.get(url)
        if known is not None:
            return known
        literal = _literal(url.raw_host or "")
        if literal is not None:
            return self._keep(self._checked(url, (literal,)))
        return self._checked(url, await self._addresses(url.raw_host or "", url.port or 443))

    def _checked(self, url: URL, addresses: tuple[Address, ...]) -> Target:
        for address in addresses:
            self._check_address(address, url)
        return Target.of(url, addresses)

    def _keep(self, target: Target) -> Target:
        """An address in the URL itself cannot change, nor can the allowed networks while the process runs:
        one check of it is enough."""
        self._literals[target.url] = target
        if len(self._literals) > KEPT_LITERALS:
            self._literals.popitem(last=False)
        return target

    def _check_address(self, address: Address, url: URL) -> None:
        if is_inside(address, self._settings.allowed_networks):
            return
        if not is_public(address):
            raise TargetRefused(
                f"{url.raw_host} is not a public address; webhooks reach public addresses only. "
                "Ask the hub's operator to allow the network if the endpoint lies in a network of your own."
            )
        if url.scheme != "https":
            raise TargetRefused(
                "Use https: plain http is taken only inside the networks that this hub allows."
            )

    async def _addresses(self, host: str, port: int) -> tuple[Address, ...]:
        known = self._fresh.get((host, port))
        now = self._clock.monotonic()
        if known is None or (known[1].done() and now - known[0] >= self._settings.resolve_fresh_s):
            known = now, asyncio.ensure_future(self._look_up(host, port))
            known[1].add_done_callback(_retrieved)
            self._fresh[host, port] = known
            self._fresh.move_to_end((host, port))
            if len(self._fresh) > KEPT_HOSTS:
                self._fresh.popitem(last=False)
        return await asyncio.shield(known[1])

    async def _look_up(self, host: str, port: int) -> tuple[Address, ...]:
        try:
            async with asyncio.timeout(self._settings.resolve_timeout_s):
                found = await self._resolve(host, port)
            addresses = tuple(ipaddress.ip_address(text) for text in found)
        except (OSError, TimeoutError, UnicodeError) as error:
            raise Unresolved(
                f"The name {host} has no address now: {error or 'no answer in time'}."
            ) from error
        if not addresses:
            raise Unresolved(f"The name {host} has no address now.")
        return addresses


def _retrieved(future: asyncio.Future[tuple[Address, ...]]) -> None:
    """Whoever waited may have been cancelled; then nobody asks for the error, and that is no defect."""
    if not future.cancelled():
        future.exception()


def parse(text: str) -> URL:
    """The URL's form alone: scheme, host, no credentials, no fragment. Raises TargetRefused."""
    url = _parsed(text)
    if url.scheme not in ("https", "http"):
        raise TargetRefused("The URL must begin with https://.")
    if not url.raw_host:
        raise TargetRefused("The URL names no host, such as in https://layanan.example.go.id/simpul.")
    if url.raw_user is not None or url.raw_password is not None:
        raise TargetRefused("The URL must not hold a user name or password; the signature proves the sender.")
    if "#" in text:
        raise TargetRefused("The URL must not hold a fragment (#...).")
    if "%" in url.raw_host:
        raise TargetRefused("The URL's host must not hold an address zone (%...).")
    if _literal(url.raw_host) is None and _ends_in_number(url.raw_host):
        raise TargetRefused("Write an IPv4 address as four decimal numbers.")
    return url


def _parsed(text: str) -> URL:
    if len(text) > MAX_URL or any(ord(c) <= 0x20 or ord(c) == 0x7F for c in text) or "\\" in text:
        raise TargetRefused(
            f"The URL must be of at most {MAX_URL} characters, without spaces or backslashes."
        )
    try:
        url = URL(text)
        _ = url.port, url.raw_host
    except (ValueError, UnicodeError) as error:
        raise TargetRefused(f"This is not a URL: {error}.") from error
    return url


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _ends_in_number(host: str) -> bool:
    """Such as 127.1 or 0x7f.1, which the system's resolver would read as an address (WHATWG URL, 3.5)."""
    last = host.rstrip(".").rpartition(".")[2].lower()
    return last.isdigit() or last.startswith("0x")
