"""`make image-test`: builds the images, runs the hub as containers on SQLite, on PostgreSQL and with Kafka,
carries a complaint through each, and removes everything that it made."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TypeVar

from tests.deploy.image import images
from tests.deploy.image.cluster import Cluster
from tests.deploy.image.containers import Containers
from tests.deploy.image.engine import Engine, ImageTestFailed, engine
from tests.deploy.image.journey import carry
from tests.deploy.image.topic import await_record

SHAPES = ("sqlite", "postgres", "kafka")
LEAVES_WITHIN_S = 10.0
T = TypeVar("T")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make image-test", description=__doc__)
    parser.add_argument(
        "--base", help="the base image; by default Debian's, or one made of Debian's packages"
    )
    parser.add_argument("--only", choices=SHAPES, action="append", help="one of the shapes; may be repeated")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _leave)
    try:
        with engine() as found:
            _test(found, options.base or None, options.only or list(SHAPES))
    except ImageTestFailed as failure:
        print(f"image-test failed: {failure}", file=sys.stderr)
        return 1
    return 0


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)  # what was started is removed on the way out


def _test(found: Engine, base: str | None, shapes: list[str]) -> None:
    try:
        base = _timed("base image", lambda: images.base_image(found, base))
        hub = _timed("image of the hub", lambda: images.build_hub(found, base))
        size = int(found.run("image", "inspect", "--format", "{{.Size}}", hub))
        floor = int(found.run("image", "inspect", "--format", "{{.Size}}", base))
        print(f"  {size / 1e6:.0f} MB, of which the base image is {floor / 1e6:.0f} MB")
        postgres = kafka = None
        if {"postgres", "kafka"} & set(shapes):
            postgres = _timed("image of PostgreSQL", lambda: images.build_postgres(found, base))
        if "kafka" in shapes:
            kafka = _timed("image of Kafka", lambda: images.build_kafka(found, base))
        for shape in shapes:
            _shape(
                found,
                shape,
                hub,
                None if shape == "sqlite" else postgres,
                kafka if shape == "kafka" else None,
            )
    finally:
        images.remove(found)
    print(f"image-test: {len(shapes)} passed, 0 failed")


def _shape(found: Engine, shape: str, hub: str, postgres: str | None, kafka: str | None) -> None:
    with tempfile.TemporaryDirectory(prefix="simpul-image-env-") as folder:
        containers = Containers(found, Path(folder))
        cluster = Cluster(containers, hub, postgres, kafka)
        try:
            took = cluster.start()
            print(f"{shape}: {', '.join(cluster.processes)} healthy after {took:.1f} s")
            _holds_still(cluster)
            case = carry(cluster, *(["--kafka"] if kafka else []))
            print(f"{shape}: complaint {case} reached the ministry's mailbox")
            if kafka:
                print(f"{shape}: and its topic, as {await_record(cluster, 'kemen-pu', case)}")
            _leaves(cluster)
        except ImageTestFailed as failure:
            words = "\n".join(f"--- {name}\n{containers.last_words(name)}" for name in containers.started)
            raise ImageTestFailed(f"{shape}: {failure}\n{words}") from failure
        finally:
            containers.remove()


def _holds_still(cluster: Cluster) -> None:
    """Nobody in particular, who can write nowhere but where data belongs."""
    name = cluster.processes[0]
    if (who := cluster.containers.execute(name, "id", "-u")) != "10001":
        raise ImageTestFailed(f"The hub runs as user {who}, not as 10001.")
    for place in ("/", "/opt/simpul", "/var/lib/simpul"):
        attempt = f"touch {place}/x 2>/dev/null && echo written || echo refused"
        if cluster.containers.execute(name, "sh", "-c", attempt) != "refused":
            raise ImageTestFailed(f"The hub could write to {place}.")


def _leaves(cluster: Cluster) -> None:
    """Each process ends by itself on SIGTERM."""
    for name in cluster.processes:
        took, code = cluster.containers.stop(name)
        if took > LEAVES_WITHIN_S or code != 0:
            raise ImageTestFailed(f"{name} took {took:.1f} s to end, with exit code {code}.")


def _timed(what: str, work: Callable[[], T]) -> T:
    begun = time.monotonic()
    result = work()
    print(f"{what}: {time.monotonic() - begun:.1f} s", flush=True)
    return result


if __name__ == "__main__":
    sys.exit(main())
