"""What a local Kafka broker needs on the disk: Apache Kafka's own jars (deploy/parts.sh fetches them), a
formatted data folder to copy, an archive of loaded classes that halves its start. All in a cache folder
outside the tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from tests.parts.local_server import PartMissing

VERSION = "4.3.1"
CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qg"
TEMPLATES = Path(__file__).with_name("kafka")
INSTALL = "apt-get install openjdk-17-jre-headless maven, then deploy/parts.sh"


def cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "simpul" / f"kafka-{VERSION}"


def jars() -> Path:
    """The folder of jars; PartMissing when it was never fetched."""
    folder = cache() / "jars"
    if not (folder / f"kafka_2.13-{VERSION}.jar").exists():
        raise PartMissing(f"Apache Kafka {VERSION} is not in {folder}: {INSTALL}")
    return folder


def java() -> str:
    """The Java 17 (or newer) to run it with; PartMissing."""
    found = shutil.which("java") or ""
    if not found:
        raise PartMissing(f"Java is not installed: {INSTALL}")
    return found


def options(heap_mb: int = 128) -> list[str]:
    """The virtual machine's options for a small broker, without the class path."""
    return [
        f"-Xmx{heap_mb}m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xlog:disable",
        "-Xlog:all=error:stderr",
    ]  # fmt: skip


def archive() -> Path:
    """Where the loaded classes are kept; of this Java only, another ignores it."""
    return cache() / "classes.jsa"


def keep_archive(made: Path) -> None:
    """Into its place at once, from a folder that may be of another file system."""
    aside = archive().with_name(f"classes.{os.getpid()}")
    shutil.move(made, aside)
    aside.rename(archive())


def formatted(data: Path, node: int, properties: Path) -> None:
    """Makes `data` the formatted folder of a new node: a copy of one that was formatted once."""
    template = cache() / "formatted"
    if not (template / "bootstrap.checkpoint").exists():
        _format(template, properties)
    data.mkdir(parents=True)
    shutil.copy(template / "bootstrap.checkpoint", data)
    lines = (template / "meta.properties").read_text().splitlines()
    kept = [line for line in lines if not line.startswith(("node.id=", "directory.id="))]
    directory = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
    (data / "meta.properties").write_text(
        "\n".join([*kept, f"node.id={node}", f"directory.id={directory}", ""])
    )


def _format(template: Path, properties: Path) -> None:
    """Formats aside, by a copy of the properties that names that folder, and renames it into its place."""
    aside = template.with_name(f"formatted.{os.getpid()}")
    text = properties.read_text()
    lines = [f"log.dirs={aside}" if line.startswith("log.dirs=") else line for line in text.splitlines()]
    own = properties.with_suffix(".format")
    own.write_text("\n".join(lines) + "\n")
    tool = [java(), *options(), "-cp", f"{jars()}/*", "kafka.tools.StorageTool"]
    command = [*tool, "format", "-t", CLUSTER_ID, "-c", str(own)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    if ended.returncode:
        raise RuntimeError(f"Kafka's folder cannot be formatted: {ended.stdout[-500:]}{ended.stderr[-1500:]}")
    try:
        aside.rename(template)
    except OSError:  # another run was quicker
        shutil.rmtree(aside)
