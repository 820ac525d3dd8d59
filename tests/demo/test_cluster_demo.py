"""`make run-cluster` on real parts: complaints travel, processes are killed, complaints go on travelling.
Tests build on each other."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator

import psutil
import pytest

from deploy.demo.cluster import brokers, postgres
from tests.demo.running import Demo
from tests.parts.local_server import PartMissing, folder_of, free_row, skip_or_fail

pytestmark = pytest.mark.timeout(300)
PATIENCE_S = 120.0
"""For a machine that has much else to do; half a minute is usual for the start."""
PROGRAM = ("deploy.demo.cluster", "--minutes", "5", "--plain")
PROCESSES = 21


@pytest.fixture(scope="module")
def cluster() -> Iterator[Demo]:
    if missing := [*postgres.missing(), *brokers.missing()]:
        skip_or_fail(PartMissing("; ".join(missing)))
    with folder_of(None, "cluster") as folder:
        made = Demo(folder / "ruang", free_row(19), PROGRAM, ends_within_s=25.0)
        yield made
        if made.process is not None and made.process.poll() is None:
            made.end(signal.SIGKILL)


def home_through(cluster: Demo, ministry: str) -> int:
    """Complaints whose answer came back through this ministry alone."""
    return len(re.findall(rf"→ hub → {ministry}: [^→]*dijawab → kembali", cluster.said()))


def pid_of(cluster: Demo, name: str) -> int:
    found = re.search(rf"^ +{name} +pid (\d+)$", cluster.said(), re.MULTILINE)
    assert found, cluster.said()
    return int(found[1])


def letters(cluster: Demo, ministry: str = "kemen-lh") -> int:
    return cluster.count(f"{ministry}/surat.db", "SELECT count(*) FROM surat_masuk")


def answers(cluster: Demo) -> int:
    """Those that came by the hub."""
    return cluster.count("lapor-kotim/pengaduan.db", "SELECT count(*) FROM tanggapan WHERE id_petugas = 1")


def test_answers_come_back_by_kafka_and_by_webhook(cluster: Demo) -> None:
    cluster.start()
    cluster.until(lambda: "complaints are flowing" in cluster.said(), "everything runs", PATIENCE_S)
    cluster.until(lambda: home_through(cluster, "Kemen LH"), "an answer by Kafka alone", PATIENCE_S)
    cluster.until(lambda: home_through(cluster, "Kemen PU"), "an answer by webhook", PATIENCE_S)
    assert cluster.process is not None
    assert len(psutil.Process(cluster.process.pid).children()) == PROCESSES
    assert "kill -9" in cluster.said()


KILLED = ("relay", "api-1", "broker-2")


def test_those_that_are_killed_come_back_and_complaints_go_on(cluster: Demo) -> None:
    """One of each kind, at the same moment."""
    told = [
        f"{name} (pid {pid_of(cluster, name)}) was ended by SIGKILL; it is started again" for name in KILLED
    ]
    for name in KILLED:
        os.kill(pid_of(cluster, name), signal.SIGKILL)
    for name, line in zip(KILLED, told, strict=True):
        again = re.compile(rf"{name} \(pid \d+\) works again, \d+ s after its end")
        cluster.until(lambda line=line: line in cluster.said(), "the terminal says so")
        cluster.until(lambda again=again: again.search(cluster.said()), "it is started again", PATIENCE_S)
    before, by_webhook = letters(cluster), home_through(cluster, "Kemen PU")
    cluster.until(lambda: letters(cluster) > before, "another letter by Kafka", PATIENCE_S)
    cluster.until(lambda: home_through(cluster, "Kemen PU") > by_webhook, "another answer", PATIENCE_S)
    held = re.compile(r"the lease `relay` is held by relay \(pid \d+\)")
    cluster.until(lambda: held.search(cluster.said()), "it says who holds the lease", PATIENCE_S)


def test_nothing_was_done_twice(cluster: Demo) -> None:
    for ministry in ("kemen-pu", "kemen-sosial", "kemen-lh"):
        cluster.until(
            lambda ministry=ministry: letters(cluster, ministry), f"a letter at {ministry}", PATIENCE_S
        )
        repeated = "SELECT id_penerusan FROM surat_masuk GROUP BY id_penerusan, jenis HAVING count(*) > 1"
        assert cluster.rows(f"{ministry}/surat.db", repeated) == []
    cluster.until(lambda: answers(cluster), "an answer in tanggapan", PATIENCE_S)
    twice = "SELECT id_pengaduan FROM tanggapan GROUP BY id_pengaduan, tanggapan HAVING count(*) > 1"
    assert cluster.rows("lapor-kotim/pengaduan.db", twice) == []


def test_sigterm_ends_everything_in_time(cluster: Demo) -> None:
    cluster.until(lambda: True, "the children of now are known")
    assert len(cluster.children) > PROCESSES, "PostgreSQL has children too"
    began = time.monotonic()
    assert cluster.end(signal.SIGTERM) == 0
    assert time.monotonic() - began < 22
    assert cluster.still_running() == []
    assert cluster.said().splitlines()[-1].startswith("stopped; nothing is left running.")
