"""The names of the hub's topics, and what more than one room must know of them. `prefix` is the hub's own
(SIMPUL_KAFKA_TOPIC_PREFIX); an empty agency gives what all agencies' topics of that kind begin with."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

COPIES_KEPT: Final = timedelta(hours=24)
"""How long what an agency sends and receives lies on its topics, where it is readable."""
SEGMENT: Final = timedelta(hours=1)
"""Kafka deletes whole segments only: so late may a record go at most."""
DEAD_LETTERS_KEPT: Final = timedelta(days=90)
"""On the topic and in the table: the record itself is gone after a day."""


def inbound(prefix: str, agency: str) -> str:
    """Where an agency submits."""
    return f"{prefix}inbound.{agency}"


def outbound(prefix: str, agency: str) -> str:
    """Where an agency receives."""
    return f"{prefix}agency.{agency}"


def events(prefix: str) -> str:
    """The log."""
    return f"{prefix}events"


def dead_letter(prefix: str) -> str:
    """What could not be taken in: cause and origin."""
    return f"{prefix}dead-letter"
