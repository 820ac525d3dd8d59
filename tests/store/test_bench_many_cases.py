"""The large hub that `make bench` casts from real cases: it follows the tables as they change."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from hub.domain.commands import Accept
from hub.store import case_tables
from hub.store.rows import case_row
from tests.bench.casework.many_cases import fill_sqlite
from tests.domain.casework import CASE_ID
from tests.domain.waitwork import LEAD, work_in
from tests.store.storework import make_template

COUNT = 110


def test_a_large_hub_has_its_deadlines_and_its_overdue_cases(tmp_path: Path) -> None:
    waiting = work_in()
    waiting.sent(LEAD)
    accepted = work_in()
    accepted.act(Accept(CASE_ID, accepted.sent(LEAD)), LEAD)
    path = make_template(tmp_path / "simpul.db")
    ids = {}
    with closing(sqlite3.connect(path)) as database:
        for name, work in {"early": accepted, "late": waiting}.items():
            ids[name] = name.ljust(36, "0")
            row = [ids[name], name, *case_row(work.case)[2:]]
            state = case_tables.cases.columns.keys().index("state")
            row[state] = row[state].replace(CASE_ID.encode(), ids[name].encode())
            database.execute(f"INSERT INTO cases VALUES ({', '.join('?' * len(row))})", row)
        database.commit()
    kept = (ids["early"], ids["late"])
    fill_sqlite(path, (kept, kept), COUNT)
    with closing(sqlite3.connect(path)) as database:
        [[cast, wakes, ended]] = database.execute(
            "SELECT count(*), count(next_wake), count(ended_at) FROM cases WHERE id NOT IN (?, ?)", kept
        )
        [overdue] = database.execute(
            "SELECT count(DISTINCT case_id) FROM case_agencies WHERE overdue"
        ).fetchone()
    assert (cast, wakes, ended) == (COUNT, COUNT, 0)
    assert 0 < overdue < COUNT
