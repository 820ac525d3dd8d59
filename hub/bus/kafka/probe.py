"""Tries forged tokens at the agencies' listener before any agency uses it.

Kafka 4.1.0 and 4.1.1 let in whoever sends anything that looks like a token, with default settings; a
validator that is set in the wrong line of the configuration is ignored without a word. So the hub looks for
itself."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from hub.bus.kafka import unusable, wire
from hub.bus.kafka.endpoint import BrokerListener
from hub.ports.broker import BrokerAway, ListenerUnsafe

ANSWER_WITHIN_S: Final = 5.0
REMEDY: Final = (
    "Use Kafka 4.1.2 or later (4.3.1 is tested) and set sasl.oauthbearer.jwt.validator.class="
    "org.apache.kafka.common.security.oauthbearer.BrokerJwtValidator as a global line, or leave "
    "SIMPUL_KAFKA_AGENCY_BOOTSTRAP unset."
)


@dataclass(frozen=True, slots=True)
class _Seen:
    """Of one broker: the others that it names, and what is wrong with it; `is_flaw` where somebody has to
    mend it, rather than the network."""

    named: Collection[wire.Address] = ()
    said: str | None = None
    is_silent: bool = False
    is_flaw: bool = False


class KafkaListenerProbe:
    """Implements `hub.ports.broker.ListenerProbe`: every address that was given, and every broker that these
    name, since each has a configuration of its own."""

    def __init__(self, endpoint: BrokerListener) -> None:
        endpoint.tls_context()  # a file that cannot be read refuses the start
        self._endpoint = endpoint
        self._tls: ssl.SSLContext | None = None

    async def check(self, right_token: str) -> str | None:
        self._tls = self._endpoint.tls_context()  # read anew: somebody may have mended the file
        seen, waiting = set[wire.Address](), set(self._endpoint.addresses())
        found: list[_Seen] = []
        while waiting:
            seen |= waiting
            round_ = await self._each(waiting, right_token)
            found += round_
            waiting = {address for each in round_ for address in each.named} - seen
        said = sorted({each.said for each in found if each.said})
        if all(each.is_silent for each in found):
            what = "can be used" if any(each.is_flaw for each in found) else "answers"
            raise BrokerAway(f"SIMPUL_KAFKA_AGENCY_BOOTSTRAP: no broker {what}: " + "; ".join(said))
        return "; ".join(said) or None

    async def _each(self, addresses: Collection[wire.Address], right_token: str) -> list[_Seen]:
        """Side by side: one that swallows what it is sent hides no other. ListenerUnsafe at the first."""
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._try(address, right_token)) for address in addresses]
        except ExceptionGroup as failed:  # what `except*` raises is a group or not, by Python's patch release
            unsafe = failed.subgroup(ListenerUnsafe)
            if unsafe is None:
                raise
            raise unsafe.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _try(self, address: wire.Address, right_token: str) -> _Seen:
        try:
            await self._try_forgeries(address, right_token)
            return _Seen(await wire.sign_in(address, right_token, self._tls, ANSWER_WITHIN_S))
        except wire.SignInRefused as refusal:
            return _Seen(said=f"{_name(address)} refuses the hub's own token: {refusal}")
        except wire.NotSpoken as silence:
            flaw = await self._flaw(address, silence)
            return _Seen(said=flaw or str(silence), is_silent=True, is_flaw=flaw is not None)

    async def _flaw(self, address: wire.Address, silence: wire.NotSpoken) -> str | None:
        """What is wrong with TLS there, and the remedy; None where it is the network."""
        said = unusable.of_failure(self._endpoint, silence) or await asyncio.to_thread(
            unusable.of_plain_speech, self._endpoint, address
        )
        return said and f"{_name(address)}: {said}"

    async def _try_forgeries(self, address: wire.Address, right_token: str) -> None:
        """ListenerUnsafe when one of them is let in."""
        for what, forged in forgeries(right_token):
            try:
                await wire.sign_in(address, forged, self._tls, ANSWER_WITHIN_S)
            except wire.SignInRefused:
                continue
            except wire.NoSignIn:
                what = "everybody, without any token"
            raise ListenerUnsafe(
                f"SIMPUL_KAFKA_AGENCY_BOOTSTRAP: the broker at {_name(address)} lets in {what}, so anybody "
                f"could read and write as any agency. {REMEDY}"
            )


def forgeries(right_token: str) -> Iterable[tuple[str, str]]:
    """(what it is, token) of the same claims, none of them signed by the hub."""
    header, claims, signature = right_token.split(".")
    broken = bytearray(_decoded(signature))
    broken[len(broken) // 2] ^= 0x55
    unsigned = _encoded(json.dumps({"alg": "none"}).encode())
    return (
        ("a token with a broken signature", f"{header}.{claims}.{_encoded(bytes(broken))}"),
        ("a token that says it needs no signature (alg none)", f"{unsigned}.{claims}."),
        ("a token without its signature", f"{header}.{claims}."),
    )


def _name(address: wire.Address) -> str:
    return f"{address[0]}:{address[1]}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
