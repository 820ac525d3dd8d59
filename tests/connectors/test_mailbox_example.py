"""The tables that the mailbox example writes down fit its own statements."""

from __future__ import annotations

import re
import tomllib
from functools import partial

import pytest

from connectors.database import Database
from connectors.dialects import open_dialect, read_address
from connectors.effects import Effect, apply_effect
from connectors.events import PARAMETERS
from connectors.replies import ACTIONS, SCOPES, VERDICTS
from tests.connectors.apps import mysql_app, postgres_app
from tests.parts.hub import ROOT

EXAMPLE = ROOT / "connectors" / "examples" / "ministry-mailbox.toml"
LONGEST = {"title": "j" * 255, "type": "consultation.requested", "tracking_number": "V81A-CFES-HWPD"}
UUID = "0197d2a4-6f3e-7c21-9b0a-3f5f0c6f8a11"


def tables() -> list[str]:
    text = "\n".join(line.removeprefix("#") for line in EXAMPLE.read_text(encoding="utf-8").splitlines())
    return re.findall(r"CREATE TABLE .*?\)(?=;)", text, re.DOTALL)


@pytest.mark.parametrize(
    "engine",
    [
        pytest.param("postgres", marks=pytest.mark.postgres),
        pytest.param("innodb", marks=pytest.mark.mariadb),
    ],
)
async def test_its_tables_take_an_event_and_give_a_reply(engine: str, request: pytest.FixtureRequest) -> None:
    config = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    mysql = engine == "innodb"
    base = request.getfixturevalue("mariadb" if mysql else "postgres")
    with mysql_app(base, engine) if mysql else postgres_app(base) as app:
        made = tables()
        assert len(made) == 2
        for statement in made:
            if mysql:
                statement = statement.replace("GENERATED ALWAYS AS IDENTITY", "AUTO_INCREMENT")
                statement = statement.replace("TIMESTAMP", "DATETIME")
            app.run(statement)
        database = Database(open_dialect(read_address(app.url, "test"), 10, "utf8mb4"), "test")
        moment = {"due_at": "2026-11-30T16:00:00+07:00", "local_time": "2026-11-22 08:00:00"}
        ids = {name: UUID for name in PARAMETERS if name.endswith("_id")}
        event = dict.fromkeys(PARAMETERS) | ids | LONGEST | moment | {"description": "Jalan rusak."}
        effect = Effect(**config["deliver"]["table"])
        for _ in range(2):
            await database.write(partial(apply_effect, effect=effect, parameters=event))
        assert [tuple(row) for row in app.run("SELECT nomor FROM surat_masuk")] == [("V81A-CFES-HWPD",)]
        erased = Effect(**config["deliver"]["erased"])
        await database.write(partial(apply_effect, effect=erased, parameters=event))
        assert [tuple(row) for row in app.run("SELECT judul, isi FROM surat_masuk")] == [("", "")]
        columns = "aksi, id_penerusan, isi, pendapat, lingkup"
        longest = [max(words, key=len) for words in (ACTIONS, VERDICTS, SCOPES)]
        app.run(
            f"INSERT INTO surat_balasan ({columns}) VALUES (?, ?, ?, ?, ?)",
            (longest[0], UUID, "Selesai.", longest[1], longest[2]),
        )
        query = config["answers"]["table"]["query"]
        rows = await database.read(lambda session: session.rows(query, {"cursor": 0, "limit": 10}))
        assert [(row["action"], row["forwarding_id"], row["text"]) for row in rows] == [
            (longest[0], UUID, "Selesai.")
        ]
        database.close()
