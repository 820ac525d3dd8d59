"""Refuses to start, in plain words, where a port is taken or a demo runs already in the folder."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.demo.layout import HOST, Layout

LAST_PORT = 65535
LONGEST_PORT = 9


class CannotStart(Exception):
    """What stands in the way and what to do about it; the message is shown as it is."""


class WrongPort(CannotStart):
    """What was asked for is no port; a mistake in the call, not on this machine."""


def port_of(text: str, kind: type[Layout] = Layout) -> int:
    """The first of the ports in a row that this kind of run needs; raises WrongPort."""
    last, choose = LAST_PORT + 1 - kind.row_of_ports, f"Choose another: {kind.target} PORT=8090"
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST_PORT and int(text)):
        raise WrongPort(f"There is no port {text[:40]!r}. {choose}")
    if int(text) > last:
        raise WrongPort(
            f"There is no port {text}, or not {kind.row_of_ports - 1} more after it ({last} is the last that "
            f"can be given). {choose}"
        )
    return int(text)


def check_ports(layout: Layout) -> None:
    """Every port that the demo needs, before anything is started; raises CannotStart."""
    for port, purpose in layout.ports.items():
        host = layout.listen_host if port == layout.port else HOST
        if reason := _why_not(host, port):
            raise CannotStart(
                f"Port {port} on {host}, for {purpose}, {reason}.\n"
                f"Choose another first port: {layout.target} PORT={_free_run(port, layout.row_of_ports)}   "
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


def _free_run(taken: int, row: int) -> int:
    """A first port to propose: the next round number with a row of free ones."""
    candidates = range((taken // 10 + 1) * 10, 65000, 10)
    return next((first for first in candidates if _all_free(first, row)), 18080)


def _all_free(first: int, row: int) -> bool:
    return not any(_why_not(HOST, port) for port in range(first, first + row))


@contextmanager
def only_one(layout: Layout) -> Iterator[None]:
    """Holds the folder's lock, which dies with the process; raises CannotStart when another demo has it."""
    with (layout.folder / "demo.lock").open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotStart(
                f"A demo runs already in {layout.folder}. Stop it first (Ctrl-C there), "
                "or give this one a folder of its own: SIMPUL_DEMO_DIR=./var/demo2 "
                f"{layout.target} PORT=8090"
            ) from error
        yield
