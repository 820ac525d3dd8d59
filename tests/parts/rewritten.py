"""The tests' modules compiled once, on every processor, before pytest's workers start: in a fresh clone each
worker would otherwise rewrite the assertions of them all, for itself, and they would write the same files.

pytest offers no call for it, so these are its own functions; a release that renames them ends the run at this
import, and `ahead` may then go, at the cost of some seconds."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import pytest
from _pytest.assertion.rewrite import (
    PYC_TAIL,
    _read_pyc,
    _rewrite_test,
    _write_pyc,
    assertstate_key,
    get_cache_dir,
    try_makedirs,
)


def ahead(config: pytest.Config, folder: Path) -> None:
    """Compiles every `test_*.py` and `conftest.py` under `folder` whose compiled form is not there."""
    files = sorted(file for name in ("test_*.py", "conftest.py") for file in folder.rglob(name))
    stale = [file for file in files if _read_pyc(file, _compiled(file)) is None]
    shares = os.cpu_count() or 1
    children = [_in_a_fork(config, stale[share::shares]) for share in range(shares if stale else 0)]
    for child in children:
        _, status = os.waitpid(child, 0)
        assert status == 0, "a test's module could not be compiled; what is wrong with it stands above"


def _compiled(file: Path) -> Path:
    return get_cache_dir(file) / (file.stem + PYC_TAIL)


def _in_a_fork(config: pytest.Config, files: list[Path]) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        for file in files:
            _compile(config, file)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)  # nothing of pytest's own is to run twice


def _compile(config: pytest.Config, file: Path) -> None:
    """A module that does not compile is the collection's to tell, as it tells of any."""
    try:
        source_hash, code = _rewrite_test(file, config)
    except SyntaxError:
        return
    try_makedirs(_compiled(file).parent)
    _write_pyc(config.stash[assertstate_key], code, source_hash, _compiled(file))
