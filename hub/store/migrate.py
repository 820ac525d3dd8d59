"""Creates and upgrades the database (Alembic). A start with a current database never imports Alembic.

A migration first expands (new tables, new columns with defaults), and only a later release contracts. So
every revision says since which revision programs can work with it (`COMPATIBLE_FROM`, kept as the fact
`compatible_from`): a program that finds a newer schema goes on if that is not newer than itself, and while
`simpul migrate` runs, and after it, the older processes of a rolling upgrade keep working."""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hub.errors import MigrationNeeded, StoreError, StoreUnavailable
from hub.store.sqlite.errors import translated
from hub.store.sqlite.store import connect

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from hub.store.postgres.connections import Connection

HEAD: Final = "0006"
"""The newest revision in `migrations/versions`; a test compares."""
COMPATIBLE_FROM: Final = "0006"
"""The oldest revision whose programs work with HEAD's schema."""
TABLES_THERE: Final = "no such table"
NOT_OURS: Final = (TABLES_THERE, "no such column")
MOST_NAMED: Final = 5
TABLES: Final = (
    "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND substr(name, 1, 7) <> 'sqlite_' "
    "ORDER BY name"
)

Place = Path | str
"""A SQLite file, or PostgreSQL's URL."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A database's revision, and the oldest program that can work with it (its own, if it does not say)."""

    revision: str
    compatible_from: str

    @property
    def suits(self) -> bool:
        """Whether this program can work with it as it is."""
        return self.compatible_from <= HEAD <= self.revision


def schema_of(place: Place | Connection) -> Schema | None:
    """None when there is no database yet, or one without the hub's tables. Who is connected to PostgreSQL
    already gives the connection."""
    return _schema_of_file(place) if isinstance(place, Path) else _schema_at(place)


def current_revision(place: Place) -> str | None:
    """The database's revision, None when there is no database yet."""
    found = schema_of(place)
    return found.revision if found else None


def require_current(url: str) -> None:
    """For whoever may not migrate: MigrationNeeded with the remedy, StoreError for one that is too new."""
    require_suitable(schema_of(url))


def require_suitable(found: Schema | None) -> None:
    """The same, of what was found on the server."""
    if found is None:
        raise MigrationNeeded("The database has no tables of a hub yet: run `simpul migrate`.")
    _refuse_newer("The database", found)
    if not found.suits:
        raise MigrationNeeded(
            f"The database has an older schema ({found.revision}, this program needs {HEAD}): "
            "run `simpul migrate`."
        )


def migrate(place: Place) -> bool:
    """Brings the database to HEAD; True when there was something to do."""
    found = schema_of(place)
    name = _name(place)
    if found is not None:
        _refuse_newer(name, found)
        if found.suits:
            return False
    else:
        refuse_foreign(place)
    if isinstance(place, Path):
        make_file(place)
    _upgrade(name, _engine(place))
    return True


def make_file(path: Path) -> None:
    """SQLite's file without a table, 0600 and WAL before Alembic sees it; on the disk when it returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with translated():
        connect(path).close()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def refuse_foreign(place: Place | Connection) -> None:
    """StoreError for a database without a hub that holds something else. The schema is looked at once more:
    another process may just have made the hub's tables."""
    names = _tables_in(place)
    if not names or schema_of(place) is not None:
        return
    more = len(names) - MOST_NAMED
    told = ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    raise StoreError(
        f"{_name(place)} holds tables that are not the hub's ({told}): give it an empty database of its own, "
        "in SIMPUL_DATABASE_URL or to `simpul move --to`. Nothing was changed."
    )


def _tables_in(place: Place | Connection) -> list[str]:
    if not isinstance(place, Path):
        from hub.store.postgres import migrating

        return migrating.tables_at(place)
    if not place.exists():
        return []
    with translated(), closing(connect(place)) as connection:
        return [str(name) for (name,) in connection.execute(TABLES).fetchall()]


def _name(place: Place | Connection) -> str:
    return str(place) if isinstance(place, Path) else "The database"


def _refuse_newer(name: str, found: Schema) -> None:
    if found.revision > HEAD and not found.suits:
        raise StoreError(
            f"{name}: was made by a newer version of simpul (schema {found.revision}, which programs older "
            f"than {found.compatible_from} cannot use; this one has {HEAD}); use that version."
        )


def _schema_of_file(path: Path) -> Schema | None:
    if not path.exists():
        return None
    with translated():
        connection = connect(path)
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            if row is None:
                return None
            fact = connection.execute("SELECT value FROM facts WHERE name = 'compatible_from'").fetchone()
        except sqlite3.OperationalError as error:
            if not any(words in str(error) for words in NOT_OURS):
                raise
            return None  # a file without tables, or with those of another program
        finally:
            connection.close()
    return Schema(str(row[0]), str(fact[0]) if fact else str(row[0]))


def _schema_at(place: str | Connection) -> Schema | None:
    from hub.store.postgres import migrating

    found = migrating.revision(place)
    return Schema(*found) if found else None


def _engine(place: Place) -> Engine:
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    if isinstance(place, Path):
        return create_engine(f"sqlite:///{place}", poolclass=NullPool)
    from hub.store.postgres import migrating

    migrating.refuse_unfit(place)
    return migrating.engine(place)


def _upgrade(name: str, engine: Engine) -> None:
    """One transaction, single facts included: a kill leaves the database as it was."""
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError
    from sqlalchemy.exc import DBAPIError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["engine"] = engine
    config.attributes["facts"] = {"incarnation": secrets.token_hex(16), "registry_generation": "0"}
    config.attributes["compatible_from"] = COMPATIBLE_FROM
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(f"{name}: was made by a newer version of simpul; use that one ({error}).") from error
    except DBAPIError as error:
        raise StoreUnavailable(f"{name}: cannot be migrated ({error.orig}).") from error
