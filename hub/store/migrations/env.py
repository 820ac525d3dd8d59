"""Alembic's environment: the engine comes from `hub.store.migrate`, never from an ini file."""

from __future__ import annotations

from alembic import context
from sqlalchemy import text

from hub.store.tables import metadata

ONE_AT_A_TIME = 0x53696D70756C0002
"""PostgreSQL's advisory lock of migrations."""

with context.config.attributes["engine"].begin() as connection:
    # one process migrates at a time; a second one waits here and then finds nothing to do
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ONE_AT_A_TIME})
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=False)
    context.run_migrations()
    facts = context.config.attributes["facts"]
    for name, value in facts.items():
        connection.execute(
            text("INSERT INTO facts (name, value) VALUES (:name, :value) ON CONFLICT DO NOTHING"),
            {"name": name, "value": value},
        )
    connection.execute(
        text(
            "INSERT INTO facts (name, value) VALUES ('compatible_from', :value) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        ),
        {"value": context.config.attributes["compatible_from"]},
    )
