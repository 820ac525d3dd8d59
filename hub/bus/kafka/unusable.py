"""Why a listener cannot be used although somebody is there: TLS, its certificate, or the sign-in. The client
library says of all of these only that its time was over; here each gets its sentence and the remedy."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator, Sequence
from typing import Final

from kafka import errors  # type: ignore[import-untyped]
from kafka.net.sasl import get_sasl_mechanism  # type: ignore[import-untyped]

from hub.bus.kafka import wire
from hub.bus.kafka.endpoint import BrokerListener
from hub.bus.kafka.wire import Address

LOOK_WITHIN_S: Final = 1.0
NOT_YET, EXPIRED, OTHER_NAME, OTHER_ADDRESS = 9, 10, 62, 64
"""X509_V_ERR_… of OpenSSL: CERT_NOT_YET_VALID, CERT_HAS_EXPIRED, HOSTNAME_MISMATCH, IP_ADDRESS_MISMATCH."""

CUT: Final = (errors.KafkaConnectionError, errors.InvalidReceiveError)
NOBODY: Final = "it asks for a sign-in. Set SIMPUL_KAFKA_USERNAME and SIMPUL_KAFKA_PASSWORD."
OWN: Final = "SIMPUL_KAFKA"
"""How the settings of the hub's own listener begin."""


def why(endpoint: BrokerListener, ended: Sequence[tuple[Address, BaseException | None]]) -> str | None:
    """What is wrong there and what to do, by how the attempts to connect ended (None: it came about, and then
    was of no use); None where it is the network. No part of a password is in it. May look at the listener
    once more, for LOOK_WITHIN_S."""
    for address, failure in reversed(ended):
        if failure is not None and (said := of_failure(endpoint, failure)):
            return f"{_name(address)}: {said}"
    for address, failure in reversed(ended):
        if failure is None or isinstance(failure, CUT):
            said = of_plain_speech(endpoint, address) or _of_asking(endpoint, address)
            return said and f"{_name(address)}: {said}"
    return None


def of_failure(endpoint: BrokerListener, failure: BaseException) -> str | None:
    """By what one attempt failed with."""
    for cause in _causes(failure):
        if said := _of_tls(endpoint, cause) or _of_sign_in(endpoint, cause):
            return said
    return None


def of_plain_speech(endpoint: BrokerListener, address: Address) -> str | None:
    """Where whoever speaks without TLS is cut off, or gets no answer of Kafka's."""
    if endpoint.tls or not _speaks_tls(address):
        return None
    return f"it speaks TLS. Set {endpoint.names}_TLS = true."


def _causes(failure: BaseException) -> Iterator[BaseException]:
    """The library wraps the network's errors, as an argument or by raising its own while handling them."""
    inner: BaseException | None = failure
    while inner is not None:
        yield inner
        first = inner.args[0] if inner.args else None
        inner = first if isinstance(first, BaseException) else inner.__cause__ or inner.__context__


def _of_tls(endpoint: BrokerListener, cause: BaseException) -> str | None:
    if not endpoint.tls:
        return None
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _of_certificate(endpoint, cause)
    if isinstance(cause, ssl.SSLError) and "CERTIFICATE" in (cause.reason or ""):
        return f"it asks its clients for a certificate, and the hub has none. {_instead(endpoint)}"
    if isinstance(cause, (ssl.SSLError, ConnectionResetError)):
        return (
            f"it hung up where TLS begins ({_words(cause)}): does it speak TLS? Name its TLS listener in "
            f"{endpoint.names}_BOOTSTRAP, or leave {endpoint.names}_TLS unset."
        )
    return None


def _of_certificate(endpoint: BrokerListener, cause: ssl.SSLCertVerificationError) -> str:
    if cause.verify_code in (OTHER_NAME, OTHER_ADDRESS):
        return (
            f"its certificate is for another name ({cause.verify_message.rstrip('.')}). Set "
            f"{endpoint.names}_BOOTSTRAP to a name that is in it, or give the broker one for this name."
        )
    if cause.verify_code == EXPIRED:
        return "its certificate has expired. Renew it at the broker; is this machine's clock right?"
    if cause.verify_code == NOT_YET:
        return "its certificate is not valid yet. Is this machine's clock right?"
    whose = (
        f"not in SIMPUL_KAFKA_CA_FILE ({endpoint.ca_file}). Put into that file"
        if endpoint.ca_file
        else "not trusted by this machine. Set SIMPUL_KAFKA_CA_FILE to"
    )
    return (
        f"its certificate is signed by an authority that is {whose} the PEM of the authority that signed it."
    )


def _instead(endpoint: BrokerListener) -> str:
    """Of a certificate for clients."""
    if endpoint.names == OWN:
        return (
            "Name a listener where a password proves who the hub is, with SIMPUL_KAFKA_USERNAME and "
            "SIMPUL_KAFKA_PASSWORD."
        )
    return "Agencies sign in with tokens: set ssl.client.auth=none for that listener."


def _of_sign_in(endpoint: BrokerListener, cause: BaseException) -> str | None:
    if isinstance(cause, (errors.UnsupportedSaslMechanismError, wire.MechanismRefused)):
        return (
            f"it does not offer {endpoint.mechanism}. Set SIMPUL_KAFKA_SASL_MECHANISM to one that it offers, "
            "or name the hub's own listener."
        )
    if isinstance(cause, (errors.SaslAuthenticationFailedError, wire.SignInRefused)):
        return (
            f"it does not take the user {endpoint.username!r} with this password by {endpoint.mechanism}. "
            "Check SIMPUL_KAFKA_USERNAME and SIMPUL_KAFKA_PASSWORD, and that the broker has this user for "
            "this mechanism."
        )
    if isinstance(cause, (errors.IllegalSaslStateError, wire.NoSignIn)):
        return "it asks nobody to sign in. Name a listener that does, or leave SIMPUL_KAFKA_USERNAME unset."
    return None


def _of_asking(endpoint: BrokerListener, address: Address) -> str | None:
    """The sign-in once more, by hand: the library loses an answer when the broker hangs up right behind it.
    A broker that is only starting, or ending, hangs up as well; then nothing is wrong."""
    try:
        asyncio.run(_sign_in(endpoint, address))
    except wire.SignInRefused as refused:
        return _of_sign_in(endpoint, refused) if endpoint.username else NOBODY
    except wire.NoSignIn as open_to_all:
        return _of_sign_in(endpoint, open_to_all) if endpoint.username else None
    except (wire.NotSpoken, ValueError):  # ValueError: not what the mechanism expects
        return None
    return None


async def _sign_in(endpoint: BrokerListener, address: Address) -> None:
    tls = endpoint.tls_context()
    if endpoint.username is None:
        await wire.sign_in(address, "", tls, LOOK_WITHIN_S)
        return
    options = {name: value for name, value in endpoint.options().items() if name.startswith("sasl_")}
    mechanism = get_sasl_mechanism(endpoint.mechanism)(host=address[0], **options)
    await wire.sign_in_by(address, endpoint.mechanism, mechanism, tls, LOOK_WITHIN_S)


def _speaks_tls(address: Address) -> bool:
    """Whoever is there; nothing is sent to it but a greeting."""
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # without the machine's authorities: 40 ms a look
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    with (
        contextlib.suppress(OSError),
        socket.create_connection(address, LOOK_WITHIN_S) as plain,
        anybody.wrap_socket(plain, server_hostname=address[0]),
    ):
        return True
    return False


def _name(address: Address) -> str:
    return f"{address[0]}:{address[1]}"


def _words(error: BaseException) -> str:
    return getattr(error, "reason", None) or type(error).__name__
