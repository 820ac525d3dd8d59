"""Signing in at a listener by hand: the three requests of Kafka's protocol that it takes, so that the
broker's own answer is seen. The client library retries a refused token until its time is up and says only
that it failed.

Sources: Kafka protocol guide (SaslHandshake v1, SaslAuthenticate v1, Metadata v1), RFC 7628 (OAUTHBEARER)."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct
from collections.abc import AsyncIterator
from typing import Final, Protocol

SASL_HANDSHAKE: Final = 17
SASL_AUTHENTICATE: Final = 36
METADATA: Final = 3
LARGEST_ANSWER: Final = 1 << 20
ILLEGAL_SASL_STATE: Final = 34
"""What a listener without sign-in answers to a handshake."""

Address = tuple[str, int]


class NotSpoken(Exception):
    """Nobody answers there, or not in Kafka's protocol."""


class SignInRefused(Exception):
    """The listener refused the sign-in; the text is its own."""


class NoSignIn(Exception):
    """The listener asks nobody who they are."""


class MechanismRefused(SignInRefused):
    """The listener takes sign-ins, but not by this mechanism."""


class Mechanism(Protocol):
    """A SASL mechanism, step by step (RFC 4422), as the client library has them."""

    def auth_bytes(self) -> bytes: ...

    def receive(self, auth_bytes: bytes) -> object: ...

    def is_done(self) -> bool: ...


async def sign_in(address: Address, token: str, tls: ssl.SSLContext | None, limit_s: float) -> list[Address]:
    """Signs in with OAUTHBEARER and gives the cluster's brokers on this listener, as they advertise
    themselves. Raises SignInRefused, NoSignIn, NotSpoken."""
    async with _conversation(address, tls, limit_s) as conversation:
        return await _signed_in(conversation, token)


async def sign_in_by(
    address: Address, name: str, mechanism: Mechanism, tls: ssl.SSLContext | None, limit_s: float
) -> None:
    """Signs in by the mechanism of that name, and hangs up. Raises SignInRefused (MechanismRefused),
    NoSignIn, NotSpoken; the mechanism's own ValueError."""
    async with _conversation(address, tls, limit_s) as conversation:
        await _agree(conversation, name)
        while not mechanism.is_done():
            mechanism.receive(await _authenticate(conversation, mechanism.auth_bytes()))


@contextlib.asynccontextmanager
async def _conversation(
    address: Address, tls: ssl.SSLContext | None, limit_s: float
) -> AsyncIterator[_Conversation]:
    try:
        async with asyncio.timeout(limit_s):
            reader, writer = await asyncio.open_connection(*address, ssl=tls)
            try:
                yield _Conversation(reader, writer)
            finally:
                writer.close()
                with contextlib.suppress(OSError):  # the other side was quicker
                    await writer.wait_closed()
    except (TimeoutError, OSError, asyncio.IncompleteReadError, struct.error) as error:
        host, port = address
        raise NotSpoken(f"{host}:{port}: {str(error) or type(error).__name__}") from error


class _Conversation:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._number = 0

    async def ask(self, key: int, body: bytes) -> _Answer:
        """Every request here is of version 1."""
        self._number += 1
        request = struct.pack(">hhi", key, 1, self._number) + _string("simpul-probe") + body
        self._writer.write(struct.pack(">i", len(request)) + request)
        await self._writer.drain()
        (size,) = struct.unpack(">i", await self._reader.readexactly(4))
        if not 4 <= size <= LARGEST_ANSWER:
            raise OSError("the answer is not Kafka's")
        answer = _Answer(await self._reader.readexactly(size))
        if answer.integer(">i") != self._number:
            raise OSError("the answer is not Kafka's")
        return answer


class _Answer:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def integer(self, form: str) -> int:
        (value,) = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return int(value)

    def text(self) -> str:
        """A string with a length of two bytes; "" for null."""
        return self._take(self.integer(">h")).decode(errors="replace")

    def data(self) -> bytes:
        """Bytes with a length of four."""
        return self._take(self.integer(">i"))

    def _take(self, size: int) -> bytes:
        start, self._at = self._at, self._at + max(0, size)
        return self._data[start : self._at]


async def _agree(conversation: _Conversation, mechanism: str) -> None:
    handshake = await conversation.ask(SASL_HANDSHAKE, _string(mechanism))
    if code := handshake.integer(">h"):
        if code == ILLEGAL_SASL_STATE:
            raise NoSignIn("the listener asks nobody to sign in")
        raise MechanismRefused(f"the listener does not take {mechanism} (error {code})")


async def _authenticate(conversation: _Conversation, said: bytes) -> bytes:
    """The broker's answer; SignInRefused with its words."""
    try:
        answer = await conversation.ask(SASL_AUTHENTICATE, struct.pack(">i", len(said)) + said)
    except asyncio.IncompleteReadError as error:
        raise SignInRefused("the broker closed the connection") from error
    code, words, challenge = answer.integer(">h"), answer.text(), answer.data()
    if code:
        raise SignInRefused(words or challenge.decode(errors="replace") or f"error {code}")
    return challenge


async def _signed_in(conversation: _Conversation, token: str) -> list[Address]:
    await _agree(conversation, "OAUTHBEARER")
    if challenge := await _authenticate(conversation, f"n,,\x01auth=Bearer {token}\x01\x01".encode()):
        raise SignInRefused(challenge.decode(errors="replace"))  # RFC 7628 3.2.2: the refusal's reason
    return _brokers(await conversation.ask(METADATA, struct.pack(">i", 0)))


def _brokers(answer: _Answer) -> list[Address]:
    found = []
    for _ in range(answer.integer(">i")):
        answer.integer(">i")
        host, port = answer.text(), answer.integer(">i")
        answer.text()
        found.append((host, port))
    return found


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">h", len(data)) + data
