"""A master key file and a sealer over it, in a folder of the test's own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.vault.master_key import MasterKeyFile
from hub.vault.sealer import Sealer

NOW = datetime(2025, 3, 1, 8, tzinfo=UTC)


@pytest.fixture
def key_file(tmp_path: Path) -> MasterKeyFile:
    file = MasterKeyFile(tmp_path / "data" / "master.key")
    file.ensure(NOW)
    return file


@pytest.fixture
def sealer(key_file: MasterKeyFile) -> Sealer:
    return Sealer(key_file)
