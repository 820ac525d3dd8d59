"""The tests' modules compiled once, on every processor, before pytest's workers start: in a fresh clone each
worker would otherwise rewrite the assertions of them all, for itself, and they would write the same files.

pytest offers no call for it, so these are its own functions; a release that renames them ends the run at this
import, and `works` may then go, at the cost of some seconds."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
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


def works(config: pytest.Config, folder: Path) -> list[Callable[[], None]]:
    """What compiles every `test_*.py` and `conftest.py` under `folder` whose compiled form is not there, a
    part for each processor."""
    files = sorted(file for name in ("test_*.py", "conftest.py") for file in folder.rglob(name))
    stale = [file for file in files if _read_pyc(file, _compiled(file)) is None]
    shares = os.cpu_count() or 1
    return [partial(_compile_all, config, stale[share::shares]) for share in range(shares if stale else 0)]


def _compiled(file: Path) -> Path:
    return get_cache_dir(file) / (file.stem + PYC_TAIL)


def _compile_all(config: pytest.Config, files: list[Path]) -> None:
    for file in files:
        _compile(config, file)


def _compile(config: pytest.Config, file: Path) -> None:
    """A module that does not compile is the collection's to tell, as it tells of any."""
    try:
        source_hash, code = _rewrite_test(file, config)
    except SyntaxError:
        return
    try_makedirs(_compiled(file).parent)
    _write_pyc(config.stash[assertstate_key], code, source_hash, _compiled(file))
