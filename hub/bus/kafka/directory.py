"""Which topics exist and what we may do there: one request for many,
where the library would wait for each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from kafka import errors  # type: ignore[import-untyped]


@dataclass(frozen=True, slots=True)
class Found:
    """A topic as the broker shows it to us. `partitions` 0: it is missing, or hidden from us."""

    name: str
    partitions: int = 0
    may_read: bool = False
    may_write: bool = False
    hidden: bool = False
    replication: int = 0

    @property
    def exists(self) -> bool:
        return self.partitions > 0


def look_up(admin: Any, names: Collection[str]) -> dict[str, Found]:
    """Each name's answer. A broker says of a topic that may not even be described that it may not, or that it
    does not exist; a refused read says nothing at all, so rights are read from here."""
    if not names:
        return {}
    return {name: found for topic in admin.describe_topics(sorted(names)) for name, found in [_found(topic)]}


def look_up_all(admin: Any, prefix: str) -> dict[str, Found]:
    """Every topic whose name begins with the prefix."""
    names = [name for name in admin.list_topics() if name.startswith(prefix)]
    return look_up(admin, names)


def _found(topic: dict[str, Any]) -> tuple[str, Found]:
    name, code = topic["name"], topic["error_code"]
    if code == errors.TopicAuthorizationFailedError.errno:
        return name, Found(name, hidden=True)
    partitions = topic["partitions"]
    if code and not partitions:
        return name, Found(name)
    rights = set(topic.get("authorized_operations") or ())
    replication = min(len(part["replica_nodes"]) for part in partitions)
    return name, Found(name, len(partitions), "READ" in rights, "WRITE" in rights, replication=replication)
