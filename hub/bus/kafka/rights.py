"""Who may do what on the agencies' topics, as Kafka's access rules (ACLs), and what is to be done to come
there. Pure but for the library's own words."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

from kafka.admin import (  # type: ignore[import-untyped]
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
)

from hub.ports.broker import Reader
from hub.ports.topics import dead_letter, events, inbound, outbound

EVERYBODY: Final = "User:*"
ANONYMOUS: Final = "User:ANONYMOUS"
"""Whoever comes without signing in."""
EVERYTHING: Final = "*"
CLIENT: Final = "User:client_"
"""So the principals of agencies' clients begin, also of those that are revoked."""


class Cover(Enum):
    """What a right lies on. INSIDE: agencies' topics only. WIDER: the hub's own, or others beside them."""

    NOTHING = 0
    INSIDE = 1
    WIDER = 2


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """`principal` may (or, with ALLOW false, must not) do `operation` on the topic, or on every group whose
    name begins so."""

    principal: str
    kind: str
    name: str
    operation: str
    pattern: str = "LITERAL"
    host: str = "*"
    permission: str = "ALLOW"

    def sentence(self) -> str:
        what = f"{self.kind.lower()} {self.name}" + ("*" if self.pattern == "PREFIXED" else "")
        return f"{self.permission.lower()} {self.principal} to {self.operation} {what}"


def wanted(prefix: str, readers: Collection[Reader]) -> set[Right]:
    """A client writes its agency's inbound topic and reads its agency's own, in groups `<client id>.…`; with
    the dot, or a client `a` would have the groups of a client `ab`."""
    rights: set[Right] = set()
    for reader in readers:
        who = principal(reader.client_id)
        inward, outward = inbound(prefix, reader.agency), outbound(prefix, reader.agency)
        if reader.writes:
            rights |= {Right(who, "TOPIC", inward, operation) for operation in ("WRITE", "DESCRIBE")}
        if reader.reads:
            rights |= {Right(who, "TOPIC", outward, operation) for operation in ("READ", "DESCRIBE")}
            rights.add(Right(who, "GROUP", f"{reader.client_id}.", "READ", "PREFIXED"))
    return rights


def principal(client_id: str) -> str:
    return f"User:{client_id}"


def changes(
    prefix: str, existing: Collection[Right], wish: Collection[Right], own: str = ""
) -> tuple[set[Right], set[Right]]:
    """(to grant, to withdraw). On the agencies' topics whatever is not wanted goes, whoever gave it; rights
    that are wider and cover the hub's topics too go where they are a client's of ours, or everybody's. `own`
    is the hub's principal, which keeps what it has, and gets in its own name what it had as one of everybody.
    Rights on groups go with their principal's last right to read such a topic; those of others are none of
    ours."""
    ours = {right for right in existing if right.principal != own and _goes(prefix, right, wish)}
    losing = {right.principal for right in ours} - {
        right.principal for right in wish if right.kind == "GROUP"
    }
    ours |= {right for right in existing if right.principal in losing and _is_own_group(right)}
    return (set(wish) | _of_its_own(ours, own)) - set(existing), ours - set(wish)


def _of_its_own(going: Collection[Right], own: str) -> set[Right]:
    """Else a hub that lives off a rule for everybody would lock itself out. One that does not sign in is
    nobody in particular, and is left what the broker's settings give it."""
    if own in ("", ANONYMOUS):
        return set()
    return {replace(right, principal=own) for right in going if right.principal == EVERYBODY}


def notes(
    prefix: str, existing: Collection[Right], wish: Collection[Right], own: str = ""
) -> tuple[str, ...]:
    """A sentence for each right that covers topics of the hub and is left."""
    left = [r for r in sorted(existing) if r.principal != own and not _goes(prefix, r, wish)]
    return tuple(
        f"{right.sentence()} covers topics of the hub and is left, as it is no client's of an agency; "
        "withdraw it unless it is meant"
        for right in left
        if _cover(prefix, right) is Cover.WIDER
    )


def of_client(existing: Collection[Right], client_id: str) -> set[Right]:
    return {right for right in existing if right.principal == principal(client_id)}


def _goes(prefix: str, right: Right, wish: Collection[Right]) -> bool:
    cover = _cover(prefix, right)
    if cover is not Cover.WIDER:
        return cover is Cover.INSIDE
    clients = {EVERYBODY} | {each.principal for each in wish}
    return right.principal in clients or right.principal.startswith(CLIENT)


def _cover(prefix: str, right: Right) -> Cover:
    if right.kind != "TOPIC" or right.permission != "ALLOW":
        return Cover.NOTHING
    agencies, own = (inbound(prefix, ""), outbound(prefix, "")), (events(prefix), dead_letter(prefix))
    if right.name.startswith(agencies):
        return Cover.INSIDE
    if right.pattern == "PREFIXED":
        covers = any(name.startswith(right.name) for name in (*agencies, *own))
    else:
        covers = right.name in (EVERYTHING, *own)
    return Cover.WIDER if covers else Cover.NOTHING


def _is_own_group(right: Right) -> bool:
    return right.kind == "GROUP" and right.name == right.principal.removeprefix("User:") + "."


# --- the library's words ------------------------------------------------------------------------


def everything() -> Any:
    """The filter that every rule fits."""
    anything = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
    return ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, anything)


def read(rules: Iterable[Any]) -> set[Right]:
    return {
        Right(
            rule.principal,
            rule.resource_pattern.resource_type.name,
            rule.resource_pattern.resource_name,
            rule.operation.name,
            rule.resource_pattern.pattern_type.name,
            rule.host,
            rule.permission_type.name,
        )
        for rule in rules
    }


def rule(right: Right) -> Any:
    return ACL(*_parts(right), ResourcePattern(*_resource(right)))


def rule_filter(right: Right) -> Any:
    """Fits this one rule only."""
    return ACLFilter(*_parts(right), ResourcePatternFilter(*_resource(right)))


def _parts(right: Right) -> tuple[Any, ...]:
    permission = ACLPermissionType[right.permission]
    return right.principal, right.host, ACLOperation[right.operation], permission


def _resource(right: Right) -> tuple[Any, ...]:
    return ResourceType[right.kind], right.name, ACLResourcePatternType[right.pattern]
