"""A forked program is what a started one is: a process with its own everything."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from tests.parts.forking import HUB, ForkServer, OwnForkServer, Program, fork_server
from tests.parts.local_server import folder_of

TELLS = Program("tells", "tests.parts.telling:main", ())


@pytest.fixture
def server() -> ForkServer:
    return fork_server(TELLS)


def told(server: ForkServer, folder: Path, *arguments: str, **env: str) -> tuple[int, dict[str, object], str]:
    """(exit status, what it wrote to standard output, what it wrote to standard error)."""
    out, err = folder / "out", folder / "err"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        status = server.start(arguments, folder, env, stdout, stderr).wait(30)
    return status, json.loads(out.read_text() or "{}"), err.read_text()


def test_it_has_arguments_folder_environment_and_streams_of_its_own(
    server: ForkServer, tmp_path: Path
) -> None:
    status, found, complained = told(server, tmp_path, "satu", "dua", WARNA="biru")
    assert status == 0
    assert found["arguments"] == ["satu", "dua"]
    assert (found["name"], found["folder"], found["environment"]) == (
        "tells",
        str(tmp_path),
        {"WARNA": "biru"},
    )
    assert found["stdin"] == ""
    assert found["pid"] != os.getpid()
    assert complained == "selesai\n", "what an interpreter does at its end is done"


def test_chance_and_ids_differ_from_child_to_child(server: ForkServer, tmp_path: Path) -> None:
    first, second = (told(server, tmp_path)[1] for _ in range(2))
    assert first["pid"] != second["pid"]
    for drawn in ("random", "own_random", "urandom"):
        assert first[drawn] != second[drawn]


def test_it_ends_when_all_that_an_interpreter_waits_for_has(server: ForkServer, tmp_path: Path) -> None:
    status, _, complained = told(server, tmp_path, "--late")
    assert (status, complained) == (0, "terlambat\nselesai\nterlepas\n")


def test_its_exit_status_is_told(server: ForkServer, tmp_path: Path) -> None:
    assert told(server, tmp_path, "--exit", "3")[0] == 3
    status, _, complained = told(server, tmp_path, "--raise")
    assert status == 1
    assert "RuntimeError: rusak" in complained


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_ends_by_a_signal_as_any_process(
    server: ForkServer, tmp_path: Path, number: signal.Signals
) -> None:
    with (tmp_path / "out").open("wb") as out:
        forked = server.start(["--wait"], tmp_path, {}, out, subprocess.STDOUT)
    assert forked.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        forked.wait(0.0)
    assert psutil.Process(forked.pid).is_running()
    assert [word for word in psutil.Process(forked.pid).cmdline() if word][1:] == ["tells", "--wait"]
    forked.send_signal(number)
    assert forked.wait(30) == -number
    assert not psutil.pid_exists(forked.pid)
    forked.send_signal(number)
    assert forked.poll() == forked.wait()


def test_who_reads_what_it_writes_sees_its_end(server: ForkServer, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as lines, os.fdopen(writer, "wb") as out:
        forked = server.start([], tmp_path, {}, out, out)
        out.close()
        assert lines.read().endswith(b"selesai\n")
    assert forked.wait(30) == 0


def test_it_does_not_outlive_who_started_it(server: ForkServer, tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out:
        forked = server.start(["--wait"], tmp_path, {}, out, out)
    process = psutil.Process(forked.pid)
    del forked
    process.wait(30)


def test_it_does_not_outlive_its_server(tmp_path: Path) -> None:
    with folder_of(None, "fork") as folder:
        server = OwnForkServer(TELLS, folder)
        with (tmp_path / "out").open("wb") as out:
            forked = server.start(["--wait"], tmp_path, {}, out, out)
        server.end()
    assert forked.wait(30) == -signal.SIGKILL
    assert not psutil.pid_exists(forked.pid)


def test_the_hubs_server_has_one_thread_and_no_connection() -> None:
    process = psutil.Process(fork_server(HUB).pid)
    assert process.num_threads() == 1
    assert not process.net_connections(kind="inet")
