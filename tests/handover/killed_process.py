"""Hands an office over and is killed right before or right after the commit: a program that
tests/parts/forking.py starts."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from hub.app_core import open_core
from hub.settings import Settings
from hub.store.postgres.transaction import PostgresTransaction
from hub.store.sqlite.transaction import SqliteTransaction
from tests.handover.handwork import prepared
from tests.service.hubworld import TurnedClock


def main(prog_name: str) -> None:
    """As a console script: its arguments are folder, database's address and moment."""
    folder, url, moment = sys.argv[1:]
    with open_core(Settings(data_dir=Path(folder), database_url=url or None), TurnedClock()) as core:

        def read(query: Any) -> Any:
            with core.store.read() as session:
                return query(session)

        command = prepared(cast(Any, SimpleNamespace(read=read)))
        kind: Any = PostgresTransaction if url else SqliteTransaction
        commit = kind.commit

        def killed(self: Any) -> None:
            if moment == "after":
                commit(self)
            os.kill(os.getpid(), signal.SIGKILL)

        kind.commit = killed
        core.operate(command)
