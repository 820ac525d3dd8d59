"""/asyncapi.json (AsyncAPI 3.0): every event, by webhook and by mailbox."""

from __future__ import annotations

from typing import Any, Final

from hub.api.openapi import VERSION, shared_schemas
from hub.domain.events import EVENT_TYPES, TYPE_PREFIX
from schemas.registry import Registry as Schemas
from schemas.registry import UnknownSchema

Json = dict[str, Any]
CLOUD_EVENT: Final = "application/cloudevents+json"


def asyncapi(schemas: Schemas, public_url: str) -> Json:
    """The whole document. A message's payload is the CloudEvent (structured mode), with its own `data`."""
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
        },
        "operations": {
            "sendToWebhook": _operation("send", "webhook", names),
            "offerInMailbox": _operation("send", "mailbox", names),
        },
        "components": {
            "schemas": _components(schemas),
            "messages": {name: _message(name, schemas) for name in names},
        },
    }


def _components(schemas: Schemas) -> Json:
    return shared_schemas(schemas)


def _operation(action: str, channel: str, names: list[str]) -> Json:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in names],
    }


def _message(name: str, schemas: Schemas) -> Json:
    data = {"$ref": f"#/components/schemas/{name}"}
    properties = {"type": {"const": f"{TYPE_PREFIX}{name}.v1"}, "data": data}
    made: Json = {
        "name": f"{TYPE_PREFIX}{name}.v1",
        "title": schemas.schema(name).get("title", name),
        "contentType": CLOUD_EVENT,
        "payload": {"allOf": [{"$ref": "#/components/schemas/event"}, {"properties": properties}]},
    }
    try:
        made["examples"] = [{"payload": _event(name, schemas)}]
    except UnknownSchema:
        return made
    return made


def _event(name: str, schemas: Schemas) -> Json:
    envelope: Json = dict(schemas.example("event"))
    prefix, _, _ = str(envelope["dataschema"]).partition("/schemas/")
    return envelope | {
        "type": f"{TYPE_PREFIX}{name}.v1",
        "dataschema": f"{prefix}/schemas/{name}/1.json",
        "data": schemas.example(name),
    }
