"""A small hub that keeps the published contract, for testing connectors alone: a real server, a real file.

Run as a program: contract_hub.py PORT FILE. A client's id is its agency's; every secret is "rahasia". What a
connector does not use is left out. `/control/...` is for tests: erase, answer 503, look at what arrived.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import sys
import uuid
from typing import Any

import orjson
from aiohttp import web

from tests.connectors.contract_state import ContractHub, Problem


def routes(hub: ContractHub) -> web.Application:
    def agency_of(request: web.Request) -> str:
        if hub.unavailable:
            hub.unavailable -= 1
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "0"})
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not token.startswith("token-") or token in hub.revoked:
            raise Problem(401, "unauthorized")
        return token.split("-", 2)[2]

    async def token(request: web.Request) -> web.Response:
        given = base64.b64decode(request.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        client, _, secret = given.partition(":")
        if secret != "rahasia":
            return web.json_response({"error": "invalid_client"}, status=401)
        body = {
            "access_token": f"token-{uuid.uuid4().hex[:6]}-{client}",
            "token_type": "Bearer",
            "expires_in": 600,
        }
        return web.json_response(body | {"scope": "complaints:submit mailbox:read"})

    async def once(request: web.Request, agency: str, do: Any) -> tuple[int, dict[str, Any]]:
        key = request.headers.get("Idempotency-Key")
        name, digest = f"{agency} {request.path} {key}", hashlib.sha256(await request.read()).digest()
        row = (
            hub.db.execute("SELECT digest, status, body FROM keys WHERE key=?", (name,)).fetchone()
            if key
            else None
        )
        if row:
            if row[0] != digest:
                raise Problem(422, "idempotency-key-reused")
            return row[1], orjson.loads(row[2])
        status, body = do(orjson.loads(await request.read()))
        if key:
            hub.db.execute("INSERT INTO keys VALUES (?,?,?,?)", (name, digest, status, orjson.dumps(body)))
        return status, body

    async def complaints(request: web.Request) -> web.Response:
        agency, document = agency_of(request), orjson.loads(await request.read())
        reference = document["source"]["reference"]
        try:
            status, case = hub.submit(agency, document)
        except Problem as problem:
            hub.db.execute("INSERT INTO received VALUES (?,?)", (reference, problem.status))
            raise
        hub.db.execute("INSERT INTO received VALUES (?,?)", (reference, status))
        return web.json_response(case, status=status)

    async def batch(request: web.Request) -> web.Response:
        agency, lines = agency_of(request), []
        for number, raw in enumerate((await request.read()).splitlines(), 1):
            document = orjson.loads(raw)
            try:
                status, case = hub.submit(agency, document)
                lines.append({"line": number, "status": status, "case_id": case["id"]})
            except Problem as problem:
                status = problem.status
                lines.append({"line": number, "status": status, "problem": problem.body})
            hub.db.execute("INSERT INTO received VALUES (?,?)", (document["source"]["reference"], status))
        body = b"".join(orjson.dumps(line) + b"\n" for line in lines)
        return web.Response(body=body, content_type="application/x-ndjson")

    async def verification(request: web.Request) -> web.Response:
        agency, case_id = agency_of(request), request.match_info["id"]
        status, body = await once(request, agency, lambda sent: hub.verify(agency, case_id, sent))
        return web.json_response(body, status=status)

    async def forwardings(request: web.Request) -> web.Response:
        agency, case_id = agency_of(request), request.match_info["id"]
        status, body = await once(request, agency, lambda sent: hub.forward(agency, case_id, sent))
        return web.json_response(body, status=status)

    async def action(request: web.Request) -> web.Response:
        agency, leg, what = agency_of(request), request.match_info["id"], request.match_info["action"]
        status, body = await once(request, agency, lambda sent: hub.act(agency, leg, what, sent))
        return web.json_response(body, status=status)

    async def case(request: web.Request) -> web.Response:
        agency_of(request)
        return web.json_response(hub.case(request.match_info["id"]))

    async def mailbox(request: web.Request) -> web.Response:
        agency, query = agency_of(request), request.query
        after, limit, wait = int(query["after"]), int(query["limit"]), float(query["wait"])
        deadline = asyncio.get_running_loop().time() + wait
        while True:
            hub.changed.clear()
            rows = hub.db.execute(
                "SELECT position, event FROM mailbox WHERE agency=? AND position>? ORDER BY position LIMIT ?",
                (agency, after, limit),
            ).fetchall()
            left = deadline - asyncio.get_running_loop().time()
            if rows or left <= 0:
                break
            try:
                await asyncio.wait_for(hub.changed.wait(), left)
            except TimeoutError:
                continue
        items = [{"position": position, "event": orjson.loads(event)} for position, event in rows]
        body = {"items": items, "next": rows[-1][0] if rows else after, "incarnation": hub.incarnation}
        return web.json_response(body)

    async def cursor(request: web.Request) -> web.Response:
        agency, position = agency_of(request), orjson.loads(await request.read())["position"]
        hub.db.execute("INSERT OR REPLACE INTO cursors VALUES (?,?)", (agency, position))
        return web.json_response({"position": position})

    async def attachment(request: web.Request) -> web.Response:
        agency_of(request)
        sha256 = hashlib.sha256(await request.read()).digest()
        if request.headers.get("Repr-Digest") != f"sha-256=:{base64.b64encode(sha256).decode()}:":
            raise Problem(422, "digest-mismatch")
        hub.db.execute("INSERT OR IGNORE INTO files VALUES (?)", (sha256.hex(),))
        return web.json_response({"id": sha256.hex()}, status=201)

    async def agency(request: web.Request) -> web.Response:
        agency_of(request)
        return web.json_response({"id": request.match_info["id"], "name": request.match_info["id"].upper()})

    async def control(request: web.Request) -> web.Response:
        what, body = request.match_info["what"], orjson.loads(await request.read() or b"{}")
        if what == "unavailable":
            hub.unavailable = body["times"]
        elif what == "erase":
            hub.db.execute("UPDATE cases SET erased=1 WHERE reference=?", (body["reference"],))
        elif what == "restore":
            hub.incarnation = uuid.uuid4().hex
        elif what == "reset":
            hub.unavailable = 0
            for table in ("cases", "mailbox", "keys", "received", "cursors", "files"):
                hub.db.execute(f"DELETE FROM {table}")
        elif what == "sql":
            return web.json_response(
                hub.db.execute(body["sql"]).fetchall(),
                dumps=lambda v: orjson.dumps(v, default=_text).decode(),
            )
        return web.json_response({})

    @web.middleware
    async def problems(request: web.Request, handler: Any) -> web.StreamResponse:
        try:
            return await handler(request)
        except Problem as problem:
            return web.json_response(
                problem.body, status=problem.status, content_type="application/problem+json"
            )

    application = web.Application(client_max_size=64 << 20, middlewares=[problems])
    application.add_routes([
        web.post("/oauth/token", token),
        web.post("/v1/complaints", complaints),
        web.post("/v1/complaints/batch", batch),
        web.get("/v1/cases/{id}", case),
        web.post("/v1/cases/{id}/verification", verification),
        web.post("/v1/cases/{id}/forwardings", forwardings),
        web.post("/v1/forwardings/{id}/{action}", action),
        web.get("/v1/mailbox", mailbox),
        web.put("/v1/mailbox/cursor", cursor),
        web.post("/v1/attachments", attachment),
        web.get("/v1/agencies/{id}", agency),
        web.post("/control/{what}", control),
    ])  # fmt: skip
    return application


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


async def _serve(port: int, path: str) -> None:
    runner = web.AppRunner(routes(ContractHub(path)), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), sys.argv[2]))
