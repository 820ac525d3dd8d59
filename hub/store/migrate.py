"""Creates and upgrades the database (Alembic). A start with a current database never imports Alembic."""

from __future__ import annotations

import secrets
import sqlite3
from pathlib import Path
from typing import Final

from hub.errors import StoreError, StoreUnavailable
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
        except sqlite3.OperationalError as error:
            if "no such table" not in str(error):
                raise
            return None  # a file without tables
        finally:
            connection.close()
    return str(row[0]) if row else None


def migrate(path: Path) -> bool:
    """Brings the database to HEAD; True when there was something to do."""
    if current_revision(path) == HEAD:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with translated():
        connect(path).close()  # made 0600 and WAL before Alembic sees it
    _upgrade(path)
    return True


def _upgrade(path: Path) -> None:
    """One transaction, single facts included: a kill leaves the database as it was."""
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError
    from sqlalchemy.exc import DBAPIError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = f"sqlite:///{path}"
    config.attributes["facts"] = {"incarnation": secrets.token_hex(16), "registry_generation": "0"}
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(f"{path}: was made by a newer version of simpul; use that one ({error}).") from error
    except DBAPIError as error:
        raise StoreUnavailable(f"{path}: cannot be migrated ({error.orig}).") from error
