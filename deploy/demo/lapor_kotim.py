"""Lapor Kotim: a complaint app on the widespread schema, SQLite standing in for MariaDB. It knows nothing of
the hub: citizens write rows into `pengaduan` and read answers in `tanggapan`."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from deploy.demo.layout import Layout
from deploy.demo.pictures import picture
from deploy.demo.program import fill, layout, open_database, run, texts

SCHEMA = """
CREATE TABLE IF NOT EXISTS masyarakat (nik CHAR(16) PRIMARY KEY, nama VARCHAR(35) NOT NULL,
    username VARCHAR(25) NOT NULL, password VARCHAR(32) NOT NULL, telp VARCHAR(13) NOT NULL);
CREATE TABLE IF NOT EXISTS pengaduan (id_pengaduan INTEGER PRIMARY KEY AUTOINCREMENT,
    tgl_pengaduan DATE NOT NULL, nik CHAR(16) NOT NULL, isi_laporan TEXT NOT NULL,
    foto VARCHAR(255) NOT NULL DEFAULT '',
    kategori VARCHAR(20) NOT NULL DEFAULT 'lain',
    status TEXT NOT NULL DEFAULT '0' CHECK (status IN ('0', 'proses', 'selesai')),
    posisi VARCHAR(80), tenggat DATE);
CREATE TABLE IF NOT EXISTS petugas (id_petugas INTEGER PRIMARY KEY, nama_petugas VARCHAR(35) NOT NULL,
    username VARCHAR(25) NOT NULL, password VARCHAR(32) NOT NULL, telp VARCHAR(13) NOT NULL,
    level TEXT NOT NULL CHECK (level IN ('admin', 'petugas')));
CREATE TABLE IF NOT EXISTS tanggapan (id_tanggapan INTEGER PRIMARY KEY AUTOINCREMENT,
    id_pengaduan INTEGER NOT NULL, tgl_tanggapan DATE NOT NULL,
    tanggapan TEXT NOT NULL, id_petugas INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS balasan (id_balasan INTEGER PRIMARY KEY AUTOINCREMENT,
    id_pengaduan INTEGER NOT NULL, isi TEXT NOT NULL, belum_tuntas INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS pesan (id_pesan TEXT NOT NULL, id_pengaduan INTEGER NOT NULL,
    instansi VARCHAR(80) NOT NULL, isi TEXT NOT NULL, dikirim_pada DATETIME NOT NULL,
    PRIMARY KEY (id_pesan, id_pengaduan));
"""
ADDED = [("pengaduan", "posisi", "VARCHAR(80)"), ("pengaduan", "tenggat", "DATE")]
NOT_FIXED = "drainase"
"""Of these complaints the reporter says once that the answer has not fixed it."""
CITIZENS = [
    ("6202051203850003", "Rusdiansyah", "rusdi85", "081255500121"),
    ("6202054711900001", "Norhayati", "norhayati", "081255500122"),
    ("6202062507780002", "Yohanes Dehen", "dehen", "081255500123"),
    ("6202016609930004", "Siti Aisyah", "aisyah93", "081255500124"),
    ("6202050102700005", "Supriyanto", "pri_sampit", "081255500125"),
    ("6202045808880006", "Lestari Ningsih", "lestari", "081255500126"),
    ("6202091010960007", "Jumri bin Asran", "jumri", "081255500127"),
]
OFFICERS = [
    (1, "Simpul (instansi pusat)", "simpul", "petugas"),
    (2, "Hj. Rabiatul, S.Sos.", "rabiatul", "admin"),
]
PAUSE_S, FAST_PAUSE_S, FAST_FIRST = 5.0, 0.8, 25
"""A fast run writes so many quickly, and the rest as slowly as any other."""


def main() -> None:
    run(citizens(layout()))


async def citizens(run_layout: Layout) -> None:
    """A new complaint every few seconds, going on in the catalogue where the last run stopped."""
    database = open_app(run_layout.kotim_database)
    for written in itertools.count():
        number = report(database, run_layout.kotim_photos)
        print(f"pengaduan {number} ditulis", flush=True)
        react(database)
        await asyncio.sleep(FAST_PAUSE_S if run_layout.fast and written < FAST_FIRST else PAUSE_S)


def react(database: sqlite3.Connection) -> None:
    """Who reads the first answer and finds it not fixed says so; who reads the second says thanks."""
    read = database.execute(
        "SELECT id_pengaduan, count(*) AS dijawab, "
        "(SELECT count(*) FROM balasan b WHERE b.id_pengaduan = p.id_pengaduan) AS dibalas "
        "FROM pengaduan p JOIN tanggapan USING (id_pengaduan) WHERE kategori = ? AND id_petugas = 1 "
        "GROUP BY id_pengaduan HAVING dijawab > dibalas",
        (NOT_FIXED,),
    ).fetchall()
    for number, _, said in read:
        text = texts("answers")["thanks" if said else "not_fixed"]
        database.execute(
            "INSERT INTO balasan (id_pengaduan, isi, belum_tuntas) VALUES (?, ?, ?)", (number, text, not said)
        )
        print(f"pengaduan {number}: warga membalas", flush=True)


def open_app(path: Path) -> sqlite3.Connection:
    """The app's database with its citizens and officers."""
    database = open_database(path, SCHEMA, ADDED)
    database.executemany("INSERT OR IGNORE INTO masyarakat VALUES (?, ?, ?, '-', ?)", CITIZENS)
    database.executemany("INSERT OR IGNORE INTO petugas VALUES (?, ?, ?, '-', '0531-21000', ?)", OFFICERS)
    return database


def report(database: sqlite3.Connection, photos: Path) -> int:
    """One citizen's complaint, as the app's form would write it; the row's number."""
    written = int(database.execute("SELECT count(*) FROM pengaduan").fetchone()[0])
    catalogue = texts("lapor-kotim")
    entry = catalogue[written % len(catalogue)]
    photo = entry.get("foto", "")
    if photo:
        (photos / photo).write_bytes(picture(photo))
    today = datetime.now(ZoneInfo("Asia/Jakarta")).date().isoformat()
    nik = CITIZENS[written % len(CITIZENS)][0]
    cursor = database.execute(
        "INSERT INTO pengaduan (tgl_pengaduan, nik, isi_laporan, foto, kategori) VALUES (?, ?, ?, ?, ?)",
        (today, nik, fill(entry["isi"], written), photo, entry["kategori"]),
    )
    return int(cursor.lastrowid or 0)


if __name__ == "__main__":
    main()
