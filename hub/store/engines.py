"""What a store is to the composition root, whichever engine it is on."""

from __future__ import annotations

from typing import Protocol

from hub.ports.process_store import ProcessStore
from hub.store.dialect import Engine
from hub.store.statements import Statements


class AnyStore(ProcessStore, Engine, Protocol):
    """What a process, its tables and the commands on the whole database need. `open_store` gives one of each
    engine, so the type checker holds them all to it."""

    sql: Statements
