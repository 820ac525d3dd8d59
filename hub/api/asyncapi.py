"""/asyncapi.json (AsyncAPI 3.0): every event, by webhook, mailbox and topic; every command by topic."""

from __future__ import annotations

from typing import Any, Final

from hub.api.openapi import VERSION, shared_schemas
from hub.domain.events import EVENT_TYPES, event_type
from hub.ports import topics
from hub.service.inbound import COMMANDS, IF_MATCH, SUBJECTS
from hub.service.record_answers import ABOUT
from schemas.registry import Registry as Schemas
from schemas.registry import UnknownSchema

Json = dict[str, Any]
CLOUD_EVENT: Final = "application/cloudevents+json"
TOPIC: Final = (
    "For agencies on Kafka: the mailbox's events and the answers to your commands, as CloudEvents in the "
    "Kafka binding's binary mode, with the headers `simpul-position` (of the mailbox) and "
    "`simpul-incarnation`. Sign in by SASL OAUTHBEARER with an access token of this hub."
)
INBOUND: Final = (
    "For agencies on Kafka: complaints and commands, as CloudEvents in binary or structured mode; what each "
    "does, who may, and what it is refused with is said at the route that it names. The event's id makes a "
    "repeated record take effect once, as an Idempotency-Key does. `subject` is the id of what the command "
    "is about: the case, forwarding, consultation, thread, message or commitment that stands in the route's "
    "path; `complaint` and `thread` need none. The header `if-match` carries the version that you read. The "
    "answer carries the header `correlation-id`, or else the event's id, as `correlationid`. A complaint "
    "may also be sent alone, without any header. Records with one key keep their order: take the id of the "
    "case or thread. Of `compression.type` none, gzip and zstd are taken, not snappy or lz4; a batch may "
    "unpack to 64 MiB, a value may have 1 MiB, a record 1,000 headers. What cannot be read is passed over, "
    "and answered with its place (`topic/partition/offset`) as `correlationid`. What only reads, files and "
    "webhooks have no command: an identity would lie on a topic for a day, and a file is larger than a "
    "record may be; use the routes, with the token that you sign in with."
)
REPLY: Final[Json] = {
    "name": event_type("reply"),
    "title": "The answer to a command",
    "description": "Found by `correlationid`. It holds ids and problems, no text; the effect is an event on "
    "the topics of those who may see it.",
    "contentType": "application/json",
    "payload": {
        "type": "object",
        "required": ["status"],
        "properties": {
            "status": {"type": "integer", "description": "As by HTTP: 200, 201, 400, 403, 404, 409, 422 …"},
            "kind": {"enum": list(ABOUT)},
            "ids": {
                "type": "array",
                "items": {"type": "string"},
                "description": "The case or thread, then what in it was made or changed.",
            },
            "case_id": {"type": "string", "format": "uuid"},
            "thread_id": {"type": "string", "format": "uuid"},
            "masked": {
                "type": "array",
                "items": {"type": "string"},
                "description": "What was masked in your words, as `Simpul-Masked` says it by HTTP.",
            },
            "problem": {"$ref": "#/components/schemas/problem"},
        },
    },
}


