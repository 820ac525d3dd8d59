"""The images: a base where none is given, the hub's own, and PostgreSQL and Kafka to stand beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.deploy.image.engine import Engine, ImageTestFailed
from tests.parts import kafka_files
from tests.parts.local_server import PartMissing

ROOT = Path(__file__).parents[3]
OURS = "simpul-image-test"
OFFICIAL_BASE = "debian:bookworm-slim"
SUITE = "bookworm"
ALONE = ("unshare", "--mount", "--pid", "--fork", "--kill-child")
"""Nothing that debootstrap mounts or starts outlives it: its folder is removed afterwards."""
NOT_IN_A_BASE = ("./var/cache/apt/*", "./var/lib/apt/lists/*", "./proc/*", "./sys/*")


def base_image(engine: Engine, given: str | None) -> str:
    """The one that was given; else the official one where it is there; else one made of Debian's packages."""
    if given:
        return given
    if engine.attempt("image", "inspect", OFFICIAL_BASE).returncode == 0:
        return OFFICIAL_BASE
    if os.geteuid() == 0 and shutil.which("debootstrap"):
        return _bootstrapped(engine)
    return OFFICIAL_BASE  # the build pulls it, where a registry can be reached


def _bootstrapped(engine: Engine) -> str:
    with tempfile.TemporaryDirectory(prefix="simpul-base-") as folder:
        command = ["debootstrap", "--variant=minbase", "--include=ca-certificates", SUITE, folder]
        done = subprocess.run([*ALONE, *command], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ImageTestFailed(f"debootstrap: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        left_out = [f"--exclude={pattern}" for pattern in NOT_IN_A_BASE]
        archive = subprocess.Popen(["tar", "-C", folder, "-c", *left_out, "."], stdout=subprocess.PIPE)
        if archive.stdout is None:
            raise ImageTestFailed("tar has no output")
        with archive.stdout as stream:
            engine.run("import", "-c", 'CMD ["bash"]', "-", f"{OURS}/base", stdin=stream.fileno())
        if archive.wait():
            raise ImageTestFailed("tar could not read the base image's files")
    return f"{OURS}/base"


def build_hub(engine: Engine, base: str) -> str:
    return _build(engine, base, "hub", ROOT, dockerfile=ROOT / "deploy" / "Dockerfile")


def build_postgres(engine: Engine, base: str) -> str:
    return _build(engine, base, "postgres", ROOT / "tests" / "deploy" / "images" / "postgres")


def build_kafka(engine: Engine, base: str) -> str:
    """From the jars that the tests run a broker from."""
    try:
        jars = kafka_files.jars()
    except PartMissing as missing:
        raise ImageTestFailed(str(missing)) from missing
    with tempfile.TemporaryDirectory(prefix="simpul-kafka-") as folder:
        context = Path(folder) / "kafka"
        shutil.copytree(ROOT / "tests" / "deploy" / "images" / "kafka", context)
        shutil.copytree(jars, context / "jars")
        return _build(engine, base, "kafka", context)


def _build(engine: Engine, base: str, name: str, context: Path, dockerfile: Path | None = None) -> str:
    tag = f"{OURS}/{name}"
    engine.run(
        "build", "--network", "host", "--build-arg", f"BASE={base}", *_secrets(), "--tag", tag,
        "--file", dockerfile or context / "Dockerfile", context,
    )  # fmt: skip
    return tag


def _secrets() -> Sequence[str]:
    """By what this machine reaches its package index, where it needs more than the defaults."""
    files = {
        "ca": os.environ.get("PIP_CERT"),
        "pip_conf": os.environ.get("PIP_CONFIG_FILE"),
        "apt_conf": os.environ.get("APT_CONFIG"),
    }
    return [
        argument
        for name, file in files.items()
        if file and Path(file).is_file()
        for argument in ("--secret", f"id={name},src={file}")
    ]


def remove(engine: Engine) -> None:
    """Every image that was made here."""
    tags = engine.run("images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", f"reference={OURS}/*")
    if tags:
        engine.attempt("image", "rm", *tags.split())
