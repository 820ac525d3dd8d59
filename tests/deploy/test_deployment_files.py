"""Each validator of `make check` finds the fault that it is there for: a copy is broken, and refused."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy import check_files

DEPLOY = Path(check_files.__file__).parent
IN_CI = bool(os.environ.get("CI"))

BROKEN = [
    pytest.param(check_files.dockerfile, "Dockerfile", "USER 10001:10001", "USER root", "DL3002", id="root"),
    pytest.param(
        check_files.dockerfile, "Dockerfile", "WORKDIR /src", "WORKDIR src", "DL3000", id="relative folder"
    ),
    pytest.param(
        check_files.compose, "compose.yaml", "cap_drop:", "cap_dropp:", "cap_dropp", id="compose key"
    ),
    pytest.param(
        check_files.manifests, "kubernetes/hub/api.yaml", "replicas: 2", "replicas: two", "two", id="type"
    ),
    pytest.param(
        check_files.manifests, "kubernetes/hub/relay.yaml", "readinessProbe:", "readynessProbe:",
        "readynessProbe", id="unknown field",
    ),
    pytest.param(
        check_files.kustomizations, "kubernetes/hub/kustomization.yaml", "clock.yaml", "clok.yaml",
        "clok.yaml", id="kustomization names no file",
    ),
    pytest.param(
        check_files.kustomizations, "kubernetes/hub/kustomization.yaml", "clock.yaml, ", "",
        "in no kustomization", id="file in no kustomization",
    ),
    pytest.param(
        check_files.units, "systemd/simpul@.service", "ProtectSystem=strict", "ProtectSystems=strict",
        "ProtectSystems", id="unit key",
    ),
    pytest.param(
        check_files.units, "systemd/simpul@.service", "Restart=always", "Restart=sometimes",
        "sometimes", id="unit value",
    ),
    pytest.param(
        check_files.units, "systemd/simpul-migrate.service", "ExecStart=/opt", "ExecStart=/nowhere/opt",
        "not executable", id="no program",
    ),
    pytest.param(
        check_files.alerts, "prometheus/alerts.yaml", "sum by (lease) (", "sum by (lease ",
        "parse", id="PromQL",
    ),
    pytest.param(
        check_files.alerts, "prometheus/alerts.yaml", "> 0.01", "> 0.03", "FAILED", id="silent alert"
    ),
]  # fmt: skip


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    names = ("kubernetes", "systemd", "prometheus")
    for name in names:
        shutil.copytree(DEPLOY / name, tmp_path / name)
    for name in ("Dockerfile", "compose.yaml"):
        shutil.copy(DEPLOY / name, tmp_path / name)
    return tmp_path


@pytest.fixture(autouse=True)
def outside_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)


def checked(folder: Path, check: Callable) -> list[str]:
    try:
        return [f"{check.__name__}: {problem}" for problem in check(folder)]
    except check_files.ToolMissing as missing:
        (pytest.fail if IN_CI else pytest.skip)(str(missing))


@pytest.mark.parametrize("check", check_files.CHECKS, ids=lambda check: check.__name__)
def test_what_is_shipped_holds(check: Callable, copy: Path) -> None:
    assert checked(copy, check) == []


@pytest.mark.parametrize(("check", "name", "good", "bad", "said"), BROKEN)
def test_a_broken_file_is_refused(
    check: Callable, name: str, good: str, bad: str, said: str, copy: Path
) -> None:
    text = (copy / name).read_text("utf-8")
    assert good in text
    (copy / name).write_text(text.replace(good, bad), "utf-8")
    found = "\n".join(checked(copy, check))
    assert said in found


def test_a_missing_tool_fails_in_ci_alone(
    copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check_files.shutil, "which", lambda _tool: None)
    assert list(check_files.problems(copy, [check_files.alerts])) == []
    assert "promtool is not installed" in capsys.readouterr().err
    monkeypatch.setenv("CI", "true")
    assert "prometheus" in " ".join(check_files.problems(copy, [check_files.alerts]))
