"""The answers' shapes that are no shared schema: pages, mailbox, webhook, registry, OAuth."""

from __future__ import annotations

from typing import Any, Final

from auth.roles import OFFICER_ROLES

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
BASE64: Final = {"type": "string", "contentEncoding": "base64"}
SIGNATURE: Final = obj(
    {
        "kid": STRING | {"description": "The key's id: its RFC 7638 thumbprint."},
        "value": {"type": "string", "pattern": "^[A-Za-z0-9_-]{86}$"},
    }
)
CHAINED: Final[Json] = {"sequence": {"type": "integer", "minimum": 1}, "chain": HASH}
EVIDENCE_EVENT: Final[Json] = {
    "anyOf": [
        obj(
            CHAINED | {"header": BASE64, "sealed": BASE64, "keys": obj({"masked": BASE64})},
            ("sealed", "keys"),
            "As it was recorded: `chain` is SHA-256 over the chain before it (32 zero bytes for the first), "
            "the header's length (8 bytes), header and sealed. A key opens the part of the words that your "
            "history shows; it is left out once they were erased. Where an officer acted in a session, the "
            "header has the id of that account, and nobody's name.",
        ),
        obj(
            CHAINED | {"told": ref("event")},
            (),
            "As your history shows it, without its bytes: they name others that you may not see.",
        ),
        obj(CHAINED | {"withheld": {"const": True}}, (), "One that you may not see, by its hash alone."),
    ]
}

_HANDED: Final[Json] = {
    "after": {"type": "integer", "minimum": 1},
    "stream": STRING,
    "sequence": {"type": "integer", "minimum": 1},
    "previous": HASH,
    "chain": HASH,
}
HANDOVER: Final[Json] = {
    "anyOf": [
        obj(
            _HANDED | {"header": BASE64},
            (),
            "Work on the case passed on after its event number `after`. The event stands in the stream of "
            "the agency that handed over, as number `sequence`; `chain` follows from `previous`, the link "
            "before it there, as in a case's stream.",
        ),
        obj(_HANDED | {"told": ref("event")}, (), "As your history shows it, without its bytes."),
    ]
}
OFFICER: Final = obj({"id": ref("shared.uuid"), "name": STRING}, ("name",))
HISTORY_PAGE: Final = obj(
    {
        "items": listed(ref("event"))
        | {
            "description": "The case's own events, and each `agency.handed_over` in its place; the `subject` "
            "of these is the agency that handed over."
        },
        "officers": {
            "type": "object",
            "additionalProperties": OFFICER,
            "description": "By an event's id: the account of the officer who acted in a session, its name of "
            "today. Of your own agency alone; to officers of the hub and of the Ombudsman who may read the "
            "case, of every agency. Left out where there is none.",
        },
        "next": MAYBE | {"description": "The cursor of the next page, null at the end."},
    },
    ("officers",),
)

SHAPES: Final[dict[str, Json]] = {
    "evidence": obj(
        {
            "format": {"const": "simpul-evidence"},
            "version": {"const": 1},
            "hub": STRING,
            "incarnation": STRING,
            "case": ref("shared.uuid"),
            "tracking_number": STRING,
            "exported_at": TIME,
            "exported_for": ref("shared.agency_id"),
            "checkpoint": obj(
                {"hub": STRING, "incarnation": STRING, "made_at": TIME, "position": COUNT, "streams": COUNT,
                 "root": HASH, "signature": SIGNATURE}, (),
                "What the hub said of its whole log then: one Merkle root over all streams."),
            "streams": listed(obj(
                {"stream": STRING, "kind": STRING, "length": COUNT, "head": HASH, "erased": BOOL,
                 "path": listed(obj({"side": {"enum": ["left", "right"]}, "hash": HASH})),
                 "events": listed(EVIDENCE_EVENT)}, (),
                "`path` leads from this stream's length and head to the checkpoint's root. `erased`: the key "
                "of its words was destroyed.")),
            "handovers": listed(HANDOVER),
            "sha256": HASH | {"description": "Of every byte before `,\"sha256\"`."},
            "signature": SIGNATURE,
        },
        (), "To be kept byte by byte and checked with `simpul verify`."
    ),
    "reporter-identity": obj(
        {
            "case_id": ref("shared.uuid"),
            "reporter": obj({"name": STRING, "phone": STRING, "email": STRING, "national_id": STRING,
                             "anonymous": BOOL}, ("name", "phone", "email", "national_id"),
                            "What the reporter gave, as it was submitted."),
            "purpose": STRING | {"description": "As it was recorded: masked."},
            "read_at": TIME,
            "event_id": ref("shared.uuid") | {"description": "The `reporter.read` that records this."},
        }
    ),
    "case-page": page(ref("case")),
    "history-page": HISTORY_PAGE,
    "thread-page": page(ref("thread")),
    "message-page": page(ref("message")),
    "commitment-page": page(ref("commitment")),
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
    "event-stream": STRING | {"description": "Server-sent events, endless."},
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
    "handover": obj(
        {
            "agency": ref("shared.agency_id") | {"description": "Who handed the work over."},
            "from": ref("shared.agency_id"),
            "to": ref("shared.agency_id"),
            "from_officer": ref("shared.uuid"),
            "to_officer": ref("shared.uuid"),
            "departed": BOOL,
            "summary": ref("shared.handover_summary"),
            "text": STRING | {"description": "Your note, as it was masked."},
            "complete": BOOL | {"description": "false: there is more; send it again under a new key."},
        }, ("from_officer", "to_officer", "departed", "text"),
    ),
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
    "session": obj(
        {
            "officer": obj(
                {
                    "id": ref("shared.uuid"),
                    "name": STRING,
                    "email": STRING,
                    "agency": ref("shared.agency_id"),
                    "role": {"enum": list(OFFICER_ROLES)},
                    "totp": BOOL | {"description": "Whether signing in needs a code."},
                }
            ),
            "csrf_token": STRING | {"description": "For the header X-CSRF-Token of every write."},
            "expires_at": TIME,
        }
    ),
    "totp-secret": obj({"secret": STRING | {"description": "In base32."}, "uri": STRING}),
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
