"""Starts a console program as a process of its own without the second that its imports take: a server that
has imported the program forks a child for each start. The child has its own pid, arguments, environment,
folder, standard files and signals, runs the program from its command line on, and ends as an interpreter
ends.

`python -m tests.parts.fork_server SOCKET NAME MODULE:FUNCTION MODULE …` imports every module before it forks;
it lives as long as its standard input is open. It starts no thread, opens no connection, reads no setting."""

from __future__ import annotations

import gc
import importlib
import json
import os
import random
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from typing import Any, Final

LONGEST_TASK: Final = 1 << 20
STREAMS: Final = 2
"""Standard output and error come as descriptors with the task."""


def serve(path: str) -> dict[str, Any]:
    """Forks for every connection; returns in the children alone, with what each shall do."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(path)
        listener.listen(16)
        print("listening", flush=True)
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            reap()
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                return keep(connection)
            connection.close()
    reap()
    sys.exit(0)


def reap() -> None:
    """Keepers that ended; with them the processor time of their programs counts as this server's."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def keep(connection: socket.socket) -> dict[str, Any]:
    """Forks the program and tells its exit status at the end; returns in the program alone. The program gets
    SIGKILL when the connection closes before."""
    text, streams, _, _ = socket.recv_fds(connection, LONGEST_TASK, STREAMS)
    pid = os.fork()
    if pid == 0:
        return json.loads(text) | {"streams": streams, "connection": connection}
    for stream in streams:  # a reader of these waits for the program's end, not for ours
        os.close(stream)
    ended = os.pidfd_open(pid)
    if ended not in select.select([ended, connection], [], [])[0]:
        os.kill(pid, signal.SIGKILL)  # who started it has ended: nothing outlives the tests
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with suppress(BrokenPipeError):  # who started it may have ended
        connection.send(b"%d" % status)
    os._exit(0)


def become(task: dict[str, Any], generators: list[random.Random]) -> None:
    """Arguments, environment, folder and standard files as a shell would set them up; chance anew. Then it
    tells its pid: whoever knows it may send signals."""
    sys.argv = task["arguments"]
    os.chdir(task["folder"])
    os.environ.clear()
    os.environ.update(task["environment"])
    time.tzset()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate((os.open(os.devnull, os.O_RDONLY), *task["streams"])):
        os.dup2(stream, number)
        os.close(stream)
    for generator in generators:
        generator.seed()
    random.seed()
    with task["connection"] as connection:
        connection.send(b"%d" % os.getpid())


def main(path: str, name: str, function: str, *modules: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests, which end this server
    for module in modules:
        importlib.import_module(module)
    place, attribute = function.split(":")
    program = getattr(importlib.import_module(place), attribute)
    gc.collect()
    generators = [found for found in gc.get_objects() if isinstance(found, random.Random)]
    gc.freeze()  # what was imported stays: a child that counted it, or took it down at its end, would copy it
    become(serve(path), generators)
    program(prog_name=name)


if __name__ == "__main__":
    main(*sys.argv[1:])
