"""What one would write instead of the hub: aiohttp, jsonschema-rs, PostgreSQL, a complaint and its outbox row
in one commit each, and a relay that sends signed webhooks. No sealing, no mailbox, no order, no log.

python -m tests.bench.outbox PORT DATABASE_URL WEBHOOK_URL"""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Final
from uuid import uuid4

import jsonschema_rs
import orjson
import psycopg
import uvloop
from aiohttp import web

from schemas.registry import Registry
from tests.bench.outbox_relay import Relay

CONNECTIONS: Final = 16
SCHEMA: Final = (
    "CREATE TABLE complaints (id uuid PRIMARY KEY, agency text NOT NULL, reference text NOT NULL, "
    "category text NOT NULL, region text, status text NOT NULL, body bytea NOT NULL, "
    "created_at timestamptz NOT NULL DEFAULT now(), UNIQUE (agency, reference))",
    "CREATE INDEX complaints_created ON complaints (created_at)",
    "CREATE TABLE outbox (id bigserial PRIMARY KEY, event_id uuid NOT NULL, body bytea NOT NULL)",
)
INSERT: Final = (
    "WITH c AS (INSERT INTO complaints (id, agency, reference, category, region, status, body) "
    "VALUES (%s, %s, %s, %s, %s, 'submitted', %s)) INSERT INTO outbox (event_id, body) VALUES (%s, %s)"
)


class Outbox:
    """The whole service: one statement, one commit, one round trip a complaint."""

    def __init__(
        self, validator: jsonschema_rs.Draft202012Validator, pool: asyncio.Queue[Any], relay: Relay
    ) -> None:
        self._validator = validator
        self._pool = pool
        self._relay = relay

    async def submit(self, request: web.Request) -> web.Response:
        data = await request.read()
        document = orjson.loads(data)
        if not self._validator.is_valid(document):
            return web.Response(status=422)
        case_id, event_id = uuid4(), uuid4()
        source, event = document["source"], self._event(document, str(case_id), str(event_id))
        row = (
            case_id,
            source["agency"],
            source["reference"],
            document["category"],
            document.get("location", {}).get("region"),
            data,
            event_id,
            event,
        )
        connection = await self._pool.get()
        try:
            await connection.execute(INSERT, row)
        finally:
            self._pool.put_nowait(connection)
        self._relay.wake()
        answer = orjson.dumps({"id": str(case_id), "status": "submitted", "complaint": document})
        return web.Response(body=answer, status=201, content_type="application/json")

    def _event(self, document: dict[str, Any], case_id: str, event_id: str) -> bytes:
        complaint = {name: value for name, value in document.items() if name != "reporter"}
        return orjson.dumps(
            {
                "specversion": "1.0",
                "id": event_id,
                "source": "http://127.0.0.1",
                "type": "id.simpul.complaint.submitted.v1",
                "subject": case_id,
                "datacontenttype": "application/json",
                "data": {"case_id": case_id, "complaint": complaint},
            }
        )


async def connections(url: str) -> asyncio.Queue[Any]:
    pool: asyncio.Queue[Any] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
        connection.prepare_threshold = 0
        pool.put_nowait(connection)
    return pool


def complaint_validator() -> jsonschema_rs.Draft202012Validator:
    """The hub's own schema; nothing else of ours is used."""
    return jsonschema_rs.Draft202012Validator(Registry.load().inlined("complaint"), validate_formats=True)


async def make(url: str, webhook_url: str) -> web.Application:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for statement in SCHEMA:
            await connection.execute(statement)
        relay = Relay(await psycopg.AsyncConnection.connect(url, autocommit=True), webhook_url)
    app = web.Application()
    service = Outbox(complaint_validator(), await connections(url), relay)
    app.router.add_post("/v1/complaints", service.submit)
    app.cleanup_ctx.append(relay.running)
    return app


def main() -> None:
    port, url, webhook_url = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    loop = uvloop.new_event_loop()
    app = loop.run_until_complete(make(url, webhook_url))
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None, loop=loop)


if __name__ == "__main__":
    main()
