"""A local app of the widespread schema on each engine, as its own PHP code would see it: plain statements."""

from __future__ import annotations

import contextlib
import sqlite3
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pymysql
from pymysql.constants import CLIENT

from connectors.dialects import read_address

DUMP = Path(__file__).parent / "dump_pengaduan.sql"
_TABLES = [
    "CREATE TABLE masyarakat (nik CHAR(16) PRIMARY KEY, nama VARCHAR(35) NOT NULL, username VARCHAR(25), "
    "password VARCHAR(32) NOT NULL, telp VARCHAR(13) NOT NULL)",
    "CREATE TABLE pengaduan (id_pengaduan {serial}, tgl_pengaduan {date}, nik CHAR(16) NOT NULL, "
    "isi_laporan TEXT NOT NULL, foto VARCHAR(255) NOT NULL DEFAULT '', kategori VARCHAR(20), "
    "status VARCHAR(10) NOT NULL DEFAULT '0')",
    "CREATE TABLE tanggapan (id_tanggapan {serial}, id_pengaduan INTEGER NOT NULL, tgl_tanggapan {date}, "
    "tanggapan TEXT NOT NULL, id_petugas INTEGER NOT NULL)",
]
NIK, PHONE, NAME = "6202051507880003", "081255510031", "Siti Aminah"


@dataclass
class App:
    """A database of the schema. `connect` opens a connection as the app would; `url` is the connector's."""

    engine: str
    url: str
    connect: Callable[[], Any]

    def run(self, statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
        connection = self.connect()
        try:
            cursor = connection.cursor()
            if parameters:
                cursor.execute(
                    statement.replace("?", "?" if self.engine == "sqlite" else "%s"), tuple(parameters)
                )
            else:
                cursor.execute(statement)
            rows = list(cursor.fetchall()) if cursor.description else []
            connection.commit()
            return rows
        finally:
            connection.close()

    def many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        connection = self.connect()
        try:
            cursor = connection.cursor()
            cursor.executemany(statement.replace("?", "?" if self.engine == "sqlite" else "%s"), rows)
            connection.commit()
        finally:
            connection.close()

    def report(
        self, text: str, *, day: str | None = "2026-02-02", category: str = "jalan", photo: str = ""
    ) -> None:
        self.run(
            "INSERT INTO pengaduan (tgl_pengaduan, nik, isi_laporan, foto, kategori) VALUES (?, ?, ?, ?, ?)",
            (day, NIK, text, photo, category),
        )

    def reports(self, count: int) -> None:
        self.many(
            "INSERT INTO pengaduan (tgl_pengaduan, nik, isi_laporan, kategori) VALUES (?, ?, ?, ?)",
            [
                ("2026-02-02", NIK, f"Laporan nomor {n}: jalan berlubang di RT {n % 40}.", "jalan")
                for n in range(count)
            ],
        )


def _make(app: App, serial: str, suffix: str = "", date: str = "DATE") -> None:
    for statement in _TABLES:
        app.run(statement.format(serial=serial, date=date) + suffix)
    app.run("INSERT INTO masyarakat VALUES (?, ?, ?, ?, ?)", (NIK, NAME, "aminah88", "x", PHONE))


@contextlib.contextmanager
def sqlite_app(folder: Path) -> Iterator[App]:
    path = folder / "app.db"
    app = App("sqlite", f"sqlite:///{path}", lambda: sqlite3.connect(path, timeout=10))
    _make(app, "INTEGER PRIMARY KEY AUTOINCREMENT", date="TEXT")
    yield app


@contextlib.contextmanager
def mysql_app(base: str, engine: str, dump: bool = False) -> Iterator[App]:
    name = f"app_{uuid.uuid4().hex[:10]}"
    address = read_address(base + name, "test")

    def connect(database: str | None = name) -> Any:
        return pymysql.connect(
            host=address.host, port=address.port or 3306, user=address.user, password=address.password,
            database=database, charset="utf8mb4", client_flag=CLIENT.MULTI_STATEMENTS,
            ssl_disabled=True,
        )  # fmt: skip

    with contextlib.closing(connect(None)) as server, server.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    app = App(engine, base + name, connect)
    if dump:
        with contextlib.closing(connect()) as connection, connection.cursor() as cursor:
            cursor.execute(DUMP.read_text(encoding="utf-8"))
            while cursor.nextset():
                pass
            connection.commit()
    else:
        kind = "MyISAM" if engine == "myisam" else "InnoDB"
        _make(app, "INTEGER PRIMARY KEY AUTO_INCREMENT", f" ENGINE={kind}")
    try:
        yield app
    finally:
        with contextlib.closing(connect(None)) as server, server.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name}")


@contextlib.contextmanager
def postgres_app(base: str) -> Iterator[App]:
    name = f"app_{uuid.uuid4().hex[:10]}"
    with psycopg.connect(base + "postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    app = App("postgres", base + name, lambda: psycopg.connect(base + name))
    _make(app, "SERIAL PRIMARY KEY")
    try:
        yield app
    finally:
        with psycopg.connect(base + "postgres", autocommit=True) as server:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]
