"""What is wrong with the broker, the token or a topic, in words, with what to do about it."""

from __future__ import annotations

from connectors.errors import NotAllowed


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
