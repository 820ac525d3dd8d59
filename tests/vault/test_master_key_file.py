"""The master key file: its rights, its making by several processes at once, and kills while it is written."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.ports.sealing import MasterKeyError
from hub.vault.master_key import MasterKeyFile

NOW = datetime(2025, 3, 1, 8, tzinfo=UTC)
_ENSURE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from hub.vault.master_key import MasterKeyFile
sys.stdin.readline()
ring = MasterKeyFile(Path(sys.argv[1])).ensure(datetime.now(UTC))
print(ring.current.key.hex(), ring.hub_secret.hex())
"""
_ROTATE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from hub.vault.master_key import MasterKeyFile
file = MasterKeyFile(Path(sys.argv[1]))
file.ensure(datetime.now(UTC))
print("ready", flush=True)
while True:
    file.rotate(datetime.now(UTC))
    file.destroy(datetime.now(UTC))
"""


def _start(program: str, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_the_file_is_the_owners_alone(key_file: MasterKeyFile) -> None:
    assert key_file.path.stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in key_file.path.parent.iterdir()) == ["master.key", "master.key.lock"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_a_file_that_others_may_read_is_refused_with_the_remedy(key_file: MasterKeyFile, mode: int) -> None:
    key_file.path.chmod(mode)
    with pytest.raises(MasterKeyError, match=f"mode {mode:04o}.*chmod 600 {key_file.path}"):
        key_file.load()


def test_a_read_only_file_is_fine(key_file: MasterKeyFile) -> None:
    key_file.path.chmod(0o400)
    assert key_file.ensure(NOW) == key_file.load()


def test_a_missing_file_is_not_made_in_silence(tmp_path: Path) -> None:
    with pytest.raises(MasterKeyError, match="no master key file at"):
        MasterKeyFile(tmp_path / "master.key").load()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [
        *["", "{", "[]", "null", '{"format": "other/1"}', '{"format": "simpul-master-key/1"}'],
        '{"format": "simpul-master-key/1", "hub_secret": "AA==", "generations": []}',
        '{"format": "simpul-master-key/1", "hub_secret": "AA==", "generations": [3]}',
    ],
)
def test_a_damaged_file_is_refused(key_file: MasterKeyFile, content: str) -> None:
    key_file.path.write_text(content)
    with pytest.raises(MasterKeyError, match="is not what the hub wrote"):
        key_file.load()


def test_a_damaged_file_is_refused_at_every_cut(key_file: MasterKeyFile) -> None:
    whole = key_file.path.read_bytes()
    for length in range(0, len(whole) - 2, 7):
        key_file.path.write_bytes(whole[:length])
        with pytest.raises(MasterKeyError):
            key_file.load()


def test_what_is_written_is_read_again(key_file: MasterKeyFile) -> None:
    rotated = key_file.rotate(NOW)
    assert key_file.load() == rotated
    assert [g.number for g in rotated.generations] == [1, 2]
    document = json.loads(key_file.path.read_text())
    assert document["generations"][0]["retired_at"] == NOW.isoformat()


def test_processes_that_make_it_at_once_share_one(tmp_path: Path) -> None:
    path = tmp_path / "new" / "master.key"
    processes = [_start(_ENSURE, path) for _ in range(6)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    answers = {process.communicate(timeout=60)[0] for process in processes}
    assert [process.returncode for process in processes] == [0] * 6
    assert len(answers) == 1


def test_a_kill_while_writing_leaves_a_whole_file_and_no_stuck_lock(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    file = MasterKeyFile(path)
    for attempt in range(8):
        process = _start(_ROTATE, path)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        # A moment of random length within the loop of writes; nothing is waited for.
        _spin(0.003 * attempt)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
        before = file.load()
        assert file.rotate(NOW).current.number == before.current.number + 1
        assert before.hub_secret == file.load().hub_secret
        left = {p.name for p in tmp_path.iterdir()}
        assert left <= {"master.key", "master.key.lock"}


def _spin(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
