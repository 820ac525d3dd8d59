"""Which other port a start that is refused is told to take."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from deploy.demo.cluster.layout import ClusterLayout
from deploy.demo.layout import Layout
from deploy.demo.ports import LONGEST_ROW, CannotStart, WrongPort, check_ports, only_one, port_of
from tests.parts.local_server import free_row

ROW = ClusterLayout.row_of_ports


@contextmanager
def taken(*ports: int) -> Iterator[None]:
    with ExitStack() as stack:
        for port in ports:
            server = stack.enter_context(socket.socket())
            server.bind(("127.0.0.1", port))
            server.listen()
        yield


def proposed(refused: pytest.ExceptionInfo[CannotStart]) -> int:
    (port,) = re.findall(r"PORT=(\d+)", str(refused.value))
    return int(port)


def refusal(layout: Layout) -> int:
    with pytest.raises(CannotStart, match="runs already") as refused, only_one(layout):
        pass
    return proposed(refused)


def test_beside_a_run_in_the_same_folder_a_row_is_proposed_that_is_free_and_not_its_own(
    tmp_path: Path,
) -> None:
    """It is only starting: most of its ports can still be had."""
    first = free_row(80) // 10 * 10 + 10
    busy = first + ROW + 15
    with only_one(ClusterLayout(tmp_path, first)), taken(first, busy):
        port = refusal(ClusterLayout(tmp_path, first))
    row = range(port, port + ROW)
    assert not set(row) & set(range(first, first + ROW))
    assert busy not in row


def test_the_port_that_was_asked_for_is_proposed_where_only_the_folder_is_held(tmp_path: Path) -> None:
    first = free_row(60)
    with only_one(ClusterLayout(tmp_path, first)):
        assert refusal(ClusterLayout(tmp_path, first + ROW)) == first + ROW
        assert refusal(ClusterLayout(tmp_path, first + ROW - 1)) >= first + ROW
        below = refusal(Layout(tmp_path, first - 3))
        assert below >= first + ROW or below + Layout.row_of_ports <= first


def test_a_lock_of_a_demo_that_named_no_ports_is_no_trouble(tmp_path: Path) -> None:
    first = free_row(60)
    with only_one(ClusterLayout(tmp_path, first)):
        for text in ("", "no ports", "1 2 3"):
            (tmp_path / "demo.lock").write_text(text)
            assert refusal(ClusterLayout(tmp_path, first)) >= first + ROW


def test_the_next_run_names_its_own_ports_in_the_lock(tmp_path: Path) -> None:
    first = free_row(60)
    for port in (first, first + ROW):
        with only_one(ClusterLayout(tmp_path, port)):
            assert (tmp_path / "demo.lock").read_text() == f"{port} {ROW}\n"


@pytest.mark.parametrize("kind", [Layout, ClusterLayout])
def test_where_a_port_is_taken_the_proposed_row_is_beyond_any_that_it_may_belong_to(
    kind: type[Layout], tmp_path: Path
) -> None:
    first = free_row(80)
    beyond = (first + ROW - 1) // 10 * 10 + 10
    with taken(first, beyond + 2), pytest.raises(CannotStart, match=f"Port {first} on") as refused:
        check_ports(kind(tmp_path, first))
    port = proposed(refused)
    assert first + ROW <= first + LONGEST_ROW <= port
    assert beyond + 2 not in range(port, port + kind.row_of_ports)


def test_what_is_no_port_is_answered_with_a_row_that_is_free() -> None:
    with pytest.raises(WrongPort) as refused:
        port_of("abc", ClusterLayout)
    row = range(proposed(refused), proposed(refused) + ROW)
    with taken(row[0], row[-1]), pytest.raises(WrongPort) as again:
        port_of("abc", ClusterLayout)
    assert not {row[0], row[-1]} & set(range(proposed(again), proposed(again) + ROW))


def test_near_the_last_port_a_row_below_is_proposed(tmp_path: Path) -> None:
    with taken(65516), pytest.raises(CannotStart) as refused:
        check_ports(ClusterLayout(tmp_path, 65510))
    assert proposed(refused) + ROW <= 65510
