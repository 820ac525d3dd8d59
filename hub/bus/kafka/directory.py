"""Which topics exist and what we may do there: one request for many,
where the library would wait for each."""

from __future__ import annotations

import base64
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from kafka import errors  # type: ignore[import-untyped]

from hub.ports.broker import TopicClosed

NO_ID: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class TopicDescription:
    """A topic as the broker shows it to us. `partitions` 0: it is missing, or hidden from us. `id`: as the
    broker's own tools write it; another one once the topic is deleted and made anew; "" where a broker tells
    none."""

    name: str
    partitions: int = 0
    may_read: bool = False
    may_write: bool = False
    hidden: bool = False
    replication: int = 0
    id: str = ""

    @property
    def exists(self) -> bool:
        return self.partitions > 0


def closed(found: TopicDescription, right: Literal["READ", "WRITE"]) -> tuple[TopicClosed, str] | None:
    """Why the topic cannot be read or written, and what helps; None where it can."""
    may = found.may_read if right == "READ" else found.may_write
    if found.hidden or (found.exists and not may):
        return TopicClosed.NOT_AUTHORISED, (
            f"The broker does not let us {right.lower()} {found.name}. "
            f"Give this user {right} and DESCRIBE on the topic."
        )
    if not found.exists:
        return TopicClosed.MISSING, f"There is no topic {found.name}. Run `simpul topics apply`."
    return None


def look_up(admin: Any, names: Collection[str]) -> dict[str, TopicDescription]:
    """Each name's answer. A broker says of a topic that may not even be described that it may not, or that it
    does not exist; a refused read says nothing at all, so rights are read from here."""
    if not names:
        return {}
    return {
        name: found for topic in admin.describe_topics(sorted(names)) for name, found in [_described(topic)]
    }


def look_up_all(admin: Any, prefix: str) -> dict[str, TopicDescription]:
    """Every topic whose name begins with the prefix."""
    names = [name for name in admin.list_topics() if name.startswith(prefix)]
    return look_up(admin, names)


def _described(topic: dict[str, Any]) -> tuple[str, TopicDescription]:
    name, code = topic["name"], topic["error_code"]
    if code == errors.TopicAuthorizationFailedError.errno:
        return name, TopicDescription(name, hidden=True)
    partitions = topic["partitions"]
    if code and not partitions:
        return name, TopicDescription(name)
    rights = set(topic.get("authorized_operations") or ())
    replication = min(len(part["replica_nodes"]) for part in partitions)
    may = "READ" in rights, "WRITE" in rights
    return name, TopicDescription(
        name, len(partitions), *may, replication=replication, id=_id(topic.get("topic_id"))
    )


def _id(told: object) -> str:
    """22 letters, digits, - and _ (base64url of the UUID, as Kafka shows it)."""
    known = told if isinstance(told, UUID) else UUID(str(told)) if told else NO_ID
    return "" if known == NO_ID else base64.urlsafe_b64encode(known.bytes).decode().rstrip("=")
