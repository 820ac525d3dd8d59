"""Alembic's environment: the database's address comes from `hub.store.migrate`, never from an ini file."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from hub.store.tables import metadata

engine = create_engine(context.config.attributes["url"], poolclass=NullPool)
with engine.begin() as connection:
    if connection.dialect.name == "sqlite":
        # one process migrates at a time; a second one waits here and then finds nothing to do
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=False)
    context.run_migrations()
    connection.execute(
        text("INSERT INTO facts (name, value) VALUES (:name, :value) ON CONFLICT DO NOTHING"),
        [{"name": name, "value": value} for name, value in context.config.attributes["facts"].items()],
    )
