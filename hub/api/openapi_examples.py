"""Examples of the answers in `openapi_shapes.py`; shared schemas bring their own."""

from __future__ import annotations

from typing import Any, Final

import orjson

_CASE: Final = "0197d2a4-6f3e-7c21-9b0a-3f5f0c6f8a11"
_EVENT: Final = "0197d2a4-6f40-7a02-8d11-1b7de0a4c915"
_HASH: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_TIME: Final = "2025-03-14T02:26:53.120Z"
_AGENCY: Final = {
    "id": "dinas-pupr-kotim",
    "name": "Dinas PUPR Kabupaten Kotawaringin Timur",
    "kind": "unit",
    "region": "62.02",
    "parent": "kab-kotim",
    "time_zone": "Asia/Pontianak",
    "active": True,
    "kafka": False,
    "days_off": {"2025-01-07": "Hari Jadi Kabupaten Kotawaringin Timur"},
}
_WEBHOOK: Final = {
    "url": "https://pengaduan.contoh.go.id/simpul",
    "event_types": ["id.simpul.forwarding.sent.v1", "id.simpul.forwarding.withdrawn.v1"],
    "schema_version": 1,
    "active": True,
    "paused_until": None,
    "created_at": _TIME,
}
_DELIVERY: Final = {
    "id": "0197d2a5-01aa-7f53-a3c4-90aa7cd1b204",
    "position": 41,
    "event_id": _EVENT,
    "subject": _CASE,
    "type": "id.simpul.forwarding.sent.v1",
    "state": "dead",
    "attempts": 10,
    "http_status": 500,
    "latency_ms": 812.4,
    "cause": "The endpoint answered 500 ten times.",
    "next_attempt_at": None,
    "created_at": _TIME,
    "updated_at": "2025-03-15T05:02:11.004Z",
}
_SIGNED: Final = {"kid": "hZ0S1nUtmHRbLNfzl4XcQ2EJj1wTtRjKkq9i0f5aVYs", "value": "c2ltcHVs" * 10 + "c2ltcA"}
_CHECKPOINT: Final = {
    "hub": "https://simpul.contoh.go.id",
    "incarnation": "4be80b0ed9b1a9cd41a1a1f6c6a6e0c7",
    "made_at": _TIME,
    "position": 18204,
    "streams": 2210,
    "root": _HASH,
    "signature": _SIGNED,
}
_EVIDENCE: Final = {
    "format": "simpul-evidence",
    "version": 1,
    "hub": _CHECKPOINT["hub"],
    "incarnation": _CHECKPOINT["incarnation"],
    "case": _CASE,
    "tracking_number": "K7QD-2M4P-9XHT",
    "exported_at": _TIME,
    "exported_for": "kab-kotim",
    "checkpoint": _CHECKPOINT,
    "streams": [
        {
            "stream": _CASE,
            "kind": "case",
            "length": 2,
            "head": _HASH,
            "erased": False,
            "path": [{"side": "right", "hash": _HASH}],
            "events": [
                {
                    "sequence": 1,
                    "chain": _HASH,
                    "header": "eyJpZCI6IjAxOTdkMmE0In0=",
                    "sealed": "AQEAAABA",
                    "keys": {"masked": "mF4Ybd0xG3lQ9o1tF5nEw2pJ8kZ7vC6sR4uT0yXaHhI="},
                },
                {"sequence": 2, "chain": _HASH, "withheld": True},
            ],
        }
    ],
    "handovers": [],
    "sha256": _HASH,
    "signature": _SIGNED,
}

