"""`make run`, from an empty folder to the second, interrupted and broken run; tests build on each other."""

from __future__ import annotations

import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import psutil

from tests.demo.running import ROOT, Demo
from tests.parts.local_server import free_row

APP, PU, SOSIAL = "lapor-kotim/pengaduan.db", "kemen-pu/surat.db", "kemen-sosial/surat.db"
FROM_HUB = "SELECT count(*) FROM tanggapan WHERE id_petugas = 1"
HANDLED = "SELECT count(*) FROM surat_masuk WHERE langkah = 'selesai'"
RETURNED = "SELECT count(*) FROM surat_masuk WHERE langkah = 'dikembalikan'"
DRILLED = "SELECT id FROM surat_masuk WHERE judul LIKE 'Usul %' AND langkah <> 'baru'"
ANSWERED = "SELECT count(*) FROM laporan WHERE jawaban IS NOT NULL"
"""Answers in the second app, which has no connector."""
DRILL_S = 60.0
"""The deadline that the drill's ministry misses."""
SCENES = (
    "Jawabannya: ya, kewenangan kami.",
    "Jawabannya: bukan kewenangan kami; sarannya Kemen PU.",
    "Salah alamat: Kemen PU mengembalikan Lapor Kotim",
    "ditangani Kemen PU (memimpin), Kab. HST, Kab. HSS. Semua sudah menjawab",
    "menyatakan masalahnya belum selesai; Kemen PU mengerjakannya lagi.",
    "Jawaban kedua: Kemen PU menjawab",
    "berterima kasih, Kotim menutup kasusnya.",
    "Ruang koordinasi: Kotim dan Kementerian Pekerjaan Umum",
)
MISSED = "Tenggat terlewat: Kemen PU belum menindaklanjuti"
ESCALATED = "berpindah dari Kalsel ke pengelola hub"


def test_complaints_travel_and_answers_come_back(demo: Demo) -> None:
    demo.start()
    demo.until(lambda: demo.count(APP, FROM_HUB) >= 4, "answers in tanggapan")
    demo.until(lambda: demo.count(PU, HANDLED) and demo.count(PU, RETURNED), "the webhook ministry works")
    demo.until(lambda: demo.count(SOSIAL, HANDLED), "the mailbox ministry works")
    demo.until(lambda: demo.count("suara-banua/laporan.db", ANSWERED), "the API app has an answer")
    demo.until(lambda: "Jawaban pertama kembali" in demo.said(), "the terminal says so")


def test_the_scenes_between_agencies_are_seen_and_told(demo: Demo) -> None:
    """The drill's minute passes in a moment where the demo's clock can be set forward."""
    for scene in SCENES:
        demo.until(lambda scene=scene: scene in demo.said(), scene, within_s=110.0)  # type: ignore[misc]
    demo.until(lambda: demo.rows(PU, DRILLED), "the ministry has accepted it, and leaves it lying")
    if demo.clock is not None:
        demo.clock.shift(DRILL_S)
    for scene in (MISSED, ESCALATED):
        demo.until(lambda scene=scene: scene in demo.said(), scene, within_s=110.0)  # type: ignore[misc]
    verdicts = demo.rows(SOSIAL, "SELECT DISTINCT pendapat, saran FROM surat_balasan WHERE aksi = 'verdict'")
    assert set(verdicts) == {("ours", None), ("not_ours", "kemen-pu")}
    assert demo.count(PU, "SELECT count(*) FROM surat_masuk WHERE jenis = 'dibuka_lagi'")
    twice = "SELECT count(*) FROM tanggapan WHERE id_petugas = 1 GROUP BY id_pengaduan HAVING count(*) = 2"
    assert demo.count(APP, twice) == 2
    where = set(demo.rows(APP, "SELECT DISTINCT posisi FROM pengaduan WHERE posisi IS NOT NULL"))
    assert {("Kementerian Pekerjaan Umum",), ("Kementerian Sosial",)} <= where


