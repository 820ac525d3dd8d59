"""What is wrong with the broker, the token or a topic, in words, with what to do about it."""

from __future__ import annotations

import ssl
from typing import Final

from connectors.errors import NotAllowed

NOT_YET: Final = 9
EXPIRED: Final = 10
OTHER_NAME: Final = 62
OTHER_ADDRESS: Final = 64


class TokenNotTaken(NotAllowed):
    """The broker refuses the token that the hub gave; another one may be taken."""


def no_audience(agency: str) -> NotAllowed:
    return NotAllowed(
        "the hub's token is not for Kafka (its audience lacks simpul-kafka): choose Kafka with "
        f'PATCH /v1/agencies/{agency} {{"kafka": true}}, then ask the hub\'s operator for '
        "`simpul topics apply`"
    )


def token_refused(bootstrap: str) -> TokenNotTaken:
    return TokenNotTaken(
        f"the broker at {bootstrap} refuses the hub's token: is the client revoked, does hub.url name the "
        "hub of this broker, and are both clocks right? Else the hub's operator finds the cause in the "
        "broker's log"
    )


def no_sign_in(bootstrap: str) -> NotAllowed:
    return NotAllowed(
        f"the listener at {bootstrap} takes no OAUTHBEARER sign-in: kafka.bootstrap must be the agencies' "
        "listener; ask the hub's operator for its address"
    )


def no_trust(where: str, ca_file: str, error: ssl.SSLError) -> NotAllowed:
    """TLS fails at the listener; by OpenSSL's own code (X509_V_ERR_…) it is told which part."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        said = (
            f"it hung up where TLS begins ({error.reason or type(error).__name__}): does it speak TLS? "
            "kafka.bootstrap must be the agencies' listener; ask the hub's operator for its address"
        )
    elif error.verify_code in (OTHER_NAME, OTHER_ADDRESS):
        said = (
            f"its certificate is for another name ({error.verify_message.rstrip('.')}): write its name in "
            "kafka.bootstrap as the hub's operator gives it"
        )
    elif error.verify_code in (NOT_YET, EXPIRED):
        said = (
            f"its certificate is not valid now ({error.verify_message}): is this machine's clock right? Else "
            "the hub's operator has to renew it"
        )
    elif ca_file:
        said = (
            f"its certificate is signed by an authority that is not in kafka.ca_file ({ca_file}): ask the "
            "hub's operator for the right file"
        )
    else:
        said = (
            "its certificate is signed by an authority that is not trusted by this machine: set "
            "kafka.ca_file to the PEM file that the hub's operator gives"
        )
    return NotAllowed(f"the broker at {where} cannot be used: {said}")


def speaks_tls(where: str) -> NotAllowed:
    return NotAllowed(f"the broker at {where} speaks TLS: leave kafka.tls out, or set it to true")


def hidden(topic: str, agency: str) -> NotAllowed:
    """Not even its name may be seen; the broker says the same of a topic that does not exist."""
    return NotAllowed(
        f"the broker shows this client no topic {topic}: it is missing, or another agency's. "
        f'Choose Kafka with PATCH /v1/agencies/{agency} {{"kafka": true}}, ask the hub\'s operator for '
        "`simpul topics apply`, and see that kafka.topic_prefix is the hub's"
    )


def missing(topic: str) -> NotAllowed:
    return NotAllowed(f"there is no topic {topic}: ask the hub's operator for `simpul topics apply`")


def not_allowed(topic: str, what: str) -> NotAllowed:
    """`what` is read or write."""
    return NotAllowed(
        f"the broker does not let this client {what} {topic}: is it another agency's, or older than the "
        "choice of Kafka? Ask the hub's operator for `simpul topics apply`"
    )
