"""Which addresses a webhook may reach, and that the checked address is the one connected to."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.delivery.addresses import is_public, unwrapped
from hub.delivery.settings import DeliverySettings
from hub.delivery.targets import TargetRefused, Targets, Unresolved, parse
from hub.errors import Invalid
from tests.delivery.delivery_world import AGENCIES, LOOPBACK, DeliveryWorld, TurnedClock
from tests.delivery.receiver import Receiver

PUBLIC = ["8.8.8.8", "1.1.1.1", "103.10.66.1", "2001:4860:4860::8888", "2606:4700::1111", "64:ff9b::808:808"]
REFUSED = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",  # IPv4-compatible
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",  # Teredo
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", REFUSED)
def test_refused_addresses(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


@given(st.ip_addresses())
def test_whatever_the_standard_library_calls_special_is_refused(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if address.is_private or address.is_loopback or address.is_link_local or address.is_multicast:
        carried = unwrapped(address)
        assert not is_public(address) or (carried != address and not carried.is_private)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://[fe80::1%25eth0]/",
        "http://103.10.66.1/",
        "ftp://layanan.example.go.id/",
        "//layanan.example.go.id/",
        "https:///simpul",
        "https://petugas:rahasia@layanan.example.go.id/",
        "https://layanan.example.go.id/#bagian",
        "https://layanan.example.go.id/#",
        "https://layanan.example.go.id/a b",
        "https://layanan.example.go.id\\@127.0.0.1/",
        "https://layanan.example.go.id:99999/",
        "https://layanan.example.go.id/\n",
        "https://" + "a" * 3000,
    ],
)
async def test_urls_that_are_refused_when_they_are_set(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        await _targets({}).accept(url)
    assert refused.value.flaws[0][0] == "/url"


@pytest.mark.parametrize(
    "url",
    [
        "https://layanan.example.go.id/simpul?kunci=1",
        "https://layanan.example.go.id:8443/simpul",
        "https://103.10.66.1/simpul",
        "https://[2001:4860:4860::8888]/simpul",
        "http://127.0.0.1:8000/simpul",
        "http://localhost:8000/simpul",
        "https://belum-ada.example.go.id/simpul",
    ],
)
async def test_urls_that_are_taken(url: str) -> None:
    known = {"layanan.example.go.id": ["103.10.66.1"], "localhost": ["127.0.0.1"]}
    settings = DeliverySettings(allowed_networks=LOOPBACK)
    assert await _targets(known, settings).accept(url) == url


async def test_one_private_address_among_public_ones_refuses_all() -> None:
    targets = _targets({"layanan.example.go.id": ["103.10.66.1", "10.0.0.1"]})
    with pytest.raises(TargetRefused):
        await targets.check(parse("https://layanan.example.go.id/"))


async def test_plain_http_needs_every_address_inside_an_allowed_network() -> None:
    settings = DeliverySettings(allowed_networks=LOOPBACK)
    targets = _targets({"dua.example.go.id": ["127.0.0.1", "103.10.66.1"]}, settings)
    with pytest.raises(TargetRefused, match="Use https"):
        await targets.check(parse("http://dua.example.go.id/"))
    assert (await targets.check(parse("https://dua.example.go.id/"))).host == "dua.example.go.id"


async def test_a_name_is_resolved_again_at_every_attempt() -> None:
    clock, answers = TurnedClock(), iter((["103.10.66.1"], ["10.0.0.1"], []))

    async def resolve(host: str, port: int) -> Sequence[str]:
        return next(answers)

    targets = Targets(DeliverySettings(), clock, resolve)
    url = parse("https://layanan.example.go.id/")
    assert str((await targets.check(url)).addresses[0]) == "103.10.66.1"
    clock.turn(1)
    with pytest.raises(TargetRefused):
        await targets.check(url)
    clock.turn(1)
    with pytest.raises(Unresolved):
        await targets.check(url)


async def test_a_literal_is_checked_once_and_refused_every_time() -> None:
    targets = _targets({})
    url = parse("https://103.10.66.1/simpul")
    assert await targets.check(url) is await targets.check(parse(str(url)))
    for _ in range(2):
        with pytest.raises(TargetRefused):
            await targets.check(parse("https://10.0.0.1/"))
        with pytest.raises(TargetRefused, match="Use https"):
            await targets.check(parse("http://103.10.66.1/simpul"))


async def test_a_route_is_an_address_with_the_name_that_tls_verifies() -> None:
    targets = _targets({"layanan.example.go.id.": ["103.10.66.1", "2001:4860:4860::8888"]})
    target = await targets.check(parse("https://layanan.example.go.id.:8443/simpul"))
    assert target.routes == (
        ("103.10.66.1", 8443, "layanan.example.go.id"),
        ("2001:4860:4860::8888", 8443, "layanan.example.go.id"),
    )
    allowed = _targets({}, DeliverySettings(allowed_networks=LOOPBACK))
    assert (await allowed.check(parse("http://127.0.0.1/"))).routes == (("127.0.0.1", 80, None),)


async def test_a_name_that_changes_between_check_and_connection_changes_nothing(
    world: DeliveryWorld, ministry: Receiver
) -> None:
    """Rebinding: the second answer is never asked for, the connection goes to the checked address."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) < 3 else ["169.254.169.254"]

    world.resolve = resolve
    url = f"http://layanan.example.go.id:{ministry.port}/simpul"
    await world.desk.put(AGENCIES[0], url, ["*"], None)  # the first answer
    await world.start()
    world.clock.turn(2)
    await world.submit()
    await world.settle()  # the second answer
    (got,) = ministry.received
    assert got.headers["host"] == f"layanan.example.go.id:{ministry.port}"
    assert len(asked) == 2
    world.clock.turn(2)
    await world.submit()
    await world.settle()  # the third one is private
    assert len(ministry.received) == 1
    (row,) = await world.rows("pending")
    assert "not a public address" in row["cause"] and row["http_status"] is None


def _targets(known: dict[str, list[str]], settings: DeliverySettings | None = None) -> Targets:
    async def resolve(host: str, port: int) -> Sequence[str]:
        if host not in known:
            raise OSError("Name or service not known")
        return known[host]

    return Targets(settings or DeliverySettings(), TurnedClock(), resolve)