def test_nothing_secret_or_personal_gets_out(demo: Demo) -> None:
    reporters = [row[0] for row in demo.rows(APP, "SELECT nik FROM masyarakat")]
    assert reporters
    niks = [*reporters, "6202054107580003"]
    written = "SELECT count(*) FROM pengaduan WHERE isi_laporan LIKE '%6202054107580003%'"
    masked = "SELECT count(*) FROM surat_masuk WHERE isi LIKE '%[NIK disamarkan]%'"
    demo.until(lambda: demo.count(APP, written) and demo.count(SOSIAL, masked), "a NIK came masked")
    letters = [
        text for database in (PU, SOSIAL) for (text,) in demo.rows(database, "SELECT isi FROM surat_masuk")
    ]
    assert not [nik for nik in niks if any(nik in letter for letter in letters)]
    secrets = demo.folder / "secrets.json"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    told = demo.said()
    assert "client_secret" not in told
    assert str(secrets) in told


def test_ctrl_c_leaves_no_process_behind(demo: Demo) -> None:
    assert len(demo.children) == 10
    assert demo.end(signal.SIGINT) == 0
    assert demo.still_running() == []
    assert "goes on from here" in demo.said()
    assert demo.said().splitlines()[-1].startswith("stopped; nothing is left running.")
    assert demo.said().count("Jawaban pertama kembali") == 1


def test_a_second_run_goes_on_without_doing_anything_twice(demo: Demo) -> None:
    before, answers = demo.count(APP, "SELECT count(*) FROM pengaduan"), demo.count(APP, FROM_HUB)
    clients = (demo.folder / "secrets.json").read_text()
    demo.start()
    demo.until(lambda: demo.count(APP, FROM_HUB) >= answers + 2, "more answers")
    assert (demo.folder / "secrets.json").read_text() == clients
    numbers = [row[0] for row in demo.rows(APP, "SELECT id_pengaduan FROM pengaduan ORDER BY 1")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > before
    twice = "SELECT id_pengaduan FROM tanggapan GROUP BY id_pengaduan, tanggapan HAVING count(*) > 1"
    assert demo.rows(APP, twice) == []
    for database in (PU, SOSIAL):
        assert demo.count(database, "SELECT count(*) FROM surat_masuk")
        repeated = "SELECT id_penerusan FROM surat_masuk GROUP BY id_penerusan, jenis HAVING count(*) > 1"
        assert demo.rows(database, repeated) == []
    cases = demo.count("hub/simpul.db", "SELECT count(*) FROM cases")  # before the apps: citizens write on
    apps = ((APP, "pengaduan"), ("suara-banua/laporan.db", "laporan"))
    assert cases <= sum(demo.count(database, f"SELECT count(*) FROM {table}") for database, table in apps)


def test_another_start_in_the_same_folder_is_refused(demo: Demo) -> None:
    refused = start_beside(demo.folder, free_row(4))
    assert refused.returncode == 1
    assert "runs already" in refused.stderr


def test_even_kill_9_leaves_no_process_behind(demo: Demo) -> None:
    assert demo.still_running()
    demo.end(signal.SIGKILL)
    psutil.wait_procs([child for child in demo.children if child.is_running()], timeout=15)
    assert demo.still_running() == []


def test_a_part_that_dies_is_named_with_its_log(demo: Demo) -> None:
    demo.start()
    demo.until(lambda: "complaints are flowing" in demo.said(), "the demo runs")
    demo.until(lambda: len(running(demo, "lapor_kotim")) == 1, "the app runs")
    running(demo, "lapor_kotim")[0].kill()
    assert demo.process is not None
    assert demo.process.wait(15) == 1
    assert "lapor-kotim was ended by SIGKILL" in demo.said()
    assert "--- started" in demo.said().split("was ended by SIGKILL")[1]
    assert demo.still_running() == []


def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path) -> None:
    port = free_row(4)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port + 1))
        taken.listen()
        refused = start_beside(tmp_path / "other", port)
    assert refused.returncode == 1
    assert f"Port {port + 1} on 127.0.0.1, for the webhook of Kementerian Pekerjaan Umum" in refused.stderr
    assert "make run PORT=" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "other" / "hub").exists()


def running(demo: Demo, words: str) -> list[psutil.Process]:
    assert demo.process is not None
    children = psutil.Process(demo.process.pid).children()
    return [child for child in children if words in " ".join(child.cmdline())]


def start_beside(folder: Path, port: int) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "deploy.demo",
        "--dir",
        str(folder),
        "--port",
        str(port),
        "--minutes",
        "0.1",
    ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
