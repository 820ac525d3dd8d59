"""Parameters, headers and refusals that the OpenAPI document names more than once."""

from __future__ import annotations

from typing import Any, Final

from hub.api.bodies import Stalled
from hub.api.cases import ROLES
from hub.api.protocol import HeadersTooLarge
from hub.api.stream import NotAcceptable
from hub.api.threads import ORDERS, STATUSES
from hub.domain.transitions import CASE
from hub.errors import (
    Erased,
    Forbidden,
    Internal,
    Invalid,
    NoSuchCase,
    NotJson,
    PreconditionFailed,
    Problem,
    StateConflict,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from hub.ports.webhooks import DELIVERY_STATES

Json = dict[str, Any]


def _query(name: str, schema: Json, description: str, *, required: bool = False, example: Any = None) -> Json:
    made: Json = {"name": name, "in": "query", "description": description, "schema": schema}
    if required:
        made["required"] = True
    if example is not None:
        made["example"] = example
    return made


def _header(name: str, schema: Json, description: str, example: str) -> Json:
    return {"name": name, "in": "header", "description": description, "schema": schema, "example": example}


def _whole(least: int, most: int, default: int | None = None) -> Json:
    made: Json = {"type": "integer", "minimum": least, "maximum": most}
    return made if default is None else made | {"default": default}


LARGEST: Final = 2**53 - 1
TIME: Final = {"type": "string", "format": "date-time"}
CODE: Final = {"type": "string"}

QUERY: Final[dict[str, Json]] = {
    "limit": _query("limit", _whole(1, 200, 50), "How many items at most."),
    "cursor": _query("cursor", {"type": "string", "minLength": 1, "maxLength": 2000},
                     "The `next` of the page before, unchanged."),
    "status": _query("status", {"enum": sorted(CASE)}, "The status of the case."),
    "agency": _query("agency", {"$ref": "#/components/schemas/shared.agency_id"},
                     "Only cases in which this other agency takes part.", example="dinas-pupr-kotim"),
    "region": _query("region", CODE, "A Kemendagri region code; its districts and villages count too.",
                     example="62.02"),
    "category": _query("category", CODE, "A category's code.", example="road"),
    "thread_case": _query("case", {"$ref": "#/components/schemas/shared.uuid"},
                          "Only threads about this case."),
    "message_order": _query("order", {"enum": list(ORDERS), "default": "oldest"}, "Which end comes first."),
    "owing_agency": _query("agency", {"$ref": "#/components/schemas/shared.agency_id"},
                           "Only what this agency owes.", example="bws-kalimantan-ii"),
    "commitment_status": _query("status", {"enum": list(STATUSES)}, "Only commitments with this status."),
    "overdue": _query("overdue", {"type": "boolean"}, "With a deadline that was missed and still runs."),
    "role": _query("role", {"enum": list(ROLES)}, "What your agency is to the case."),
    "q": _query("q", {"type": "string", "minLength": 2, "maxLength": 200},
                "Words of the title, the description or a number.", example="jalan berlubang"),
    "updated_since": _query("updated_since", TIME, "Changed at this moment or later.",
                            example="2025-03-14T00:00:00+07:00"),
    "purpose": _query("purpose", {"type": "string", "minLength": 3, "maxLength": 500},
                      "What the identity is needed for, on one line; it is recorded, masked like everything "
                      "that officers write.", required=True,
                      example="Menanyakan letak lubang yang tepat lewat telepon"),
    "after": _query("after", _whole(0, LARGEST, 0), "Entries after this position."),
    "stream_after": _query("after", _whole(0, LARGEST), "Entries after this position, for a client that "
                           "cannot send Last-Event-ID; that header goes first.", example=41),
    "wait": _query("wait", {"type": "number", "minimum": 0, "maximum": 30, "default": 0},
                   "Seconds to wait for the first entry."),
    "from_position": _query("from", _whole(1, LARGEST), "The first position.", required=True, example=1),
    "to_position": _query("to", _whole(1, LARGEST), "The last position; it belongs to the range.",
                          required=True, example=250),
    "from_time": _query("from", TIME, "The first moment.", required=True,
                        example="2025-03-01T00:00:00+07:00"),
    "to_time": _query("to", TIME, "The end of the span; it does not belong to it.", required=True,
                      example="2025-04-01T00:00:00+07:00"),
    "state": _query("state", {"type": "array", "items": {"enum": list(DELIVERY_STATES)}, "minItems": 1},
                    "Only deliveries in these states, separated by commas.")
    | {"style": "form", "explode": False},
    "parent": _query("parent", CODE, "The code of a province.", example="62"),
}  # fmt: skip

HEADERS: Final[dict[str, Json]] = {
    "Idempotency-Key": _header(
        "Idempotency-Key",
        {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
        "Kept for 7 days for writes that took effect: the same key and body give the same answer.",
        "0197d2a4-6f3e-7c21-9b0a-3f5f0c6f8a11",
    ),
    "If-Match": _header(
        "If-Match",
        {"type": "string", "pattern": '^(?:\\*|(?:W/)?"[0-9]{1,15}"|[0-9]{1,15})$'},
        "The version of the case or thread that you read; 412 when it has changed meanwhile.",
        '"3"',
    ),
    "Last-Event-ID": _header(
        "Last-Event-ID",
        {"type": "string", "pattern": "^[0-9]{1,16}$"},
        "The `id` of the last event that you have; a browser sends it by itself.",
        "41",
    ),
    "Repr-Digest": _header(
        "Repr-Digest",
        {"type": "string", "pattern": "^sha-256=:[A-Za-z0-9+/]{43}=:$"},
        "The SHA-256 of the file (RFC 9530); it is checked.",
        "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
    ),
}

PATH: Final[dict[str, Json]] = {
    "id": {"$ref": "#/components/schemas/shared.uuid"},
    "case": {"$ref": "#/components/schemas/shared.uuid"},
    "agency": {"$ref": "#/components/schemas/shared.agency_id"},
    "sha256": {"$ref": "#/components/schemas/shared.sha256"},
    "name": {"type": "string", "examples": ["complaint"]},
    "version": {"type": "integer", "minimum": 1, "examples": [1]},
}

ANSWER_HEADERS: Final[dict[str, Json]] = {
    "Location": {"description": "The address of what was made.", "schema": {"type": "string"}},
    "Content-Disposition": {
        "description": "A name to keep the file under.",
        "schema": {"type": "string"},
    },
    "ETag": {"description": "The version, for If-Match.", "schema": {"type": "string"}},
    "Simpul-Masked": {
        "description": "Kinds of personal data that were masked in what you wrote, separated by commas; "
        "they are not kept. Contact with the reporter goes through the source app.",
        "schema": {"type": "string"},
    },
    "Simpul-Incarnation": {
        "description": "The mailbox's incarnation, as its pages tell it.",
        "schema": {"type": "string"},
    },
    "Set-Cookie": {"description": "The session's cookie, or its end.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
    "WWW-Authenticate": {"description": "RFC 6750.", "schema": {"type": "string"}},
    "X-Correlation-Id": {
        "description": "The trace id of this request: that of `traceparent` when it was sent (W3C).",
        "schema": {"type": "string"},
    },
}

_FIELD: Final = [("/title", "title is missing. Write a text of 1 to 200 characters.")]

PROBLEMS: Final[dict[int, Problem]] = {
    400: NotJson("The member 'title' stands twice in one object. Send each member once."),
    401: Unauthenticated("The access token has expired; get a new one from the token endpoint."),
    403: Forbidden("The action 'verify' is for the case's owner alone."),
    404: NoSuchCase(),
    406: NotAcceptable("This answer is text/event-stream; name it in Accept, or leave Accept out."),
    408: Stalled("The body did not arrive within 60 s. Send it again."),
    409: StateConflict(
        "Verify is not possible while the case is closed. Possible now: reopen.",
        extra={"state": "closed", "version": 7, "possible": ["reopen"]},
    ),
    410: Erased("The mailbox starts at position 120 now.", code="mailbox-trimmed", extra={"first": 120}),
    412: PreconditionFailed("The case is at version 4 now, not 3; read it again.", extra={"version": 4}),
    413: TooLarge("The body is longer than 1,048,576 bytes, the most that is taken here."),
    415: UnsupportedMediaType("The body must be sent as application/json."),
    422: Invalid("The body has 1 flaw(s); each is named below.", flaws=_FIELD),
    429: TooMany("This client may send 50 requests a second; wait 1 s.", retry_after_s=1),
    431: HeadersTooLarge("A header, or the request line, is longer than 8 kB."),
    500: Internal("The hub failed on this request. Tell its operator the correlation id."),
    503: Unavailable("The hub cannot write now; nothing was accepted. Try again.", retry_after_s=5),
}
"""status -> an example of its problem."""
