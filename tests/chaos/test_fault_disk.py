"""The disk that can be full: the next write fails as on a real one, and there is room again."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from tests.parts.fault_disk import MEGABYTE, small_disk
from tests.parts.local_server import PartMissing


def test_a_full_disk_takes_nothing_until_there_is_room(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "was-there").write_text("tetap ada")
    try:
        with small_disk(folder, 4) as disk:
            assert (folder / "was-there").read_text() == "tetap ada"
            assert disk.free_bytes() > 3 * MEGABYTE
            disk.fill()
            with pytest.raises(OSError, match="No space left") as full:
                (folder / "more").write_bytes(b"x" * 8192)
            assert full.value.errno == errno.ENOSPC
            disk.make_room()
            (folder / "more").write_bytes(b"x" * 8192)
    except PartMissing as missing:  # no part that could be installed: who runs the tests may not mount
        pytest.skip(str(missing))