def asyncapi(schemas: Schemas, public_url: str, topic_prefix: str) -> Json:
    """The whole document, with this hub's own topics. A message's payload is the CloudEvent (structured
    mode), with its own `data`."""
    names = [name for name in EVENT_TYPES if (name, 1) in schemas.names()]
    messages = {name: {"$ref": f"#/components/messages/{name}"} for name in names}
    scheme, _, rest = public_url.partition("://")
    host, _, path = rest.partition("/")
    server: Json = {"host": host, "protocol": scheme}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Simpul events",
            "version": VERSION,
            "description": "CloudEvents 1.0. `sequence` rises within a subject; gaps are normal. What is "
            "sent by webhook may arrive twice, with the same id.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CLOUD_EVENT,
        "servers": {"hub": server | ({"pathname": f"/{path}"} if path else {})},
        "channels": {
            "webhook": {
                "address": None,
                "title": "Your webhook",
                "description": "POST to the address set by PUT /v1/webhook, signed by Standard Webhooks.",
                "messages": messages,
            },
            "mailbox": {
                "address": "/v1/mailbox",
                "title": "Your mailbox",
                "description": "GET, page by page or by long poll; each item holds one event.",
                "messages": messages,
            },
            "stream": {
                "address": "/v1/stream",
                "title": "Your mailbox, live",
                "description": "GET, as server-sent events: `id` is the mailbox position, `event` the type, "
                "`data` the event. `Last-Event-ID` resumes.",
                "messages": messages,
            },
            "agencyTopic": {
                "address": topics.outbound(topic_prefix, "{agency}"),
                "title": "Your topic",
                "description": TOPIC,
                "parameters": {"agency": {"description": "Your agency's id."}},
                "messages": messages | {"reply": {"$ref": "#/components/messages/reply"}},
            },
            "inboundTopic": {
                "address": topics.inbound(topic_prefix, "{agency}"),
                "title": "Your inbound topic",
                "description": INBOUND,
                "parameters": {"agency": {"description": "Your agency's id."}},
                "messages": {name: {"$ref": f"#/components/messages/command.{name}"} for name in COMMANDS},
            },
        },
        "operations": {
            "sendToWebhook": _operation("send", "webhook", names),
            "offerInMailbox": _operation("send", "mailbox", names),
            "sendByStream": _operation("send", "stream", names),
            "sendToTopic": _operation("send", "agencyTopic", [*names, "reply"]),
            "takeCommands": _operation("receive", "inboundTopic", [*COMMANDS]),
        },
        "components": {
            "schemas": shared_schemas(schemas),
            "messages": {name: _message(name, schemas) for name in names}
            | {f"command.{name}": _command(name, schemas) for name in COMMANDS}
            | {"reply": REPLY},
        },
    }


def _operation(action: str, channel: str, names: list[str]) -> Json:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in names],
    }


def _message(name: str, schemas: Schemas) -> Json:
    data = {"$ref": f"#/components/schemas/{name}"}
    properties = {"type": {"const": event_type(name)}, "data": data}
    made: Json = {
        "name": event_type(name),
        "title": schemas.schema(name).get("title", name),
        "contentType": CLOUD_EVENT,
        "payload": {"allOf": [{"$ref": "#/components/schemas/event"}, {"properties": properties}]},
    }
    try:
        made["examples"] = [{"payload": _event(name, schemas)}]
    except UnknownSchema:
        return made
    return made


def _command(name: str, schemas: Schemas) -> Json:
    """Its payload is the body, its headers those of the binary mode."""
    schema, about = COMMANDS[name], SUBJECTS.get(name)
    subject = {"ce_subject": {"type": "string", "format": "uuid", "description": f"The {about}'s id."}}
    given: Json = {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "pattern": "^[!-~]{1,255}$"},
        "ce_source": {"type": "string", "description": "Your system, as a URI reference."},
        "ce_type": {"const": event_type(f"command.{name}")},
    } | (subject if about else {})
    optional: Json = {"correlation-id": {"type": "string"}} | (
        {IF_MATCH: {"type": "string"}} if about else {}
    )
    return {
        "name": event_type(f"command.{name}"),
        "title": f"The command {name}",
        "description": schemas.schema(schema)["description"],
        "contentType": "application/json",
        "headers": {"type": "object", "required": [*given], "properties": given | optional},
        "payload": {"$ref": f"#/components/schemas/{schema}"},
        "examples": [{"headers": _headers(name, about), "payload": schemas.example(schema)}],
    }


def _headers(name: str, about: str | None) -> Json:
    made = {"ce_specversion": "1.0", "ce_id": f"{name}-2025-0117", "ce_source": "urn:aplikasi-aduan"}
    made["ce_type"] = event_type(f"command.{name}")
    return made | ({"ce_subject": "0197d2a4-6f3e-7c21-9b0a-3f5f0c6f8a11"} if about else {})


def _event(name: str, schemas: Schemas) -> Json:
    envelope: Json = dict(schemas.example("event"))
    prefix, _, _ = str(envelope["dataschema"]).partition("/schemas/")
    return envelope | {
        "type": event_type(name),
        "dataschema": f"{prefix}/schemas/{name}/1.json",
        "data": schemas.example(name),
    }
