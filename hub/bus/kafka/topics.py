"""Brings topics and rights on the broker to what the hub wants."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kafka import errors  # type: ignore[import-untyped]
from kafka.admin import ConfigResource  # type: ignore[import-untyped]

from hub.bus.kafka import clients, layout, rights
from hub.bus.kafka.directory import TopicDescription, look_up, look_up_all
from hub.bus.kafka.endpoint import BrokerListener
from hub.bus.kafka.threads import KafkaThread
from hub.ports.broker import Applied, BrokerAway, BrokerRefused, Reader
from hub.ports.topics import dead_letter, events, inbound, outbound

PING_WITHIN_S: Final = 8.0
APPLY_WITHIN_S: Final = 120.0
IN_FORCE_WITHIN_S: Final = 10.0
LOOK_EVERY_S: Final = 0.02
NO_AUTHORIZER: Final = (
    "The broker has no authorizer: whoever reaches it may read and write every topic. Only the topics were "
    "looked after; set authorizer.class.name at the broker before agencies use it."
)


class KafkaTopics:
    """Implements `hub.ports.broker.Topics`."""

    def __init__(self, endpoint: BrokerListener, prefix: str) -> None:
        self._prefix = prefix
        self._hubs = frozenset((events(prefix), dead_letter(prefix)))
        self._missing: frozenset[str] = frozenset()
        self._own = rights.principal(endpoint.username) if endpoint.username else rights.ANONYMOUS
        self._thread: KafkaThread[Any] = KafkaThread(
            "topics", lambda: clients.admin(endpoint), clients.close_admin
        )

    @property
    def away(self) -> str | None:
        return self._thread.away

    @property
    def missing(self) -> frozenset[str]:
        return self._missing

    async def start(self) -> None:
        await self._thread.start()

    async def stop(self) -> None:
        await self._thread.stop()

    async def apply(
        self, agencies: Collection[str], readers: Collection[Reader], *, dry_run: bool = False
    ) -> Applied:
        return await self._thread.run(
            lambda admin: self._apply(admin, frozenset(agencies), tuple(readers), dry_run), APPLY_WITHIN_S
        )

    async def revoke(self, client_id: str) -> Applied:
        return await self._thread.run(lambda admin: self._revoke(admin, client_id), APPLY_WITHIN_S)

    async def ping(self) -> None:
        """Asks the broker for the hub's own two topics; `away` and `missing` say afterwards how that went.
        Raises BrokerAway."""
        found = await self._thread.run(lambda admin: look_up(admin, self._hubs), PING_WITHIN_S)
        self._missing = frozenset(name for name, topic in found.items() if not (topic.exists or topic.hidden))

    # --- on the thread ------------------------------------------------------------------------------------

    def _apply(
        self, admin: Any, agencies: frozenset[str], readers: tuple[Reader, ...], dry_run: bool
    ) -> Applied:
        todo = self._todo(admin, agencies, readers)
        if todo.is_empty() or dry_run:
            return todo.told()
        _carry_out(admin, todo.plan)
        kept = {right for right in todo.grant if right.principal == self._own}
        _change_rights(admin, kept, set())  # before what it stands for goes
        _change_rights(admin, todo.grant - kept, todo.withdraw)
        _wait_until(lambda: self._todo(admin, agencies, readers).is_empty())
        return todo.told()

    def _todo(self, admin: Any, agencies: frozenset[str], readers: tuple[Reader, ...]) -> _Todo:
        brokers = [broker for broker in admin.describe_cluster()["brokers"] if not broker.get("is_fenced")]
        wish = layout.wanted(self._prefix, agencies, len(brokers))
        plan = layout.plan(_existing(admin, self._prefix, wish), wish)
        there = _rights(admin)
        if there is None:
            return _Todo(plan, has_authorizer=False)
        rules = self._prefix, there, rights.wanted(self._prefix, readers), self._own
        return _Todo(plan, *rights.changes(*rules), left=rights.notes(*rules))

    def _revoke(self, admin: Any, client_id: str) -> Applied:
        there = _rights(admin)
        if there is None:
            return Applied(notes=(NO_AUTHORIZER,))
        withdraw = rights.of_client(there, client_id)
        _change_rights(admin, set(), withdraw)
        _wait_until(lambda: not rights.of_client(_rights(admin) or (), client_id))
        return Applied(_withdrawn(withdraw))


@dataclass(frozen=True, slots=True)
class _Todo:
    plan: layout.Plan
    grant: set[rights.Right] = field(default_factory=set)
    withdraw: set[rights.Right] = field(default_factory=set)
    has_authorizer: bool = True
    left: tuple[str, ...] = ()

    def is_empty(self) -> bool:
        return not (self.plan.sentences() or self.grant or self.withdraw)

    def told(self) -> Applied:
        granted = [right.sentence() for right in sorted(self.grant)]
        notes = (*self.plan.notes, *self.left, *(() if self.has_authorizer else (NO_AUTHORIZER,)))
        return Applied((*self.plan.sentences(), *_withdrawn(self.withdraw), *granted), notes)


def _wait_until(done: Callable[[], bool]) -> None:
    """What the controller took reaches the brokers a moment later; only then it is in force."""
    deadline = time.monotonic() + IN_FORCE_WITHIN_S
    while not done():
        if time.monotonic() > deadline:
            raise BrokerAway(
                f"the broker took the changes, but they are not in force {IN_FORCE_WITHIN_S:g} s later"
            )
        time.sleep(LOOK_EVERY_S)


def _existing(admin: Any, prefix: str, wish: Iterable[layout.Topic]) -> list[layout.Topic]:
    """Topics of ours by their names: the hub's two, and those of agencies."""
    ours = (inbound(prefix, ""), outbound(prefix, ""))
    names = {topic.name for topic in wish}
    found = look_up_all(admin, prefix)
    there = [
        name for name, topic in found.items() if topic.exists and (name in names or name.startswith(ours))
    ]
    if not there:
        return []
    described = admin.describe_configs([ConfigResource("TOPIC", name) for name in there], config_filter="all")
    return [_topic(found[name], described["topic"][name]) for name in sorted(there)]