EXAMPLES: Final[dict[str, Any]] = {
    "batch-line": {"line": 1, "status": 201, "case_id": _CASE},
    "evidence": _EVIDENCE,
    "reporter-identity": {
        "case_id": _CASE,
        "reporter": {"name": "Siti Rahmawati", "phone": "081200000000", "anonymous": False},
        "purpose": "Menanyakan letak lubang yang tepat lewat telepon",
        "read_at": _TIME,
        "event_id": _EVENT,
    },
    "handover": {
        "agency": "inspektorat-kotim",
        "from": "inspektorat-kotim",
        "to": "diskominfo-kotim",
        "summary": {
            "counts": {
                "cases": 1,
                "owned": 0,
                "forwardings": 1,
                "consultations": 0,
                "threads": 0,
                "commitments": 0,
            },
            "cases": [_CASE],
            "threads": [],
            "due": [
                {
                    "case_id": _CASE,
                    "stage": "follow_up",
                    "subject": _EVENT,
                    "due_at": _TIME,
                    "state": "running",
                },
            ],
            "commitments": [],
        },
        "complete": True,
    },
    "mailbox-digest": {"from": 1, "to": 250, "count": 250, "sha256": _HASH},
    "submissions-digest": {
        "from": "2025-02-28T17:00:00.000Z",
        "to": "2025-03-31T17:00:00.000Z",
        "count": 1204,
        "sha256": _HASH,
    },
    "webhook-view": _WEBHOOK,
    "delivery": _DELIVERY,
    "delivery-page": {"items": [_DELIVERY], "next": None},
    "agency": _AGENCY,
    "agency-page": {"items": [_AGENCY], "next": None},
    "category-page": {
        "items": [{"code": "road", "name": "Jalan dan jembatan", "name_en": "Roads and bridges"}],
        "next": None,
    },
    "region-page": {
        "items": [{"code": "62.02", "name": "Kabupaten Kotawaringin Timur", "kind": "regency"}],
        "next": None,
    },
    "file": {"id": _HASH, "media_type": "image/jpeg", "size": 184220},
    "session": {
        "officer": {
            "id": "0197d2a4-7001-7b12-9c55-2d1f6a0be731",
            "name": "Siti Rahmawati",
            "email": "siti.rahmawati@kotim.go.id",
            "agency": "kab-kotim",
            "role": "coordinator",
            "totp": False,
        },
        "csrf_token": "kXb0rS3m0Qw2v1cE8yJ5tU7aN9dL4pG6hZfRxTqWzMo",
        "expires_at": "2025-03-14T14:26:53.120Z",
    },
    "totp-secret": {
        "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
        "uri": "otpauth://totp/Simpul:siti.rahmawati%40kotim.go.id?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        "&issuer=Simpul",
    },
    "token-request": {"grant_type": "client_credentials", "scope": "complaints:write cases:read"},
    "token": {
        "access_token": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.c2ln",
        "token_type": "Bearer",
        "expires_in": 600,
        "scope": "complaints:write cases:read",
    },
    "oauth-error": {
        "error": "invalid_client",
        "error_description": "The client is unknown or revoked, or its credentials are wrong.",
    },
    "jwks": {
        "keys": [
            {
                "kty": "EC",
                "crv": "P-256",
                "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
                "use": "sig",
                "alg": "ES256",
                "kid": "h7Yx0pQe",
            }
        ]
    },
    "server-metadata": {
        "issuer": "https://simpul.contoh.go.id",
        "token_endpoint": "https://simpul.contoh.go.id/oauth/token",
        "jwks_uri": "https://simpul.contoh.go.id/.well-known/jwks.json",
    },
    "health": {"status": "ok"},
    "readiness": {"status": "ready", "parts": {"database": "ok"}},
    "json-schema": {"$id": "/schemas/complaint/1.json"},
}


def composed(shared: dict[str, Any]) -> dict[str, Any]:
    """Those examples that hold a shared schema's example; `shared` maps a schema's name to it."""
    event = shared["event"]
    entry = {"position": 41, "event": event}
    streamed = f"id: 41\nevent: {event['type']}\ndata: {orjson.dumps(event).decode()}\n\n"
    return {
        "case-page": {"items": [shared["case"]], "next": None},
        "history-page": {
            "items": [event],
            "officers": {event["id"]: {"id": "0197d2a0-0000-7000-8000-000000000003", "name": "Dewi Kartika"}},
            "next": None,
        },
        "thread-page": {"items": [shared["thread"]], "next": None},
        "message-page": {"items": [shared["message"]], "next": None},
        "commitment-page": {"items": [shared["commitment"]], "next": None},
        "forwarding-items": {"items": [shared["forwarding"]]},
        "event-stream": streamed,
        "mailbox-page": {"items": [entry], "next": 41, "incarnation": "0197d2a0-0000-7000-8000-000000000001"},
    }
