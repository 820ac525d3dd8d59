"""Starts a console program as a process of its own without the second that its imports take: a server that
has imported the program forks a child for each start. The child has its own pid, arguments, environment,
folder, standard files and signals, runs the program from its command line on, and ends as an interpreter
ends, but for the modules: those it leaves to the kernel.

`python -m tests.parts.fork_server SOCKET NAME MODULE:FUNCTION MODULE …` imports every module before it forks;
it lives as long as its standard input is open, and no child longer. It starts no thread, opens no connection,
reads no setting."""

from __future__ import annotations

import atexit
import ctypes
import gc
import importlib
import json
import os
import random
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

LONGEST_TASK: Final = 1 << 20
STREAMS: Final = 2
"""Standard output and error come as descriptors with the task."""
ARGUMENTS: Final = slice(45, 47)
"""Where they begin and end in memory: two of the fields of /proc/self/stat, from the third on (proc(5))."""


@dataclass(frozen=True)
class Child:
    pid: int
    ended: int
    """Its pidfd: readable when it has ended."""
    connection: socket.socket
    """To who started it; readable when that one has ended or does not care any more."""

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def tell(self) -> None:
        """Its exit status. With its end its processor time counts as this server's."""
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        with suppress(ConnectionError):  # who started it may have ended
            self.connection.send(b"%d" % status)
        self.forget()

    def forget(self) -> None:
        os.close(self.ended)
        self.connection.close()


def serve(path: str) -> dict[str, Any]:
    """Forks for every connection; returns in the children alone, with what each shall do."""
    children: list[Child] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(path)
        listener.listen(16)
        while not (ready := wait(listener, children)) or listener in ready:
            if ready and (task := fork(listener, children)):
                return task
    for child in children:
        child.kill()
        child.tell()
    sys.exit(0)


def wait(listener: socket.socket, children: list[Child]) -> list[object]:
    """Until something is asked for, or the standard input ends: what is ready of the two. Meanwhile it looks
    after one child that has ended, or has to: nothing outlives the tests."""
    asked = (listener, sys.stdin)
    watched = (*asked, *(each for child in children for each in (child.ended, child.connection)))
    ready: list[object] = select.select(watched, [], [])[0]
    for child in [each for each in children if each.ended in ready or each.connection in ready]:
        if child.ended not in ready:
            child.kill()
        child.tell()
        children.remove(child)
    return [each for each in ready if each in asked]


def fork(listener: socket.socket, children: list[Child]) -> dict[str, Any] | None:
    """The task, in the program alone."""
    connection, _ = listener.accept()
    text, streams, _, _ = socket.recv_fds(connection, LONGEST_TASK, STREAMS)
    pid = os.fork()
    if pid == 0:
        listener.close()
        for other in children:
            other.forget()
        task: dict[str, Any] = json.loads(text)
        return task | {"streams": streams, "connection": connection}
    for stream in streams:  # a reader of these waits for the program's end, not for ours
        os.close(stream)
    children.append(Child(pid, os.pidfd_open(pid), connection))
    return None


def be_called(words: list[str]) -> None:
    """What other processes read as its command line, in the place of the server's, as long as that one is."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    begin, end = (int(each) for each in fields[ARGUMENTS])
    line = "\0".join(words).encode()[: end - begin - 1]
    ctypes.memmove(begin, line.ljust(end - begin, b"\0"), end - begin)


def become(task: dict[str, Any], generators: list[random.Random]) -> None:
    """Arguments, environment, folder and standard files as a shell would set them up; chance anew. Then it
    tells its pid: whoever knows it may send signals."""
    sys.argv = task["arguments"]
    be_called([sys.executable, *sys.argv])
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


def run(program: Callable[[], object]) -> None:
    """To its end, in the interpreter's order: other threads, what was registered, what nobody holds any more,
    the standard files. Then it would take all modules down, and so copy every page of them, which takes ten
    times what most commands do; of an end by an exception it does that too."""
    status: object = None
    try:
        program()
    except SystemExit as asked:
        status = asked.code
    if status is None or isinstance(status, int):
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        gc.collect()
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status or 0)
    sys.exit(status)  # type: ignore[arg-type]


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
    run(lambda: program(prog_name=name))


if __name__ == "__main__":
    main(*sys.argv[1:])
