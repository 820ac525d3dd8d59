"""Creates and upgrades the database (Alembic). A start with a current database never imports Alembic."""

from __future__ import annotations

import secrets
import sqlite3
from pathlib import Path
from typing import Final

from hub.store.errors import translated
from hub.store.sqlite import connect

HEAD: Final = "0001"
"""The newest revision in `migrations/versions`; a test compares."""


def current_revision(path: Path) -> str | None:
    """The database's revision, None when there is no database yet."""
    if not path.exists():
        return None
    with translated():
        connection = connect(path)
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError:  # a file without tables
            return None
        finally:
            connection.close()
    return str(row[0]) if row else None


def migrate(path: Path) -> bool:
    """Brings the database to HEAD; True when there was something to do."""
    if current_revision(path) == HEAD:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    connect(path).close()  # made 0600 and WAL before Alembic sees it
    _upgrade(path)
    connection = connect(path)
    try:
        connection.executemany(
            "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [("incarnation", secrets.token_hex(16)), ("registry_generation", "0")],
        )
    finally:
        connection.close()
    return True


def _upgrade(path: Path) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = f"sqlite:///{path}"
    command.upgrade(config, "head")
