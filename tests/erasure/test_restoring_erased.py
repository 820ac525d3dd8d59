"""What was erased stays erased: the journal beside the master key, a kill around the commit, backups from
before."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from structlog.testing import capture_logs

from hub.cli.main import main
from hub.errors import StoreUnavailable
from hub.ports.erasures import ErasureLine
from hub.service.intake import ComplaintCodes
from hub.settings import Settings
from hub.store.destroying import PURGE_WAITS
from hub.store.restored import RESTORED
from hub.store.unpacking import unpack
from hub.store.writing import Transaction
from hub.vault.erasures import ErasureFile
from tests.erasure.erasurework import MASKED, REASON, ErasureWorld, erasure_world, words_in
from tests.service.hubworld import KOTIM, PUPR

LINE = ErasureLine("0197d2a4-6f3e-7c21-9b0a-3f5f0c6f8a11", KOTIM, "2025-03-14T02:00:00.000Z")
Simpul = Callable[..., Any]


@pytest.fixture
def simpul(settings: Settings) -> Simpul:
    """Runs a command on the hub; its result."""

    def run(*arguments: str) -> Any:
        result = invoked(settings, *arguments)
        assert result.exit_code == 0, result.output + result.stderr
        return json.loads(result.stdout.splitlines()[-1])

    return run


def invoked(settings: Settings, *arguments: str) -> Result:
    environment = {"SIMPUL_DATA_DIR": str(settings.data_dir), "SIMPUL_LOG_LEVEL": "warning"}
    if settings.on_postgres:
        environment["SIMPUL_DATABASE_URL"] = str(settings.database)
    return CliRunner(env=environment).invoke(main, arguments)


# --- the journal --------------------------------------------------------------------------------------


def test_a_line_holds_ids_only(world: ErasureWorld) -> None:
    case_id = world.told()
    world.erase(case_id)
    path = world.settings.key_path.with_name("erasures.ndjson")
    (line,) = path.read_text().splitlines()
    assert json.loads(line) == {"case_id": case_id, "by": KOTIM, "erased_at": "2025-03-14T02:00:00.000Z"}
    assert path.stat().st_mode & 0o777 == 0o600


def test_lines_that_were_taken_back_or_cut_off_are_none(tmp_path: Path) -> None:
    journal = ErasureFile(tmp_path / "master.key")
    assert journal.lines() == []
    journal.add([LINE])
    journal.take_back([LINE])
    assert journal.lines() == []
    journal.add([LINE])
    with journal.path.open("ab") as file:
        file.write(b'{"case_id": "0197')
    assert journal.lines() == [LINE]
    other = ErasureLine("0197d2a4-6f3e-7c21-9b0a-3f5f0c6f8a12", PUPR, "2025-03-15T02:00:00.000Z")
    journal.add([other])
    assert journal.lines() == [LINE, other]


@pytest.mark.parametrize("odd", [
    b'{"case_id": ["a"], "by": "kotim", "erased_at": "x"}', b'{"case_id": "a", "by": 1, "erased_at": "x"}',
    b'["a"]', b"1", b"\xff\xfe", b'{"case_id": {}, "by": null}', b'"case_id"',
])  # fmt: skip
def test_an_odd_line_is_named_and_the_others_count(tmp_path: Path, odd: bytes) -> None:
    journal = ErasureFile(tmp_path / "master.key")
    journal.add([LINE])
    with journal.path.open("ab") as file:
        file.write(b"\n" + odd + b"\n")
    other = ErasureLine("0197d2a4-6f3e-7c21-9b0a-3f5f0c6f8a12", PUPR, "2025-03-15T02:00:00.000Z")
    journal.add([other])
    with capture_logs() as told:
        assert journal.lines() == [LINE, other]
    (line,) = told
    assert (line["event"], line["path"], line["line"]) == ("erasure_line_unreadable", str(journal.path), 3)


def test_without_its_line_nothing_is_erased(world: ErasureWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = world.told()

    def full(journal: ErasureFile, lines: Any) -> None:
        raise StoreUnavailable("no space")

    monkeypatch.setattr(ErasureFile, "add", full)
    from hub.domain.commands import Erase

    (refused,) = world.run(world.request(Erase(case_id, REASON)))
    assert refused.status == 503
    assert world.read(lambda s: s.case(case_id)).state.erased is False
    assert world.difference() is None


def test_a_commit_that_failed_takes_its_line_back(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = world.told()
    from hub.domain.commands import Erase

    def fails(transaction: Transaction) -> None:
        raise StoreUnavailable("the disk is full")

    with world.core.store.begin() as transaction:
        monkeypatch.setattr(type(transaction), "commit", fails)
    (refused,) = world.run(world.request(Erase(case_id, REASON)))
    monkeypatch.undo()
    assert (refused.status, world.lines()) == (503, [])
    world.erase(case_id)
    assert [line.case_id for line in world.lines()] == [case_id]


# --- killed -------------------------------------------------------------------------------------------


def killed(settings: Settings, codes: ComplaintCodes, case_id: str, when: str) -> None:
    """A process that erases the case and dies at that moment."""
    if (child := os.fork()) == 0:
        try:
            with erasure_world(settings, codes) as world, dying(world, when):
                world.erase(case_id)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), status


@contextmanager
def dying(world: ErasureWorld, when: str) -> Iterator[None]:
    with world.core.store.begin() as transaction:
        kind = type(transaction)
    original = kind.commit

    def commit(transaction: Any) -> None:
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        original(transaction)
        os.kill(os.getpid(), signal.SIGKILL)

    kind.commit = commit  # type: ignore[method-assign]
    yield


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_around_the_commit(settings: Settings, codes: ComplaintCodes, when: str) -> None:
    """Before it: the case is whole, and the line changes nothing. After it: the case is erased, and the next
    start takes its bytes from the disk."""
    with erasure_world(settings, codes) as world:
        case_id = world.told()
    killed(settings, codes, case_id, when)
    with erasure_world(settings, codes) as world:
        assert [line.case_id for line in world.lines()] == [case_id]
        case = world.read(lambda s: s.case(case_id))
        assert (case.state.erased, case.texts is None) == (when == "after", when == "after")
        assert world.count("facts", "name", PURGE_WAITS) == (when == "after")
        assert world.difference() is None
        world.core.store.purge()
        assert bool(world.found(MASKED)) == (when == "before")


# --- backups ------------------------------------------------------------------------------------------


def test_a_backup_from_before_is_erased_again(
    settings: Settings, codes: ComplaintCodes, simpul: Simpul, tmp_path: Path
) -> None:
    with erasure_world(settings, codes) as world:
        gone, kept = world.told("A"), world.submitted("B")
        name = world.room(gone)
    simpul("backup", str(tmp_path / "before.tar.gz"))
    with erasure_world(settings, codes) as world:
        world.erase(gone)
        world.confirm(gone, PUPR)
    done = simpul("restore", str(tmp_path / "before.tar.gz"))
    with erasure_world(settings, codes) as world:
        assert world.count("facts", "name", RESTORED) == 0
        state = world.read(lambda s: s.case(gone)).state
        assert (state.erased, state.erasure.by) == (True, KOTIM)
        assert world.read(lambda s: s.thread(name)).texts is None
        assert world.read(lambda s: s.case(kept)).texts is not None
        assert world.read(lambda s: s.stream(gone, state.version - 1, 1))[0].fact().data.get("reason") is None
        assert world.difference() is None
        if done["replaced"]:
            Path(done["replaced"]).unlink()
        (tmp_path / "before.tar.gz").unlink()
        assert world.found(MASKED) == set()


def test_what_only_the_replaced_database_knows_is_erased_again(
    settings: Settings, codes: ComplaintCodes, simpul: Simpul, tmp_path: Path
) -> None:
    """The journal was lost, or left behind on another machine."""
    with erasure_world(settings, codes) as world:
        gone = world.told("A")
    simpul("backup", str(tmp_path / "before.tar.gz"))
    with erasure_world(settings, codes) as world:
        world.erase(gone)
        world.core.journal.path.unlink()  # type: ignore[attr-defined]
    simpul("restore", str(tmp_path / "before.tar.gz"))
    with erasure_world(settings, codes) as world:
        assert world.read(lambda s: s.case(gone)).state.erased is True
        assert gone in [line.case_id for line in world.lines()]


def test_a_backup_that_does_not_know_the_case(
    settings: Settings, codes: ComplaintCodes, simpul: Simpul, tmp_path: Path
) -> None:
    simpul("backup", str(tmp_path / "before.tar.gz"))
    with erasure_world(settings, codes) as world:
        world.erase(world.told("A"))
    simpul("restore", str(tmp_path / "before.tar.gz"))
    with erasure_world(settings, codes) as world:
        assert world.difference() is None
        assert world.count("facts", "name", RESTORED) == 0


def test_a_restore_that_was_cut_off_is_finished_by_whoever_comes_next(
    settings: Settings, codes: ComplaintCodes, simpul: Simpul, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with erasure_world(settings, codes) as world:
        gone = world.told("A")
    simpul("backup", str(tmp_path / "before.tar.gz"))
    with erasure_world(settings, codes) as world:
        world.erase(gone)

    def cut_off(*arguments: Any, **more: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("hub.cli.database.opened", cut_off)
    assert invoked(settings, "restore", str(tmp_path / "before.tar.gz")).exit_code != 0
    monkeypatch.undo()
    simpul("rebuild", "--check")
    with erasure_world(settings, codes) as world:
        assert world.read(lambda s: s.case(gone)).state.erased is True


def test_a_backup_from_after_holds_nothing(
    settings: Settings, codes: ComplaintCodes, simpul: Simpul, tmp_path: Path
) -> None:
    with erasure_world(settings, codes) as world:
        gone = world.told("A")
        (key,) = world.read(lambda s: s.keys([gone])).values()
        world.erase(gone)
    simpul("backup", str(tmp_path / "after.tar.gz"))
    unpack(tmp_path / "after.tar.gz", tmp_path / "unpacked")
    files = [path for path in (tmp_path / "unpacked").rglob("*") if path.is_file()]
    assert words_in(iter(files), MASKED) == set()
    assert not any(key.wrapped in path.read_bytes() for path in files)


# --- the command --------------------------------------------------------------------------------------


def test_the_command(settings: Settings, codes: ComplaintCodes, simpul: Simpul) -> None:
    with erasure_world(settings, codes) as world:
        case_id = world.told("A")
        tracking = world.read(lambda s: s.case(case_id)).state.tracking_number
    done = simpul("erase", tracking.lower(), "--reason", "Permintaan Marlina Tundan, 081250000431.")
    assert (done["case_id"], done["already"], done["purged"], done["remains"]) == (case_id, False, True, [])
    assert (done["by"], "reporter" in done["masked"]) == ("hub", True)
    assert [each["agency"] for each in done["receipts"]] == [PUPR, KOTIM]
    assert simpul("erase", case_id, "--reason", "Lagi.")["already"] is True
    assert simpul("rebuild", "--check")["difference"] is None
    with erasure_world(settings, codes) as world:
        assert world.found((*MASKED, "Marlina", "Tundan")) == set()


def test_the_command_used_wrongly(settings: Settings) -> None:
    assert invoked(settings, "erase", "0197d2a4-6f3e-7c21-9b0a-3f5f0c6f8a11").exit_code == 2
    for name, reason in (("0197d2a4-6f3e-7c21-9b0a-3f5f0c6f8a11", "Permintaan."), ("apa", "  ")):
        result = invoked(settings, "erase", name, "--reason", reason)
        assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1), result.stderr
