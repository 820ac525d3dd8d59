"""A small file system of its own (tmpfs) for a part's data, which can be full. Mounting it needs root."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.parts.local_server import PartMissing

MEGABYTE: Final = 1 << 20
BLOCK: Final = 4096


class SmallDisk:
    """Mounted at `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Not a block is left."""
        with self._ballast.open("ab", buffering=0) as ballast:
            for size in (MEGABYTE, BLOCK):
                _write_until_full(ballast.fileno(), bytes(size))

    def make_room(self) -> None:
        self._ballast.unlink()

    def free_bytes(self) -> int:
        return shutil.disk_usage(self.folder).free


def _write_until_full(handle: int, block: bytes) -> None:
    try:
        while True:
            os.write(handle, block)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise


def missing() -> str | None:
    """Why there can be none here, and what helps."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return "a small file system to fill cannot be mounted: run it as root, on Linux"
    return None


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """In the place of `folder`, with what lies there; unused now and at the end. PartMissing."""
    if why := missing():
        raise PartMissing(why)
    aside = folder.with_name(f"{folder.name}.aside")
    folder.rename(aside)
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    ended = subprocess.run(mounting, capture_output=True, text=True, check=False)
    if ended.returncode:
        why = f"a small file system cannot be mounted: {ended.stderr.strip()}; run it where root may mount"
        raise PartMissing(why)
    try:
        shutil.copytree(aside, folder, dirs_exist_ok=True)
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", str(folder)], check=True)
