"""Asks a broker directly what it says to a token: the library tells a refusal by its log alone, often late.

Two requests of the Kafka protocol, SaslHandshake v1 and SaslAuthenticate v1, with OAUTHBEARER (RFC 7628).
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from enum import Enum
from typing import Final

HANDSHAKE: Final = 17
AUTHENTICATE: Final = 36
VERSION: Final = 1
MOST_BYTES: Final = 1 << 20


class SignIn(Enum):
    """What the broker says."""

    TAKEN = "taken"
    REFUSED = "refused"
    OTHER_LISTENER = "no OAUTHBEARER here"
    UNKNOWN = "no answer"


def ask(address: tuple[str, int], tls: ssl.SSLContext | None, token: str, within_s: float) -> SignIn:
    """Signs in and hangs up. Waits at most `within_s` for each answer; raises no OSError but ssl.SSLError."""
    try:
        with socket.create_connection(address, within_s) as plain:
            if tls is None:
                return _ask(plain, token)
            with tls.wrap_socket(plain, server_hostname=address[0]) as sealed:
                return _ask(sealed, token)
    except ssl.SSLError:
        raise
    except (OSError, struct.error):  # cut, silent, or no Kafka: the caller has an error of its own to tell
        return SignIn.UNKNOWN


def speaks_tls(address: tuple[str, int], within_s: float) -> bool:
    """Whoever is there; it is sent nothing but a greeting."""
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # without the machine's authorities: 40 ms a look
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    with (
        contextlib.suppress(OSError),
        socket.create_connection(address, within_s) as plain,
        anybody.wrap_socket(plain, server_hostname=address[0]),
    ):
        return True
    return False


def _ask(connection: socket.socket, token: str) -> SignIn:
    code, _ = _answer(connection, HANDSHAKE, _text(b"OAUTHBEARER"))
    if code:
        return SignIn.OTHER_LISTENER
    message = b"n,,\x01auth=Bearer " + token.encode() + b"\x01\x01"
    code, rest = _answer(connection, AUTHENTICATE, struct.pack(">i", len(message)) + message)
    if code:
        return SignIn.REFUSED
    said = max(struct.unpack_from(">h", rest)[0], 0)
    (size,) = struct.unpack_from(">i", rest, 2 + said)
    return SignIn.REFUSED if size > 0 else SignIn.TAKEN  # a refusal comes as a JSON text first


def _answer(connection: socket.socket, kind: int, body: bytes) -> tuple[int, bytes]:
    """The answer's error code, and what follows it."""
    request = struct.pack(">hhi", kind, VERSION, 1) + _text(b"simpul-connector") + body
    connection.sendall(struct.pack(">i", len(request)) + request)
    (size,) = struct.unpack(">i", _read(connection, 4))
    answer = _read(connection, size)
    return struct.unpack_from(">h", answer, 4)[0], answer[6:]


def _text(value: bytes) -> bytes:
    return struct.pack(">h", len(value)) + value


def _read(connection: socket.socket, size: int) -> bytes:
    if not 0 <= size <= MOST_BYTES:
        raise ConnectionError("this is no Kafka")
    read = b""
    while len(read) < size:
        piece = connection.recv(size - len(read))
        if not piece:
            raise ConnectionError("cut")
        read += piece
    return read
