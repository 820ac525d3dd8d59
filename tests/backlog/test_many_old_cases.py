"""Years of old cases at once: no storm of missed deadlines, nothing personal on disk; killed in the middle
and gone on, beside a hub that serves."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hub.service.clock_role import ClockRole
from hub.service.readers import Readers
from hub.service.writer import Writer
from tests.backlog.backlogwork import Importer, open_row, row
from tests.parts.caller import complaint
from tests.parts.hub import HubProcess
from tests.parts.postgres import drop_database, make_database
from tests.service.hubworld import KOTIM, TurnedClock

MANY = int(os.environ.get("SIMPUL_BACKLOG_CASES", "2000"))
"""10,000 for the whole run."""
KINDS: list[dict[str, str]] = [
    {},
    {"status": "Baru"},
    {"status": "Proses", "tgl_verifikasi": "05/03/2019"},
    {"status": "Dijawab", "tgl_jawab": "08/03/2019 10:00", "jawaban": "Sudah ditangani."},
    {"status": "Ditolak", "tgl_tolak": "06/03/2019", "alasan": "Bukan kewenangan kami."},
]


def many(count: int) -> list[dict[str, Any]]:
    kinds = [(row if not kind else open_row, kind) for kind in KINDS]
    made = (kinds[number % len(kinds)] for number in range(count))
    return [make(f"LAMA-{number}", **kind) for number, (make, kind) in enumerate(made)]


async def test_old_cases_raise_no_deadline(importer: Importer) -> None:
    file = importer.csv(many(MANY))
    began = time.process_time()
    said = importer.run(file)
    print(f"{MANY} cases in {time.process_time() - began:.1f} s of processor time")
    assert said.sums == {"rows": MANY, "taken": MANY, "there_already": 0, "refused": 0}
    clock = TurnedClock(datetime.now(UTC) + timedelta(days=400))
    with importer.core(clock) as core:
        readers = Readers(core.store)
        writer = Writer(core.runner, lambda committed: None)
        writer.start()
        try:
            assert await ClockRole(readers, writer, clock).once() == 0
        finally:
            await writer.stop()
            await readers.stop()
        types: Counter[str] = Counter()
        states: Counter[str] = Counter()
        position = 0
        with core.store.read() as session:
            assert session.to_wake("9999", 1) == []
            while events := session.events_after(position, 1000):
                position = events[-1].position
                for event in events:
                    fact = event.fact()
                    types[fact.type] += 1
                    states.update(each["state"] for each in fact.data.get("clocks", ()))
        assert not {"deadline.missed", "deadline.approaching", "complaint.escalated"} & types.keys()
        assert types["complaint.submitted"] == MANY and states.keys() == {"historical"}
        assert importer.difference(core) is None


def test_nothing_personal_lies_open(importer: Importer, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["Marlina Tundan", "6202014107890001", "081250000431", "81250000431", "6271034509920003"]
    text = f"Ibu {words[0]}, NIK {words[1]}, hp {words[2]}; tetangganya 6271034509920003."
    said = importer.take(
        row(isi=text, jawaban=f"Yth. {text}"),
        open_row("LAMA-2", isi=text, status="Ditolak", tgl_tolak="06/03/2019", alasan=text),
        row("LAMA-3", isi=text, jawaban=f"Yth. {text}", jenis=text, nik="62020141078900"),
    )
    assert said.sums == {"rows": 3, "taken": 2, "there_already": 0, "refused": 1}
    with importer.core() as core:
        for reference, kind in (("LAMA-1", "complaint.answered"), ("LAMA-2", "complaint.rejected")):
            (masked,) = [texts for fact, texts in importer.events(reference, core) if fact.type == kind]
            assert masked and not any(word in str(masked) for word in words), masked
        found = [
            (file.name, word)
            for file in (importer.folder / "var").rglob("*") if file.is_file()
            for data in [file.read_bytes()]
            for word in words
            if word.encode() in data or word.encode("utf-16-le") in data
        ]  # fmt: skip
    assert found == []
    logged = said.err + "".join(capfd.readouterr())
    assert not any(word in logged + str(said.refused) for word in words)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[HubProcess]:
    """A hub that serves, on each engine."""
    env, url = {}, None
    if request.param == "postgres":
        url = env["SIMPUL_DATABASE_URL"] = make_database()
    hub = HubProcess(tmp_path, env)
    try:
        if url:
            hub.cli("migrate")
        yield hub
    finally:
        hub.kill()
        if url:
            drop_database(url)


def test_killed_in_the_middle_beside_a_hub_it_goes_on(hub: HubProcess, tmp_path: Path) -> None:
    """Nothing twice, nothing missing; the hub takes new complaints all the while."""
    files = Importer(tmp_path)
    file, mapping = str(files.csv(many(2000))), str(files.mapping())
    agency = hub.start().agency(KOTIM, "regency", "--region", "62.02")
    new = 0

    def complains() -> None:
        nonlocal new
        new += 1
        status, answer = agency.call("POST", "/v1/complaints", complaint(KOTIM, f"BARU-{new}"))
        assert status == 201, answer

    with hub.begun("import", file, "--mapping", mapping) as importing:
        while cases(hub) - new < 300:
            assert importing.process.poll() is None, "it ended before it could be killed"
            complains()
    there = cases(hub) - new
    assert 0 < there < 2000
    sums = json.loads(hub.cli("import", file, "--mapping", mapping).stdout)
    assert sums == {"rows": 2000, "taken": 2000 - there, "there_already": there, "refused": 0}
    complains()
    assert cases(hub) == 2000 + new
    hub.cli("rebuild", "--check")


def cases(hub: HubProcess) -> int:
    """By the references that the hub knows."""
    query = "SELECT count(*) FROM case_references"
    if url := hub.env.get("SIMPUL_DATABASE_URL"):
        with psycopg.connect(url) as server:
            return int((server.execute(query).fetchone() or (0,))[0])
    with closing(sqlite3.connect(hub.data / "simpul.db")) as file:
        return int(file.execute(query).fetchone()[0])
