"""The answers' shapes that are no shared schema: pages, mailbox, webhook, registry, OAuth."""

from __future__ import annotations

from typing import Any, Final

Json = dict[str, Any]


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def obj(properties: Json, optional: tuple[str, ...] = (), description: str = "") -> Json:
    made: Json = {
        "type": "object",
        "required": [name for name in properties if name not in optional],
        "properties": properties,
        "additionalProperties": False,
    }
    return made | ({"description": description} if description else {})


def listed(items: Json) -> Json:
    return {"type": "array", "items": items}


def page(items: Json) -> Json:
    return obj({"items": listed(items), "next": {"type": ["string", "null"], "description": "The cursor of "
                "the next page, null at the end."}})  # fmt: skip


STRING: Final = {"type": "string"}
MAYBE: Final = {"type": ["string", "null"]}
COUNT: Final = {"type": "integer", "minimum": 0}
BOOL: Final = {"type": "boolean"}
HASH: Final = ref("shared.sha256")
TIME: Final = ref("shared.time")
MAYBE_TIME: Final = {"type": ["string", "null"], "format": "date-time"}

SHAPES: Final[dict[str, Json]] = {
    "case-page": page(ref("case")),
    "event-page": page(ref("event")),
    "forwarding-items": obj({"items": listed(ref("forwarding"))}),
    "batch-line": obj(
        {"line": {"type": "integer", "minimum": 1}, "status": {"type": "integer"}, "case_id": STRING,
         "problem": ref("problem")}, ("case_id", "problem"), "One line of the answer: case_id or problem."
    ),
    "mailbox-page": obj(
        {
            "items": listed(obj({"position": {"type": "integer", "minimum": 1}, "event": ref("event")})),
            "next": COUNT | {"description": "The last position given, or `after`."},
            "incarnation": STRING | {"description": "Another one means: restored from a backup."},
        }
    ),
    "mailbox-digest": obj({"from": COUNT, "to": COUNT, "count": COUNT, "sha256": HASH}),
    "submissions-digest": obj({"from": TIME, "to": TIME, "count": COUNT, "sha256": HASH}),
    "webhook-view": obj(
        {
            "url": ref("shared.url"),
            "event_types": listed(STRING),
            "schema_version": {"type": ["integer", "null"]},
            "active": BOOL,
            "paused_until": MAYBE_TIME,
            "created_at": TIME,
            "secret": STRING | {"pattern": "^whsec_", "description": "Once: when it is new or rotated."},
        },
        ("secret",),
    ),
    "delivery": obj(
        {
            "id": ref("shared.uuid"),
            "position": COUNT,
            "event_id": ref("shared.uuid"),
            "subject": STRING,
            "type": STRING,
            "state": {"enum": ["pending", "dead", "done"]},
            "attempts": COUNT,
            "http_status": {"type": ["integer", "null"]},
            "latency_ms": {"type": ["number", "null"]},
            "cause": MAYBE,
            "next_attempt_at": MAYBE_TIME,
            "created_at": TIME,
            "updated_at": TIME,
        }
    ),
    "delivery-page": page(ref("delivery")),
    "agency": obj(
        {
            "id": ref("shared.agency_id"),
            "name": ref("shared.agency_name"),
            "kind": ref("shared.agency_kind"),
            "region": MAYBE,
            "parent": MAYBE,
            "time_zone": STRING,
            "active": BOOL,
            "kafka": BOOL,
            "days_off": ref("shared.days_off"),
        }
    ),
    "agency-page": page(ref("agency")),
    "category-page": page(obj({"code": STRING, "name": STRING, "name_en": STRING})),
    "region-page": page(obj({"code": STRING, "name": STRING, "kind": STRING})),
    "file": obj({"id": HASH, "media_type": STRING, "size": COUNT}),
    "token-request": {
        "type": "object",
        "required": ["grant_type"],
        "properties": {
            "grant_type": {"const": "client_credentials"},
            "scope": STRING,
            "client_id": STRING,
            "client_secret": STRING,
            "client_assertion_type": STRING,
            "client_assertion": STRING,
        },
    },
    "token": obj({"access_token": STRING, "token_type": {"const": "Bearer"}, "expires_in": COUNT,
                  "scope": STRING}),
    "oauth-error": obj({"error": STRING, "error_description": STRING}),
    "jwks": obj({"keys": listed({"type": "object", "required": ["kty", "kid", "alg", "use"]})}),
    "server-metadata": {"type": "object", "required": ["issuer", "token_endpoint", "jwks_uri"]},
    "health": obj({"status": {"const": "ok"}}),
    "readiness": {
        "type": "object",
        "required": ["status", "parts"],
        "properties": {"status": STRING, "parts": {"type": "object"}},
    },
    "json-schema": {"type": "object", "required": ["$id"]},
    "object": {"type": "object"},
    "text": STRING,
    "binary": {"description": "The file, byte by byte."},
}  # fmt: skip