def _topic(found: TopicDescription, configs: Mapping[str, Any]) -> layout.Topic:
    values = {key: str(config["value"]) for key, config in configs.items() if config["value"] is not None}
    return layout.Topic(found.name, found.partitions, found.replication, values)


def _carry_out(admin: Any, plan: layout.Plan) -> None:
    if plan.creates:
        made = {
            topic.name: {
                "num_partitions": topic.partitions,
                "replication_factor": topic.replication,
                "configs": dict(topic.configs),
            }
            for topic in plan.creates
        }
        with contextlib.suppress(errors.TopicAlreadyExistsError):  # another process was first; see `_apply`
            admin.create_topics(made, wait_for_metadata=True)
    if plan.grows:
        admin.create_partitions({name: new for name, (_, new) in plan.grows.items()})
    for name, changed in plan.settings.items():
        values = {key: new for key, (_, new) in changed.items()}
        answer = admin.alter_configs([ConfigResource("TOPIC", name, values)])["topic"][name]
        if answer != "OK":
            raise BrokerRefused(f"the settings of {name}: {answer}")


def _rights(admin: Any) -> set[rights.Right] | None:
    """None on a broker without an authorizer."""
    try:
        rules, _ = admin.describe_acls(rights.everything())
    except errors.SecurityDisabledError:
        return None
    return rights.read(rules)


def _change_rights(admin: Any, grant: set[rights.Right], withdraw: set[rights.Right]) -> None:
    """Withdraws first. The library reports refusals in its answers instead of raising them."""
    if withdraw:
        answers = admin.delete_acls([rights.rule_filter(right) for right in sorted(withdraw)])
        _refuse_failures(error for _, _, error in answers)
    if grant:
        _refuse_failures(admin.create_acls([rights.rule(right) for right in sorted(grant)])["failed"])


def _withdrawn(withdraw: set[rights.Right]) -> tuple[str, ...]:
    return tuple(f"withdraw: {right.sentence()}" for right in sorted(withdraw))


def _refuse_failures(answers: Iterable[Any]) -> None:
    failed = sorted({error.__name__ for error in answers if error is not errors.NoError})
    if failed:
        raise BrokerRefused(f"the broker does not let the hub change rights ({', '.join(failed)})")
