"""`python -m deploy.check_files [FOLDER]`: do Dockerfile, compose file, manifests, units, alerts hold?

Each is asked of the tool that knows its kind, offline. Where a tool is missing it says what to install; where
CI is set that fails, elsewhere the rest is checked."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import yaml

HERE = Path(__file__).parent
INSTALLED = re.compile(r"/opt/simpul/bin/simpul\b")
TIMEOUT_S = 60


class ToolMissing(Exception):
    """The tool's name, and what to install."""


def dockerfile(folder: Path) -> Iterator[str]:
    """hadolint, on the image test's own images too."""
    others = sorted((folder.parent / "tests" / "deploy" / "images").glob("*/Dockerfile"))
    yield from _run("hadolint", folder / "Dockerfile", *others)


def compose(folder: Path) -> Iterator[str]:
    """The Compose Specification's own schema."""
    schema = ("--builtin-schema", "vendor.compose-spec")
    yield from _run("check-jsonschema", *schema, folder / "compose.yaml")


def manifests(folder: Path) -> Iterator[str]:
    """Kubernetes' own schemas, unknown fields refused."""
    yield from _run("kubernetes-validate", "--strict", "--quiet", *_manifests(folder))


def kustomizations(folder: Path) -> Iterator[str]:
    """They name every manifest, and nothing else."""
    listings = sorted((folder / "kubernetes").rglob("kustomization.yaml"))
    named, there = {path for listing in listings for path in _listed(listing)}, _manifests(folder)
    yield from (f"{path}: named in a kustomization, and not there" for path in sorted(named - set(there)))
    unlisted = {path for path in there if ".template." not in path.name} - named
    yield from (f"{path}: in no kustomization" for path in sorted(unlisted))


def units(folder: Path) -> Iterator[str]:
    """systemd-analyze, on copies that name a program which is there: ours is not installed here."""
    with tempfile.TemporaryDirectory() as aside:
        for unit in sorted((folder / "systemd").iterdir()):
            text = INSTALLED.sub(sys.executable, unit.read_text("utf-8"))
            (Path(aside) / unit.name).write_text(text, "utf-8")
        copies = sorted(Path(aside).iterdir())
        # It warns of an unknown key or section and exits 0 all the same: whatever it says is a fault.
        yield from _run("systemd-analyze", "verify", "--recursive-errors=no", *copies, silent=True)


def alerts(folder: Path) -> Iterator[str]:
    """promtool: the rules' syntax, then what they do with made-up series."""
    yield from _run("promtool", "check", "rules", folder / "prometheus" / "alerts.yaml")
    yield from _run("promtool", "test", "rules", folder / "prometheus" / "alerts_test.yaml")


Check = Callable[[Path], Iterator[str]]
CHECKS: tuple[Check, ...] = (dockerfile, compose, manifests, kustomizations, units, alerts)
REMEDY = {
    "hadolint": "make install",
    "check-jsonschema": "make install",
    "kubernetes-validate": "make install",
    "systemd-analyze": "deploy/parts.sh check, or the package systemd",
    "promtool": "deploy/parts.sh check, or the package prometheus",
}


def _run(tool: str, *arguments: str | Path, silent: bool = False) -> Iterator[str]:
    """What the tool found wrong; nothing when it found nothing."""
    beside = Path(sys.executable).with_name(tool)
    program = str(beside) if beside.exists() else shutil.which(tool)
    if program is None:
        raise ToolMissing(f"{tool} is not installed ({REMEDY[tool]})")
    done = subprocess.run(
        [program, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    said = done.stdout.strip()
    if done.returncode or (silent and said):
        yield said or f"{tool} failed with {done.returncode}"


def _manifests(folder: Path) -> list[Path]:
    files = sorted((folder / "kubernetes").rglob("*.yaml"))
    return [path for path in files if path.name != "kustomization.yaml"]


def _listed(kustomization: Path) -> list[Path]:
    document = yaml.safe_load(kustomization.read_text("utf-8"))
    return [kustomization.parent / name for name in document["resources"]]


def problems(folder: Path, checks: Sequence[Check] = CHECKS) -> Iterator[str]:
    """One text per thing that is wrong under `folder`, which is laid out like `deploy/`."""
    for check in checks:
        try:
            for problem in check(folder):
                yield f"{check.__name__}: {problem}"
        except ToolMissing as missing:
            if os.environ.get("CI"):
                yield f"{check.__name__}: {missing}"
            else:
                print(f"{check.__name__} not checked: {missing}.", file=sys.stderr)


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    found = list(problems(folder))
    for problem in found:
        print(problem, file=sys.stderr)
    if not found:
        print("deployment files: nothing wrong")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
