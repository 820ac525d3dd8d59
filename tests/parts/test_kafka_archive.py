from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.parts import kafka_files


def test_an_archive_is_kept_from_whatever_file_system_it_was_made_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Brokers' folders lie in memory, the cache lies on a disk."""
    with tempfile.TemporaryDirectory(dir="/tmp") as on_disk:  # a file system, not a secret place
        monkeypatch.setenv("XDG_CACHE_HOME", on_disk)
        kafka_files.cache().mkdir(parents=True)
        for content in (b"one", b"another"):
            (tmp_path / "classes.jsa").write_bytes(content)
            kafka_files.keep_archive(tmp_path / "classes.jsa")
            assert [each.read_bytes() for each in kafka_files.cache().iterdir()] == [content]
    assert list(tmp_path.iterdir()) == []
