"""Refuses to start, in plain words, where a port is taken or a demo runs already in the folder."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from deploy.demo.layout import HOST, Layout

LAST_PORT = 65535
LONGEST_PORT = 9
LONGEST_ROW = 20
"""At least what any kind of run takes: whoever has a port may still be about to take those beside it."""
FIRST_PROPOSED = 8090
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 (tried, never listened on)


class CannotStart(Exception):
    """What stands in the way and what to do about it; the message is shown as it is."""


class WrongPort(CannotStart):
    """What was asked for is no port; a mistake in the call, not on this machine."""


def port_of(text: str, kind: type[Layout] = Layout) -> int:
    """The first of the ports in a row that this kind of run needs; raises WrongPort."""
    last = LAST_PORT + 1 - kind.row_of_ports
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST_PORT and int(text)):
        wrong = f"There is no port {text[:40]!r}."
    elif int(text) > last:
        wrong = (
            f"There is no port {text}, or not {kind.row_of_ports - 1} more after it ({last} is the last that "
            "can be given)."
        )
    else:
        return int(text)
    another = _free_row(kind.row_of_ports, FIRST_PROPOSED)
    raise WrongPort(f"{wrong} Choose another: {kind.target} PORT={another}")


def check_ports(layout: Layout) -> None:
    """Every port that the demo needs, before anything is started; raises CannotStart."""
    for port, purpose in layout.ports.items():
        host = layout.listen_host if port == layout.port else HOST
        if reason := _why_not(host, port):
            raise CannotStart(
                f"Port {port} on {host}, for {purpose}, {reason}.\n"
                f"Choose another first port: {layout.target} PORT={_beside(port, layout)}   "
                f"(the demo uses {layout.row_of_ports} in a row)"
            )


def _why_not(host: str, port: int) -> str:
    """Empty when the port can be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            return "may not be used by this user"
        except OSError as error:
            return f"is taken or cannot be used ({os.strerror(error.errno or 0)})"
    return ""


def _beside(taken: int, layout: Layout) -> int:
    """A first port to propose where one is taken, by nobody knows whom."""
    others = range(taken + 1 - LONGEST_ROW, taken + LONGEST_ROW)
    return _free_row(layout.row_of_ports, _round_up(others.stop), others)


def _free_row(row: int, begin: int, others: range = range(0)) -> int:
    """A first port to propose: `begin`, or a round number after it (before it, where there is none), from
    which so many in a row are free and none is among those that `others` are to have."""
    after, before = range(_round_up(begin), LAST_PORT, 10), range(FIRST_PROPOSED, begin, 10)
    found = (first for first in (begin, *after, *before) if _all_free(range(first, first + row), others))
    return next(found, FIRST_PROPOSED)


def _round_up(port: int) -> int:
    return -(-port // 10) * 10


def _all_free(ports: range, others: range) -> bool:
    """Whether they are ports at all, none of `others`, and nobody listens there."""
    apart = ports.stop <= others.start or others.stop <= ports.start
    possible = apart and ports.stop <= LAST_PORT + 1
    return possible and not any(_why_not(EVERY_ADDRESS, port) for port in ports)


@contextmanager
def only_one(layout: Layout) -> Iterator[None]:
    """Holds the folder's lock, which dies with the process, and names its ports there (the first one, how
    many); raises CannotStart when another demo has it."""
    with (layout.folder / "demo.lock").open("a+", encoding="ascii", errors="replace") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotStart(
                f"A demo runs already in {layout.folder}. Stop it first (Ctrl-C there), "
                "or give this one a folder of its own: SIMPUL_DEMO_DIR=./var/demo2 "
                f"{layout.target} PORT={_free_row(layout.row_of_ports, layout.port, _held(handle, layout))}"
            ) from error
        handle.truncate(0)
        print(layout.port, layout.row_of_ports, file=handle, flush=True)
        yield


def _held(lock: TextIO, layout: Layout) -> range:
    """The ports of whoever holds the lock: as it names them; where it does not, the ones asked for here."""
    lock.seek(0)
    words = lock.read(LONGEST_PORT * 2).split()
    if len(words) != 2 or not all(word.isdecimal() for word in words):
        return range(layout.port, layout.port + LONGEST_ROW)
    return range(int(words[0]), int(words[0]) + int(words[1]))
