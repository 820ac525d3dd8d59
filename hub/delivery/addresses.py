"""Which addresses a webhook may reach: public ones, and those in the networks that the operator allows.

After IANA's special-purpose address registries (RFC 6890). The tables stand here in full because what the
standard library calls global has changed between Python releases."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final

from hub.delivery.settings import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_REFUSED_V4: Final = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, cloud metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_GLOBAL_V6: Final = ipaddress.IPv6Network("2000::/3")
_REFUSED_V6: Final = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation
    )
)
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


def unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 form carries (mapped, 6to4, NAT64), else the address itself: a packet to
    the form ends at what it carries."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def is_public(address: Address) -> bool:
    """Whether the address belongs to the public internet, by the form it carries too."""
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id is not None:
        return False
    inner = unwrapped(address)
    if isinstance(inner, ipaddress.IPv4Address):
        return not any(inner in network for network in _REFUSED_V4)
    return inner in _GLOBAL_V6 and not any(inner in network for network in _REFUSED_V6)


def is_inside(address: Address, networks: Sequence[Network]) -> bool:
    """Whether one of the networks holds the address, or what it carries."""
    return any(form in network for form in {address, unwrapped(address)} for network in networks)
