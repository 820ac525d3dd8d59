"""Where a new hub was made, and where there is none: a forgotten SIMPUL_DATA_DIR leads to another folder, a
forgotten SIMPUL_DATABASE_URL away from the database."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
import structlog

from hub.errors import CommandRefused
from hub.settings import Settings
from hub.store.sqlite.presence import lock_beside
from hub.vault import erasures, revocations
from hub.vault.master_key import MasterKeyFile

log = structlog.get_logger(__name__)

JOURNALS: Final = (erasures.NAME, revocations.NAME)
"""Beside the master key."""
KEYS: Final = ("jwks.json", "jwks-all.json")
"""What a hub publishes, in its data folder."""
ATTACHMENTS: Final = "attachments"


@dataclass(frozen=True, slots=True)
class New:
    """A hub that is about to be made; whether its data folder was there before."""

    had_folder: bool


def is_new(settings: Settings) -> bool:
    """Whether there is nothing yet where the hub would be; asked before anything is opened. What a restore
    left half done begins with the database's name too."""
    database = settings.database
    if isinstance(database, str):
        return not settings.data_dir.exists()
    locks = {lock_beside(database).name, f"{database.name}-hub"}  # a command that was refused leaves them
    return all(path.name in locks for path in database.parent.glob(f"{database.name}*"))


def begins(settings: Settings) -> New | None:
    """What to tell of the hub that will be made, None where there is one. CommandRefused, before anything is
    written, where it would be a second one."""
    if not is_new(settings):
        return None
    _refuse_second(settings)
    return New(settings.data_dir.exists())


def _refuse_second(settings: Settings) -> None:
    """A first start makes the file of the database before all else, so what a hub has and no such file are
    of one whose database is elsewhere, or was lost: an empty one in its place would look like a loss. On
    PostgreSQL the server knows."""
    if isinstance(settings.database, str) or not (left := _left_of_a_hub(settings)):
        return
    key = settings.key_path
    other_key = " and another SIMPUL_MASTER_KEY_FILE" if key.parent != settings.data_dir else ""
    raise CommandRefused(
        f"There is no database in {_named(settings)}{_seen_from(settings)}, but {_listed(left)} there, "
        "so this folder belongs to a hub whose database is elsewhere: set SIMPUL_DATABASE_URL to it (or "
        f"SIMPUL_DATA_DIR to its folder). If {settings.database.name} itself was lost, `simpul restore` a "
        f"backup. Nothing was made; a new hub needs an empty folder{other_key}."
    )


def _left_of_a_hub(settings: Settings) -> list[str]:
    """By their names in the data folder, by the whole path elsewhere. A key alone may be put there for a new
    hub, and so may a first `jwks.json` for a broker that starts before the hub; both are of one that ran."""
    key, data = settings.key_path, settings.data_dir
    both, journals = [key, data / KEYS[0]], _there([key.with_name(name) for name in JOURNALS])
    left = [*(both if _there(both) == both else []), *journals]
    with contextlib.suppress(OSError):
        if any((data / ATTACHMENTS).iterdir()):  # an empty one may be mounted there before the first start
            left.append(data / ATTACHMENTS)
    return [path.name if path.parent == data else str(path.absolute()) for path in left]


def _there(paths: list[Path]) -> list[Path]:
    return [path for path in paths if os.path.exists(path)]  # noqa: PTH110  # False where it is not for us


def _listed(names: list[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last} are" if most else f"{last} is"


def require(settings: Settings) -> None:
    """CommandRefused, before anything is made, where a command that begins no hub finds none. What cannot be
    looked into is no proof of that: to open it says what is wrong there."""
    if not is_new(settings) or _is_closed(_place(settings)):
        return
    if isinstance(settings.database, str):
        from hub.store.migrate import require_current  # a lack of tables or of a server is said first

        require_current(settings.database)
        if settings.key_path.exists():  # kept elsewhere; the folder holds nothing that was ever needed here
            return
    _refuse_second(settings)
    raise CommandRefused(f"{_none_there(settings)}; `simpul serve` and `simpul migrate` make a new hub.")


def require_key(settings: Settings) -> None:
    """For a restore, which makes a hub where none was, but never a key: CommandRefused or MasterKeyError,
    before anything is made."""
    key = settings.key_path
    is_none = is_new(settings) or (settings.on_postgres and not _left_of_a_hub(settings))
    if is_none and not _is_closed(_place(settings)) and not key.exists():
        raise CommandRefused(
            f"{_none_there(settings)}. On a new machine put the master key back first, at {key.absolute()}, "
            "or set SIMPUL_MASTER_KEY_FILE to where it is."
        )
    MasterKeyFile(key).load()


def _none_there(settings: Settings) -> str:
    return (
        f"There is no hub in {_named(settings)}{_seen_from(settings)}. Name the folder of yours in "
        "SIMPUL_DATA_DIR, or as data_dir in the file that --config names"
    )


def _is_closed(folder: Path) -> bool:
    return folder.exists() and not (folder.is_dir() and os.access(folder, os.R_OK | os.X_OK))


def _place(settings: Settings) -> Path:
    return settings.data_dir if isinstance(settings.database, str) else settings.database.parent


def tell(settings: Settings, new: New) -> None:
    """One line on standard error, for commands."""
    click.echo(f"simpul: made {_made(settings)}. {_advice(settings, new)}", err=True)


def log_it(settings: Settings, new: New) -> None:
    """The same among the log lines of `serve`; a warning where nobody chose the folder by its whole path."""
    say: Callable[..., object] = log.info if settings.data_dir.is_absolute() else log.warning
    advice = _advice(settings, new)
    say("new_hub", data_dir=str(settings.data_dir.absolute()), made=_made(settings), advice=advice)


def _made(settings: Settings) -> str:
    folder = settings.data_dir.absolute()
    if settings.on_postgres:
        return f"the data folder {folder}, for there was none"
    return f"a new, empty hub in {_named(settings)}, for there was none"


def _named(settings: Settings) -> str:
    """The folder, and the database where that is in another."""
    folder = settings.data_dir.absolute()
    if isinstance(settings.database, str):
        return str(folder)
    path = settings.database.absolute()
    return str(folder) if path.parent == folder else f"{folder}, database {path}"


def _seen_from(settings: Settings) -> str:
    if settings.data_dir.is_absolute():
        return ""
    return f" (data_dir is {settings.data_dir} now, seen from where the command was typed)"


def _advice(settings: Settings, new: New) -> str:
    return (
        "If yours is elsewhere, set SIMPUL_DATA_DIR (SIMPUL_DATABASE_URL where it is on PostgreSQL) and "
        f"delete {_to_delete(settings, new)}{_seen_from(settings)}."
    )


def _to_delete(settings: Settings, new: New) -> str:
    """Only what was not there before, which `_refuse_second` saw to."""
    folder, database, key = settings.data_dir.absolute(), settings.database, settings.key_path.absolute()
    inside, outside = [*KEYS, ATTACHMENTS, "hub.lock"], []
    if key.parent == folder:
        inside = [key.name, f"{key.name}.lock", *inside]
    elif not isinstance(database, str):  # on PostgreSQL it may have been there
        outside = [str(key), f"{key}.lock"]
    if isinstance(database, Path):
        if database.absolute().parent == folder:
            inside = [f"{database.name}*", *inside]
        else:
            outside = [f"{database.absolute()}*", *outside]
    if not new.had_folder and not outside:
        return "this folder, which was made just now"
    if not new.had_folder:
        return f"what was made: {', '.join([str(folder), *outside])}"
    return f"what was made in {folder}: {', '.join([*inside, *outside])}"
