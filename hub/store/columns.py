"""The schema's metadata, and the column types that the engines say differently."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Integer, MetaData, Text

metadata: Final = MetaData()
BIG: Final = BigInteger().with_variant(Integer, "sqlite")
TEXT: Final = Text().with_variant(Text(collation="C"), "postgresql")
