"""What a round stands on: one broker or three, behind a proxy or on a small disk where a fault needs it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from string import Template
from typing import Final

from tests.chaos.cluster.proxy import Proxy, proxy
from tests.parts import fault_disk, kafka
from tests.parts import kafka_files as files
from tests.parts.fault_disk import SmallDisk, small_disk
from tests.parts.local_server import free_port

DISK_MB: Final = 192
LISTENERS: Final = ("listeners=", "advertised.listeners=")


@dataclass(frozen=True)
class Ground:
    """What a fault needs: so many brokers, the hub's way to them through a proxy, their data on a small disk
    (of the one broker), and wall clocks of the hub and of the database that can be shifted."""

    brokers: int = 1
    proxied: bool = False
    small_disk: bool = False
    clocks: bool = False

    def __or__(self, other: Ground) -> Ground:
        return Ground(
            max(self.brokers, other.brokers),
            self.proxied or other.proxied,
            self.small_disk or other.small_disk,
            self.clocks or other.clocks,
        )

    def missing(self) -> str | None:
        """Why it cannot be had on this machine, and what helps."""
        return fault_disk.missing() if self.small_disk else None


@dataclass
class Brokers:
    """Running. `bootstrap` is the hub's way to them."""

    nodes: Sequence[kafka.Node]
    proxies: Sequence[Proxy] = field(default=())
    disk: SmallDisk | None = None

    @property
    def bootstrap(self) -> str:
        if self.proxies:
            return ",".join(f"127.0.0.1:{one.port}" for one in self.proxies)
        return ",".join(node.bootstrap for node in self.nodes)

    @property
    def agency_bootstrap(self) -> str:
        return ",".join(node.agency_bootstrap for node in self.nodes)

    def cut(self, way: str) -> None:
        """Bytes "to" or "from" the brokers are lost, of the hub alone."""
        for one in self.proxies:
            one.cut = way

    def heal(self) -> None:
        for one in self.proxies:
            one.heal()


@contextlib.contextmanager
def brokers(ground: Ground) -> Iterator[Brokers]:
    """PartMissing without Kafka's jars, or without what the ground needs."""
    with contextlib.ExitStack() as stack:
        if ground.brokers == 1:
            made = Brokers([stack.enter_context(kafka.broker())])
        else:
            made = Brokers(stack.enter_context(kafka.cluster()))
            _again(made.nodes, _let_agencies_in)
        if ground.proxied:
            made.proxies = [_behind_a_proxy(node, stack) for node in made.nodes]
        if ground.small_disk:
            made.disk = _on_a_small_disk(made.nodes[0], stack)
        yield made


def _again(nodes: Sequence[kafka.Node], change: Callable[[kafka.Node], None]) -> None:
    """Ended, changed and started anew: all of them, since a quorum is needed to be ready."""
    for node in nodes:
        node.kill()
    for node in nodes:
        change(node)
        node.start(wait=False)
    for node in nodes:
        node.wait_until_ready()


def _let_agencies_in(node: kafka.Node) -> None:
    more = (
        f",AGENCY://{node.agency_bootstrap},LOOSE://{node.loose_bootstrap},SIGNED://{node.signed_bootstrap}"
    )
    agencies = Template((files.TEMPLATES / "agency.properties").read_text())
    rest = agencies.safe_substitute(jwks=node.jwks.as_uri(), issuer=kafka.ISSUER).splitlines()
    lines = _with(node, [(name, more) for name in LISTENERS])
    node.properties.write_text("\n".join([*lines, *rest]))


def _behind_a_proxy(node: kafka.Node, stack: contextlib.ExitStack) -> Proxy:
    """A listener for the hub alone, whose advertised address is the proxy's: what brokers say to each other
    and what agencies say is not cut."""
    port = free_port()
    between = stack.enter_context(proxy(port))

    def change(node: kafka.Node) -> None:
        more = [("listeners=", f",HUB://127.0.0.1:{port}")]
        more += [("advertised.listeners=", f",HUB://127.0.0.1:{between.port}")]
        more += [("listener.security.protocol.map=", ",HUB:PLAINTEXT")]
        node.properties.write_text("\n".join(_with(node, more)))

    _again([node], change)
    return between


def _with(node: kafka.Node, more: Iterable[tuple[str, str]]) -> list[str]:
    """The node's properties, with something behind those that begin so."""
    lines = node.properties.read_text().splitlines()
    for begin, end in more:
        lines = [line + end if line.startswith(begin) else line for line in lines]
    return lines


def _on_a_small_disk(node: kafka.Node, stack: contextlib.ExitStack) -> SmallDisk:
    node.kill()
    disk = stack.enter_context(small_disk(node.folder / "data", DISK_MB))
    stack.callback(node.kill)  # before it is taken away
    node.start()
    return disk
