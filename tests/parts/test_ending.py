"""What a folder's tests share ends with the last of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.parts.forking import ROOT

SHARED = """
import pytest

@pytest.fixture(scope="session")
def broker():
    print("\\n{name} begins")
    yield "{name}"
    print("\\n{name} ends")

@pytest.fixture(scope="session")
def hub(broker):
    print("\\nhub at {name} begins")
    yield f"hub at {{broker}}"
    print("\\nhub at {name} ends")
"""
TEST = "def test_{name}({wants}):\n    print('\\n{name} runs')\n"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Two folders with a broker each, and a third, in the first one, that uses the first one's too."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n")
    root = tmp_path / "uji"
    root.mkdir()
    (root / "conftest.py").write_text(
        "import pytest\nfrom tests.parts import ending\n\n"
        "def pytest_configure(config):\n    config.pluginmanager.register(ending)\n\n"
        "@pytest.fixture(scope='session', autouse=True)\n"
        "def run():\n    print('\\nrun begins')\n    yield\n    print('\\nrun ends')\n"
    )
    for name in ("a", "b", "a/within"):
        (root / name).mkdir()
    for name in ("a", "b"):
        (root / name / "conftest.py").write_text(SHARED.format(name=name))
    (root / "a" / "test_one.py").write_text(TEST.format(name="one", wants="hub"))
    (root / "a" / "test_two.py").write_text(TEST.format(name="two", wants=""))
    (root / "a" / "within" / "test_three.py").write_text(TEST.format(name="three", wants="broker"))
    (root / "b" / "test_four.py").write_text(TEST.format(name="four", wants="broker"))
    return root


def said(house: Path, *tests: str) -> list[str]:
    """What began, ran and ended, in its order."""
    command = [sys.executable, "-m", "pytest", "-s", "-q", "-p", "no:cacheprovider", *tests]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, cwd=house, env=env, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return [line for line in ended.stdout.splitlines() if line.endswith((" begins", " runs", " ends"))]


def test_a_folders_parts_end_with_its_last_test_the_users_before_the_used(house: Path) -> None:
    assert said(house, "a/test_one.py", "a/test_two.py", "a/within", "b") == [
        "run begins", "a begins", "hub at a begins", "one runs", "two runs", "three runs",
        "hub at a ends", "a ends", "b begins", "four runs", "b ends", "run ends",
    ]  # fmt: skip


def test_who_comes_back_has_them_anew(house: Path) -> None:
    assert said(house, "a/test_one.py", "b", "a/within") == [
        "run begins", "a begins", "hub at a begins", "one runs", "hub at a ends", "a ends",
        "b begins", "four runs", "b ends", "a begins", "three runs", "a ends", "run ends",
    ]  # fmt: skip
