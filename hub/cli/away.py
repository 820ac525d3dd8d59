"""A PostgreSQL that cannot be reached, in one line: by which setting, where it was looked for, the remedy."""

from __future__ import annotations

from typing import Final

from hub.errors import SimpulError

STANDARD_PORT: Final = "5432"
ENCODED: Final = (
    "a password within the address is percent-encoded (@ : / ? # [ ] % as %40 %3A %2F %3F %23 %5B %5D %25), "
    "in PGPASSWORD it stands as it is"
)

ADVICE: Final = (" Is the server running", " Either provide the file")
"""Where the driver begins to advise; of TLS it would have the verification disabled."""


def sentence(name: str, url: str, error: SimpulError) -> str | None:
    """None where something else is wrong than the way to the server that the setting `name` gives. No part of
    a password is in it."""
    said = _of_the_driver(error)
    if said is None:
        return None
    place, database = _place(url)
    remedy = _remedy_of_tls(said, name) or _remedy(said, database)
    return f"{name}: PostgreSQL at {place} cannot be used: {said}. {remedy}"


def _of_the_driver(error: BaseException | None) -> str | None:
    """What libpq said of a connection that failed; the server's own refusals of a statement have a state."""
    import psycopg  # not for a hub on SQLite

    while error is not None and not isinstance(error, psycopg.Error):
        error = error.__cause__
    if not isinstance(error, psycopg.OperationalError) or error.sqlstate is not None:
        return None
    first = " ".join(str(error).split())
    for advice in ADVICE:
        first = first.partition(advice)[0]
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


def _remedy_of_tls(said: str, name: str) -> str | None:
    """The driver says the same of a stranger's certificate and of one that has expired."""
    if "certificate verify failed" in said:
        return (
            "Is the file in sslrootcert that of the authority that signed the server's certificate, and has "
            f"it expired? Name the right file in {name}, or renew the certificate at the server."
        )
    if "does not match host name" in said:
        return f"Name the server in {name} as its certificate does, or give it one for this name."
    if "root certificate file" in said:
        return (
            f"Name the PEM file of the authority that signed the server's certificate: sslrootcert in {name}."
        )
    if "does not support SSL" in said:
        return f"Set ssl = on at the server, or take sslmode out of {name} where nobody else is on the way."
    if "no encryption" in said:
        return f"Add ?sslmode=verify-full&sslrootcert=/path/to/authority.pem to {name}."
    return None


def _remedy(said: str, database: str) -> str:
    if "resolve" in said:
        return f"Is the host's name right? Note that {ENCODED}."
    if f'database "{database}" does not exist' in said:
        return f"Make it there with `createdb --encoding=UTF8 --template=template0 {database}`."
    if "password" in said or "authentication" in said:
        return f"Check user and password; {ENCODED}."
    return "Is it running there, and does it take connections from here? Start it, or mend the address."
