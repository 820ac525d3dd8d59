"""The officers of a ministry: letters come in (surat_masuk), each is accepted or returned, worked on,
answered. How letters arrive and how replies leave is each ministry's own."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from deploy.demo.drill import DRILLED, LATE_S
from deploy.demo.layout import PU, SOSIAL, Layout
from deploy.demo.program import open_database, texts

SCHEMA = """
CREATE TABLE IF NOT EXISTS surat_masuk (id INTEGER PRIMARY KEY AUTOINCREMENT,
    id_peristiwa TEXT NOT NULL UNIQUE, id_penerusan TEXT NOT NULL,
    id_kasus TEXT NOT NULL, nomor TEXT NOT NULL,
    jenis TEXT NOT NULL DEFAULT 'penerusan', pertanyaan TEXT,
    peran TEXT NOT NULL, kategori TEXT NOT NULL, judul TEXT NOT NULL, isi TEXT NOT NULL,
    langkah TEXT NOT NULL DEFAULT 'baru', berikutnya REAL NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS surat_balasan (id INTEGER PRIMARY KEY AUTOINCREMENT, id_surat INTEGER NOT NULL,
    aksi TEXT NOT NULL, id_penerusan TEXT NOT NULL, id_kasus TEXT NOT NULL, isi TEXT, alasan TEXT, saran TEXT,
    pendapat TEXT, id_utas TEXT, lingkup TEXT, dikirim INTEGER NOT NULL DEFAULT 0);
"""
ADDED = [
    ("surat_masuk", "jenis", "TEXT NOT NULL DEFAULT 'penerusan'"),
    ("surat_masuk", "pertanyaan", "TEXT"),
    ("surat_balasan", "pendapat", "TEXT"),
    ("surat_balasan", "id_utas", "TEXT"),
    ("surat_balasan", "lingkup", "TEXT"),
]
SOCIAL = re.compile(r"\b(bansos|bantuan sosial|bantuan pangan|PKH|BPNT|sembako)\b", re.IGNORECASE)
WORKS = re.compile(r"^(jalan|jembatan|saluran|gorong|tanggul|drainase|irigasi)", re.IGNORECASE)
PAUSE_S = {"baru": 2.0, "diterima": 3.0, "dikerjakan": 3.0}
NEXT = {
    "accept": "diterima",
    "progress": "dikerjakan",
    "answer": "selesai",
    "return": "dikembalikan",
    "verdict": "selesai",
}


@dataclass(frozen=True)
class Reply:
    """What the officers decided about one letter; a row of surat_balasan."""

    action: str
    text: str | None = None
    reason: str | None = None
    suggested_agency: str | None = None
    verdict: str | None = None


def open_office(run_layout: Layout, agency: str) -> sqlite3.Connection:
    return open_database(run_layout.office_database(agency), SCHEMA, ADDED)


def decide(agency: str, letter: sqlite3.Row) -> Reply:
    """The next step with a letter, the same for the same letter."""
    words = texts("answers")
    if letter["jenis"] == "konsultasi":
        return _advise(agency, letter)
    if letter["jenis"] == "dibuka_lagi":
        return _again(letter)
    if letter["langkah"] == "baru":
        elsewhere = belongs_to(letter["judul"], letter["isi"], agency)
        if elsewhere != agency and letter["peran"] == "lead":
            return Reply("return", words["return"], "not_ours", elsewhere)
        return Reply("accept")
    if letter["langkah"] == "diterima" and letter["id"] % 2:
        return Reply("progress", words["progress"][letter["id"] % len(words["progress"])])
    if letter["judul"].startswith(DRILLED):
        return Reply("answer", f"{words['late']} ({letter['nomor']})")
    answers = words[agency].get(letter["kategori"], words[agency]["*"])
    return Reply("answer", f"{answers[letter['id'] % len(answers)]} ({letter['nomor']})")


def _advise(agency: str, letter: sqlite3.Row) -> Reply:
    """The verdict on what a coordinator asked before forwarding."""
    words, elsewhere = texts("answers"), belongs_to(letter["judul"], letter["isi"], agency)
    if elsewhere == agency:
        return Reply("verdict", words["ours"], verdict="ours")
    return Reply("verdict", words["not_ours"], suggested_agency=elsewhere, verdict="not_ours")


def _again(letter: sqlite3.Row) -> Reply:
    """The reporter said that it is not fixed yet: back to the place, then a second answer."""
    words = texts("answers")
    if letter["langkah"] == "baru":
        return Reply("progress", words["back_again"])
    return Reply("answer", f"{words['second']} ({letter['nomor']})")


def is_drill(letter: sqlite3.Row) -> bool:
    """What the demo's ministry leaves lying until its deadline has passed."""
    return bool(letter["judul"].startswith(DRILLED)) and letter["langkah"] == "baru"


def belongs_to(title: str, text: str, agency: str) -> str:
    """Whose matter it is by its words; the agency's own where they say nothing."""
    if SOCIAL.search(f"{title} {text}"):
        return SOSIAL.id
    return PU.id if WORKS.search(title) else agency


async def officers(
    database: sqlite3.Connection, agency: str, fast: bool, sent: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Take up due letters, for ever. A reply and the letter's next step are one transaction; `sent` then
    passes the replies on."""
    while True:
        for letter in due(database):
            pause_s = 0.1 if fast else PAUSE_S.get(letter["langkah"], 2.0)
            act(database, agency, letter, LATE_S if is_drill(letter) else pause_s)
        if sent is not None:
            await sent()
        await asyncio.sleep(0.1 if fast else 0.4)


def due(database: sqlite3.Connection) -> list[sqlite3.Row]:
    return database.execute(
        "SELECT * FROM surat_masuk WHERE langkah NOT IN ('selesai', 'dikembalikan') AND berikutnya <= ? "
        "ORDER BY id",
        (time.time(),),
    ).fetchall()


def act(database: sqlite3.Connection, agency: str, letter: sqlite3.Row, pause_s: float) -> None:
    reply = decide(agency, letter)
    database.execute("BEGIN IMMEDIATE")
    database.execute(
        "INSERT INTO surat_balasan (id_surat, aksi, id_penerusan, id_kasus, isi, alasan, saran, pendapat) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (letter["id"], reply.action, letter["id_penerusan"], letter["id_kasus"], reply.text, reply.reason,
         reply.suggested_agency, reply.verdict),
    )  # fmt: skip
    step = (NEXT[reply.action], time.time() + pause_s, letter["id"])
    database.execute("UPDATE surat_masuk SET langkah = ?, berikutnya = ? WHERE id = ?", step)
    database.execute("COMMIT")
    print(f"surat {letter['id']} ({letter['nomor']}): {reply.action}", flush=True)
