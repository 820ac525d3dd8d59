"""Records of agencies' inbound topics → requests for the one writer: the same checks, acts and transaction as
by HTTP. Whatever a record holds, its place is written with its effect, and its sender is answered."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from auth.principal import Principal
from auth.scopes import DEFAULT_SCOPES
from hub.domain.agency import Agency
from hub.errors import (
    Internal,
    Invalid,
    NotFound,
    NotJson,
    Problem,
    TooLarge,
    Unavailable,
    UnsupportedMediaType,
)
from hub.ports.broker import InRecord, Unread
from hub.ports.relaying import Origin
from hub.service import strict_json
from hub.service.acts import ACTS, Act, check_schema
from hub.service.batch import CRASHED, CRASHED_CAUSE
from hub.service.hub import Hub
from hub.service.requests import BROKER, Command, Idempotency, Refuse, Request, Settled, seen_version
from hub.service.thread_acts import (
    OPENING,
    READING,
    SCHEMAS,
    THREAD_ACTS,
    command_of,
    named_in,
    opening_of,
)
from schemas.registry import Registry as Schemas

COMMAND_PREFIX: Final = "id.simpul.command."
MAX_BYTES: Final = 1024 * 1024
COMPLAINT: Final = "complaint"
COMMANDS: Final = {COMPLAINT: COMPLAINT} | {name: act.schema for name, act in ACTS.items()} | SCHEMAS
"""What an inbound record may ask for, as its type names it -> the schema of its body. The rest is HTTP's,
where an agency signs in for its token in any case: what only reads (an identity would lie on a topic for a
day), files (larger than a record may be), webhooks, and what only an administrator may do."""
SUBJECTS: Final[Mapping[str, str]] = {
    **{name: act.target for name, act in ACTS.items()},
    **{name: act.target for name, act in THREAD_ACTS.items()},
    READING: "thread",
}
"""What the subject of each names; the others need none."""
UNREAD: Final[Mapping[Unread, type[Problem]]] = {
    Unread.CODEC: UnsupportedMediaType,
    Unread.TOO_LARGE: TooLarge,
    Unread.BROKEN: NotJson,
}
"""What its sender is answered when a record could not be read at all."""
IF_MATCH: Final = "if-match"
STRUCTURED: Final = b"application/cloudevents"
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
_NAME: Final = re.compile(rf"{re.escape(COMMAND_PREFIX)}([a-z_]+)\.v1")
_VISIBLE: Final = re.compile(r"[\x21-\x7e]{1,255}")

Decode = Callable[[InRecord], Mapping[str, Any]]
"""A record as a CloudEvent whose `data` are bytes (binary or structured mode of the Kafka binding);
ValueError, in words, when it is none."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a record asks for. `key`: its event id, under which it takes effect once, however often it is
    sent or redriven."""

    name: str
    subject: str
    key: str | None
    body: bytes
    document: Any
    if_match: int | None = None


class InboundDesk:
    """Makes requests of records. `prefix` is that of the hub's topics."""

    def __init__(
        self, hub: Hub, schemas: Schemas, agencies: Mapping[str, Agency], decode: Decode, prefix: str
    ) -> None:
        self._hub = hub
        self._schemas = schemas
        self._agencies = agencies
        self._decode = decode
        self._topics = f"{prefix}inbound."

    def topics(self) -> list[str]:
        """Of every agency that chose Kafka."""
        return [f"{self._topics}{a.id}" for a in self._agencies.values() if a.kafka and a.active]

    async def prepare(self, record: InRecord) -> Request:
        """The request; one that only refuses where the record is no command or may not be done. Unavailable
        (503) is no answer to a record: it waits."""
        principal, origin = self._sender(record)
        try:
            wanted = self._read(record)
        except Problem as refused:
            dead = f"{refused.title}: {refused}"
            return Request(principal, Refuse(refused, dead), origin=origin)
        try:
            return await self._request(principal, wanted, origin)
        except Unavailable:
            raise
        except Problem as refused:
            return Request(principal, Refuse(refused), origin=origin)

    def crashed(self, record: InRecord) -> Request:
        """For a record on which `prepare` crashes however often: its sender is answered, and it is a dead
        letter, so that those behind it go on."""
        principal, origin = self._sender(record)
        return Request(principal, Refuse(Internal(CRASHED), CRASHED_CAUSE), origin=origin)

    def _sender(self, record: InRecord) -> tuple[Principal, Origin]:
        agency = record.topic.removeprefix(self._topics)
        principal = Principal(BROKER, agency, DEFAULT_SCOPES, "", 0.0)
        place = record.topic, record.partition, record.offset
        return principal, Origin(*place, correlation_of(record), record.topic_id, _sha256(record))

    async def _request(self, principal: Principal, wanted: _Wanted, origin: Origin) -> Request:
        hub = self._hub
        once = self._once(principal, wanted)
        if wanted.name == COMPLAINT:
            prepared = await hub.desk.prepare_aside(principal, wanted.document, once)
            return Request(principal, prepared.command, once, prepared.intake, None, origin)
        ask = self._act if wanted.name in ACTS else self._thread_act
        command, kinds = await ask(principal, wanted, once)
        return Request(principal, command, once, None, wanted.if_match, origin, tuple(kinds))

    async def _act(self, principal: Principal, wanted: _Wanted, _: object) -> tuple[Command, list[str]]:
        hub, act = self._hub, ACTS[wanted.name]
        target = _target(act, wanted.subject)
        await self._judge(principal, act, wanted.document, target)
        case_id, body, kinds = await hub.mask_body(
            principal, act.action, wanted.document, act.texts, **target
        )
        return act.command(case_id, target.get("leg_id", ""), body, hub.ids), kinds

    async def _thread_act(
        self, principal: Principal, wanted: _Wanted, once: Idempotency | None
    ) -> tuple[Command, list[str]]:
        """Whoever may not do it is told so before a bad body is, as by HTTP."""
        threads, ids, name = self._hub.threads, self._hub.ids, wanted.name
        if name == OPENING:
            check_schema(self._schemas, SCHEMAS[name], wanted.document)
            return await opening_of(threads, principal, wanted.document, ids)
        if name == READING:
            return await self._read_mark(principal, wanted)
        act = THREAD_ACTS[name]
        target = _id(wanted.subject, act.target)
        named = await named_in(threads, principal, act, target, once.key if once else None)
        check_schema(self._schemas, act.schema, wanted.document)
        return await command_of(threads, principal, act, named, wanted.document, ids)

    async def _read_mark(self, principal: Principal, wanted: _Wanted) -> tuple[Command, list[str]]:
        """Made here, before the record's place is kept: made twice it changes nothing."""
        threads, thread_id = self._hub.threads, _id(wanted.subject, "thread")
        await threads.thread(principal, thread_id)
        check_schema(self._schemas, SCHEMAS[READING], wanted.document)
        await threads.mark(principal, thread_id, _id(wanted.document["up_to"], "message"))
        return Settled("thread", (thread_id,)), []

    async def _judge(self, principal: Principal, act: Act, document: Any, target: Mapping[str, str]) -> None:
        """422 with every flaw; whoever may not do it is told so before."""
        try:
            check_schema(self._schemas, act.schema, document)
        except Invalid:
            await self._hub.check(principal, act.action, **target)
            raise

    def _once(self, principal: Principal, wanted: _Wanted) -> Idempotency | None:
        if wanted.name == READING:  # which changes nothing the second time
            return None
        path = f"{wanted.name}/{wanted.subject}"
        caller = Principal(f"{BROKER}/{principal.agency}", principal.agency, principal.scopes, "", 0.0)
        return self._hub.idempotency(caller, "RECORD", path, wanted.key, wanted.body)

    def _read(self, record: InRecord) -> _Wanted:
        if record.flaw is not None:
            raise UNREAD[record.flaw.kind](record.flaw.why)
        is_event = _is_event(record)
        if not record.value and not is_event:
            raise NotJson("The record has no value; a command's body is needed.")
        value = record.value or b""
        if len(value) > MAX_BYTES:
            raise TooLarge(f"The record is {len(value):,} bytes long; at most {MAX_BYTES:,} are taken.")
        if not is_event:  # a complaint by itself, as the HTTP route takes it
            return _Wanted(COMPLAINT, "", None, value, strict_json.parse(value))
        if _says(record, STRUCTURED + b"+json"):  # as it came: once taken apart, no member is there twice
            strict_json.parse(value)
        try:
            event = self._decode(record)
        except ValueError as error:
            raise NotJson(f"The record is no CloudEvent: {error}") from error
        name = _name_of(str(event.get("type")))
        key, body = str(event.get("id") or ""), event.get("data") or b""
        if not _VISIBLE.fullmatch(key):
            raise NotJson("The event's id must be 1 to 255 visible ASCII characters, such as a UUID.")
        act = ACTS.get(name) or THREAD_ACTS.get(name)
        empty = not body and act is not None and act.may_be_empty
        document = {} if empty else strict_json.parse(body)
        return _Wanted(name, str(event.get("subject") or ""), key, body, document, _version_seen(record))


