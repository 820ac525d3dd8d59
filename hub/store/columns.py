"""The schema's metadata, and the column types that the engines say differently."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Integer, MetaData, Text

metadata: Final = MetaData()
"""Which rows an index has is told as SQLite's option alone, and is the same on PostgreSQL: revisions make the
indexes, and told here for PostgreSQL too it would load that dialect in every process (35 ms). A test compares
which indexes are partial."""
BIG: Final = BigInteger().with_variant(Integer, "sqlite")
TEXT: Final = Text().with_variant(Text(collation="C"), "postgresql")
