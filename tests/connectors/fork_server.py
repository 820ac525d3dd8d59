"""Starts simpul-connector as a process of its own without the second that its imports take: a server that has
imported the program forks a child for each start. The child has its own pid, environment, standard files and
signals, runs `connectors.main` from its command line on, and ends as an interpreter ends.

`python -m tests.connectors.fork_server SOCKET`; it lives as long as its standard input is open.
"""

from __future__ import annotations

import gc
import json
import os
import random
import select
import socket
import sys
from contextlib import suppress
from typing import Any

from connectors.broker import check, link  # noqa: F401 (Kafka's library too)
from connectors.checker import shared_rules
from connectors.dialects import mysql, postgres, sqlite  # noqa: F401 (imported once, for all children)
from connectors.main import main


def serve(path: str) -> dict[str, Any]:
    """Forks for every connection; returns in the children alone, with what each shall do."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(16)
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            reap(os.WNOHANG)
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                return keep(connection)
            connection.close()
    reap(0)
    sys.exit(0)


def reap(options: int) -> None:
    """Keepers that ended; with them the processor time of their programs counts as this server's."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, options)[0]:
            pass


def keep(connection: socket.socket) -> dict[str, Any]:
    """Forks the program and tells its pid, then its exit status; returns in the program alone."""
    with connection, connection.makefile("rwb") as stream:
        wanted: dict[str, Any] = json.loads(stream.readline())
        pid = os.fork()
        if pid:
            stream.write(b"%d\n" % pid)
            stream.flush()
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            stream.write(b"%d\n" % status)
            stream.flush()
            os._exit(0)
    return wanted


def become(wanted: dict[str, Any]) -> None:
    """Environment, folder and standard files as a shell would set them up."""
    os.chdir(wanted["cwd"])
    os.environ.clear()
    os.environ.update(wanted["env"])
    for number, name in enumerate((os.devnull, wanted["stdout"], wanted["stderr"])):
        opened = os.open(name, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    random.seed()


if __name__ == "__main__":
    shared_rules()
    gc.collect()
    gc.freeze()  # what was imported stays: a child that counted it, or took it down at its end, would copy it
    task = serve(sys.argv[1])
    become(task)
    main(args=task["arguments"], prog_name="simpul-connector")
