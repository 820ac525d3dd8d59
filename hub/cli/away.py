"""A PostgreSQL that cannot be reached, in one line: by which setting, where it was looked for, the remedy."""

from __future__ import annotations

from typing import Final

from hub.errors import SimpulError

STANDARD_PORT: Final = "5432"
ENCODED: Final = (
    "a password within the address is percent-encoded (@ : / ? # [ ] % as %40 %3A %2F %3F %23 %5B %5D %25), "
    "in PGPASSWORD it stands as it is"
)


def sentence(name: str, url: str, error: SimpulError) -> str | None:
    """None where something else is wrong than the way to the server that the setting `name` gives. No part of
    a password is in it."""
    said = _of_the_driver(error)
    if said is None:
        return None
    place, database = _place(url)
    return f"{name}: PostgreSQL at {place} cannot be used: {said}. {_remedy(said, database)}"


def _of_the_driver(error: BaseException | None) -> str | None:
    """What libpq said of a connection that failed; the server's own refusals of a statement have a state."""
    import psycopg  # not for a hub on SQLite

    while error is not None and not isinstance(error, psycopg.Error):
        error = error.__cause__
    if not isinstance(error, psycopg.OperationalError) or error.sqlstate is not None:
        return None
    first = " ".join(str(error).split()).partition(" Is the server running")[0]
    return first.removeprefix("connection failed: ").rstrip(".")


def _place(url: str) -> tuple[str, str]:
    """Each host with its port, and the database, as the driver understands the address."""
    from psycopg import conninfo

    given = conninfo.conninfo_to_dict(url)
    hosts = str(given.get("host") or "the local socket").split(",")
    ports = str(given.get("port") or STANDARD_PORT).split(",")
    ports = ports if len(ports) == len(hosts) else ports[:1] * len(hosts)
    named = [f"{host}:{port or STANDARD_PORT}" for host, port in zip(hosts, ports, strict=True)]
    return ", ".join(named), str(given.get("dbname") or "")


def _remedy(said: str, database: str) -> str:
    if "resolve" in said:
        return f"Is the host's name right? Note that {ENCODED}."
    if f'database "{database}" does not exist' in said:
        return f"Make it there with `createdb --encoding=UTF8 --template=template0 {database}`."
    if "password" in said or "authentication" in said:
        return f"Check user and password; {ENCODED}."
    return "Is it running there, and does it take connections from here? Start it, or mend the address."
