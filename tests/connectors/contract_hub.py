"""A small hub that keeps the published contract, for testing connectors alone: a real server, a real file.

Run as a program: contract_hub.py PORT FILE. A client's id is its agency's; every secret is "rahasia". What a
connector does not use is left out. `/control/...` is for tests: erase, answer 503, look at what arrived.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import sqlite3
import sys
import uuid
from datetime import UTC, datetime
from typing import Any

import orjson
from aiohttp import web

from schemas.categories import Categories
from schemas.complaint_check import check_complaint
from schemas.regions import Regions
from schemas.registry import Registry

TABLES = """
CREATE TABLE IF NOT EXISTS cases (id TEXT PRIMARY KEY, agency TEXT, reference TEXT, digest BLOB, body BLOB,
    erased INTEGER DEFAULT 0, UNIQUE (agency, reference));
CREATE TABLE IF NOT EXISTS mailbox (agency TEXT, position INTEGER, event BLOB,
    PRIMARY KEY (agency, position));
CREATE TABLE IF NOT EXISTS keys (key TEXT PRIMARY KEY, digest BLOB, status INTEGER, body BLOB);
CREATE TABLE IF NOT EXISTS received (reference TEXT, status INTEGER);
CREATE TABLE IF NOT EXISTS cursors (agency TEXT PRIMARY KEY, position INTEGER);
CREATE TABLE IF NOT EXISTS files (sha256 TEXT PRIMARY KEY);
"""


class Problem(Exception):
    def __init__(self, status: int, kind: str, detail: str = "", **extra: Any) -> None:
        self.status = status
        self.body = {"type": f"https://simpul.id/problems/{kind}", "title": kind, "status": status}
        self.body |= {"detail": detail, **extra}


class ContractHub:
    def __init__(self, path: str) -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + TABLES)
        self.registry, self.regions, self.categories = Registry.load(), Regions.load(), Categories.load()
        self.incarnation = hashlib.sha256(path.encode()).hexdigest()[:16]
        self.changed = asyncio.Event()
        self.unavailable = 0
        self.revoked: set[str] = set()

    # -- complaints ---------------------------------------------------------------------------------------

    def submit(self, agency: str, document: Any) -> tuple[int, dict[str, Any]]:
        now = datetime.now(UTC)
        flaws = check_complaint(
            document, now=now, registry=self.registry, regions=self.regions, categories=self.categories
        )
        if flaws:
            raise Problem(422, "invalid", "breaks the schema", errors=[flaw.as_dict() for flaw in flaws])
        if document["source"]["agency"] != agency:
            raise Problem(403, "forbidden", "source.agency is another agency")
        for attachment in document.get("attachments", []):
            known = self.db.execute("SELECT 1 FROM files WHERE sha256=?", (attachment["sha256"],)).fetchone()
            if not known:
                errors = [{"pointer": "/attachments/0/sha256", "detail": "was not uploaded"}]
                raise Problem(422, "invalid", "unknown attachment", errors=errors)
        reference = document["source"]["reference"]
        digest = hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).digest()
        row = self.db.execute(
            "SELECT id, digest, body, erased FROM cases WHERE agency=? AND reference=?", (agency, reference)
        ).fetchone()
        if row and row[3]:
            raise Problem(410, "complaint-erased", case_id=row[0])
        if row and row[1] != digest:
            raise Problem(409, "complaint-conflict", "other content")
        if row:
            return 200, orjson.loads(row[2])
        case = {
            "id": str(uuid.uuid4()), "tracking_number": f"SP-{uuid.uuid4().hex[:8]}", "status": "submitted",
            "version": 1, "owner": agency, "complaint": document, "forwardings": [],
        }  # fmt: skip
        self.db.execute("BEGIN")
        self.db.execute(
            "INSERT INTO cases (id, agency, reference, digest, body) VALUES (?,?,?,?,?)",
            (case["id"], agency, reference, digest, orjson.dumps(case)),
        )
        self.emit(case, "complaint.submitted", agency, {"complaint": document})
        self.db.execute("COMMIT")
        return 201, case

    def case(self, case_id: str) -> dict[str, Any]:
        row = self.db.execute("SELECT body FROM cases WHERE id=?", (case_id,)).fetchone()
        if row is None:
            raise Problem(404, "not-found")
        return orjson.loads(row[0])

    def save(self, case: dict[str, Any], kind: str, actor: str, data: dict[str, Any]) -> None:
        case["version"] += 1
        self.db.execute("BEGIN")
        self.db.execute("UPDATE cases SET body=? WHERE id=?", (orjson.dumps(case), case["id"]))
        self.emit(case, kind, actor, data)
        self.db.execute("COMMIT")

    def emit(self, case: dict[str, Any], kind: str, actor: str, data: dict[str, Any]) -> None:
        common = {name: case[name] for name in ("tracking_number", "status", "owner", "version")}
        event = {
            "specversion": "1.0", "id": str(uuid.uuid4()), "source": "http://hub",
            "type": f"id.simpul.{kind}.v1", "sequence": f"{case['version']:010d}",
            "time": datetime.now(UTC).isoformat(), "subject": case["id"],
            "data": {"case_id": case["id"], "agency": actor, **common, **data},
        }  # fmt: skip
        for agency in {case["complaint"]["source"]["agency"], *(leg["to"] for leg in case["forwardings"])}:
            (last,) = self.db.execute(
                "SELECT max(position) FROM mailbox WHERE agency=?", (agency,)
            ).fetchone()
            self.db.execute(
                "INSERT INTO mailbox VALUES (?,?,?)", (agency, (last or 0) + 1, orjson.dumps(event))
            )
        self.changed.set()

    # -- the case's steps ---------------------------------------------------------------------------------

    def verify(self, agency: str, case_id: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        case = self.case(case_id)
        if case["status"] not in ("submitted", "incomplete"):
            raise Problem(409, "state-conflict", f"the case is {case['status']}", state=case["status"])
        case["status"] = "verified"
        self.save(case, "complaint.verified", agency, {})
        return 200, case

    def forward(self, agency: str, case_id: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        case = self.case(case_id)
        if case["status"] == "submitted" or case["forwardings"]:
            raise Problem(409, "state-conflict", f"the case is {case['status']}", state=case["status"])
        made = []
        for recipient in body["to"]:
            if recipient["agency"].startswith("unknown"):
                errors = [{"pointer": "/to/0/agency", "detail": "no such agency"}]
                raise Problem(422, "invalid", "no such agency", errors=errors)
            leg = {"id": str(uuid.uuid4()), "case_id": case_id, "from": agency, "to": recipient["agency"]}
            leg |= {"role": recipient["role"], "status": "sent", "note": None}
            case["forwardings"].append(leg)
            made.append(leg)
        case["status"] = "forwarded"
        for leg in made:
            self.save(case, "forwarding.sent", agency, {"forwarding": leg, "complaint": case["complaint"]})
        return 201, {"items": made}

    def act(self, agency: str, leg_id: str, action: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        rows = self.db.execute(
            "SELECT body FROM cases WHERE CAST(body AS TEXT) LIKE ?", (f"%{leg_id}%",)
        ).fetchall()
        case = next((orjson.loads(row[0]) for row in rows), None)
        leg = next((leg for leg in case["forwardings"] if leg["id"] == leg_id), None) if case else None
        if case is None or leg is None or leg["to"] != agency:
            raise Problem(404, "not-found")
        allowed = {"acceptance": ["sent"], "return": ["sent", "accepted"]}.get(
            action, ["accepted", "in_progress"]
        )
        if leg["status"] not in allowed:
            raise Problem(409, "state-conflict", f"the forwarding is {leg['status']}", state=leg["status"])
        status, kind = {
            "acceptance": ("accepted", "accepted"), "return": ("returned", "returned"),
            "progress": ("in_progress", "progressed"), "answer": ("answered", "answered"),
        }[action]  # fmt: skip
        leg["status"] = status
        case["status"] = (
            "answered" if action == "answer" else "verified" if action == "return" else "in_progress"
        )
        self.save(case, f"forwarding.{kind}", agency, {"forwarding": leg, "text": body.get("text")})
        return 200, leg


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
