"""What contract_hub.py knows: cases, mailboxes and what arrived, in one SQLite file that survives a kill."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import uuid
from datetime import UTC, datetime
from typing import Any

import orjson

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