def _name_of(event_type: str) -> str:
    found = _NAME.fullmatch(event_type)
    if found and found[1] in COMMANDS:
        return found[1]
    names = ", ".join(sorted(COMMANDS))
    raise UnsupportedMediaType(
        f"The event's type is {event_type[:100]!r}; {COMMAND_PREFIX}NAME.v1 is needed, with one of {names} "
        "as NAME."
    )


def correlation_of(record: InRecord) -> str:
    """What the sender calls it: `correlation-id`, else the event's id, else the record's own place."""
    headers = {name.lower(): value for name, value in record.headers}
    for name in ("correlation-id", "correlationid", "ce_correlationid", "ce_id"):
        text = (headers.get(name) or b"").decode("ascii", "replace")
        if _VISIBLE.fullmatch(text):
            return text
    return f"{record.topic}/{record.partition}/{record.offset}"


def _is_event(record: InRecord) -> bool:
    return _says(record, STRUCTURED) or any(name.lower().startswith("ce_") for name, _ in record.headers)


def _says(record: InRecord, media_type: bytes) -> bool:
    """Whether its content-type begins so, in whatever case."""
    return any(
        name.lower() == "content-type" and (value or b"").lower().startswith(media_type)
        for name, value in record.headers
    )


def _target(act: Act, subject: str) -> dict[str, str]:
    return {"case_id" if act.target == "case" else "leg_id": _id(subject, act.target)}


def _id(subject: str, what: str) -> str:
    if not _UUID.fullmatch(subject):
        raise NotFound(f"The event's subject must be the id of the {what} that is meant.")
    return str(UUID(subject))


def _version_seen(record: InRecord) -> int | None:
    for name, value in record.headers:
        if name.lower() == IF_MATCH:
            return seen_version((value or b"").decode("ascii", "replace"))
    return None


def _sha256(record: InRecord) -> str:
    return hashlib.sha256(record.value or b"").hexdigest()
