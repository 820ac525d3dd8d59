"""A real Kafka for tests: Apache Kafka's broker, one or three of them, on loopback, in a folder of /tmp.

`broker()` and `cluster()` are context managers: containers where Docker answers and has the image, else the
jars that `deploy/parts.sh` fetched. `given()` is the address in SIMPUL_TEST_KAFKA, for tests that need no
more than an address. Raises PartMissing.

Nothing outlives the tests: a broker gets SIGKILL from the kernel when the thread that started it ends, so
start brokers on the main thread; what a killed run left in /tmp goes with the next."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

import psutil

from tests.parts import kafka_container as container
from tests.parts import kafka_files as files
from tests.parts.local_server import folder_of, free_port

ISSUER = "http://127.0.0.1:8080"
READY_WITHIN_S = 90.0
LOOK_EVERY_S = 0.02
READY = "Kafka Server started"
OWNER = "owner"

DIES_WITH_US = """
import ctypes, os, signal, sys
parent = int(sys.argv[1])
ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL, 0, 0, 0)
if os.getppid() != parent:
    sys.exit("the tests ended before the broker began")
os.execv(sys.argv[2], sys.argv[2:])
"""
"""PR_SET_PDEATHSIG is 1; it survives an exec."""


def given() -> str | None:
    """The bootstrap address of a broker that somebody else runs."""
    return os.environ.get("SIMPUL_TEST_KAFKA") or None


@dataclass
class Node:
    """One broker process over one folder, which survives a kill."""

    folder: Path
    number: int
    internal: int = field(default_factory=free_port)
    controller: int = field(default_factory=free_port)
    agency: int = field(default_factory=free_port)
    loose: int = field(default_factory=free_port)
    signed: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | container.ContainerProcess | None = None

    @property
    def bootstrap(self) -> str:
        """The hub's listener: plain, whoever speaks there is a super user."""
        return f"127.0.0.1:{self.internal}"

    @property
    def agency_bootstrap(self) -> str:
        """The agencies' listener: OAUTHBEARER, verified against `jwks`."""
        return f"127.0.0.1:{self.agency}"

    @property
    def loose_bootstrap(self) -> str:
        """A listener that takes unsigned tokens."""
        return f"127.0.0.1:{self.loose}"

    @property
    def signed_bootstrap(self) -> str:
        """The hub's listener with a sign-in: PLAIN, user hub, password rahasia."""
        return f"127.0.0.1:{self.signed}"

    @property
    def jwks(self) -> Path:
        """The file of public keys that the agencies' listener reads."""
        return self.folder / "jwks.json"

    @property
    def properties(self) -> Path:
        return self.folder / "node.properties"

    @property
    def log(self) -> Path:
        return self.folder / "broker.log"

    @property
    def pid(self) -> int:
        assert self.process is not None, "the broker does not run"
        return self.process.pid

    def start(self, *, wait: bool = True) -> None:
        self._said = self.log.stat().st_size if self.log.exists() else 0
        self.process = self._in_container() if container.is_usable() else self._on_this_machine()
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while READY not in self.said():
            if not self.alive() or time.monotonic() > deadline:
                raise RuntimeError(f"broker {self.number} did not start\n{self.said()[-3000:]}")
            time.sleep(LOOK_EVERY_S)

    def alive(self) -> bool:
        """Also while it hangs."""
        return self.process is not None and self.process.poll() is None

    def said(self) -> str:
        """Its log since the last start."""
        with self.log.open("rb") as log:
            log.seek(self._said)
            return log.read().decode(errors="replace")

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, then SIGKILL if it does not end; keeps the classes it loaded for the next start."""
        self._end(signal.SIGTERM)
        if (fresh := self.folder / "classes.jsa").exists():
            files.keep_archive(fresh)

    def pause(self) -> None:
        """The broker hangs: connections stay open, nothing answers."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def revive(self) -> None:
        """Running again, after a test that killed, stopped or paused it."""
        if self.alive():
            self.go_on()
        else:
            self.kill()
            self.start()

    def _signal(self, number: signal.Signals) -> None:
        assert self.process is not None, "the broker does not run"
        self.process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(number)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def _on_this_machine(self) -> subprocess.Popen[bytes]:
        command = [files.java(), *self._options(), *self._classes(), "-cp", f"{files.jars()}/*"]
        launcher = [sys.executable, "-c", DIES_WITH_US, str(os.getpid())]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*launcher, *command, "kafka.Kafka", str(self.properties)],
                stdout=log, stderr=log, cwd=self.folder,
            )  # fmt: skip

    def _in_container(self) -> container.ContainerProcess:
        self.log.touch()
        java = ["java", *self._options(), "-cp", container.CLASSES]
        formatting = [
            *java,
            "kafka.tools.StorageTool",
            "format",
            "--ignore-formatted",
            "-t",
            files.CLUSTER_ID,
        ]
        commands = [
            [*formatting, "-c", str(self.properties)],
            ["exec", *java, "kafka.Kafka", str(self.properties)],
        ]
        return container.ContainerProcess(commands, self.folder, self.log)

    def _options(self) -> list[str]:
        allowed = f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={self.jwks.as_uri()}"
        return [*files.options(), f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}", allowed]

    def _classes(self) -> list[str]:
        """A dynamic archive of classes; the first broker ever makes it when it stops."""
        if files.archive().exists():
            return [f"-XX:SharedArchiveFile={files.archive()}"]
        return [f"-XX:ArchiveClassesAtExit={self.folder / 'classes.jsa'}"] if self.number == 1 else []


@contextlib.contextmanager
def broker() -> Iterator[Node]:
    """One broker with the agencies' listeners and an authorizer."""
    with _nodes(1) as nodes:
        yield nodes[0]


@contextlib.contextmanager
def cluster() -> Iterator[list[Node]]:
    """Three brokers, replication 3, min.insync 2, no authorizer; a dead one is noticed in 3 s."""
    with _nodes(3) as nodes:
        yield nodes


@contextlib.contextmanager
def _nodes(count: int) -> Iterator[list[Node]]:
    if not container.is_usable():
        files.java()
        files.jars()
    _sweep()
    with folder_of(None, "kafka") as folder:
        (folder / OWNER).write_text(str(os.getpid()))
        nodes = [Node(folder / f"node-{number}", number) for number in range(1, count + 1)]
        try:
            for node in nodes:
                _prepare(node, nodes)
                node.start(wait=False)
            for node in nodes:
                node.wait_until_ready()
            yield nodes
        finally:
            for node in nodes:  # thrown away: only the first broker ever has something to keep
                node.kill() if files.archive().exists() or container.is_usable() else node.stop()


def _sweep() -> None:
    """Folders of runs that were killed."""
    for owner in Path(tempfile.gettempdir()).glob(f"simpul-kafka-*/{OWNER}"):
        if not psutil.pid_exists(int(owner.read_text() or 0)):
            shutil.rmtree(owner.parent, ignore_errors=True)


def _prepare(node: Node, nodes: Sequence[Node]) -> None:
    node.folder.mkdir()
    node.jwks.write_text('{"keys": []}')
    shutil.copy(files.TEMPLATES / "log4j2.properties", node.folder)
    node.properties.write_text(_properties(node, nodes))
    if not container.is_usable():
        files.formatted(node.folder / "data", node.number, node.properties)


def _properties(node: Node, nodes: Sequence[Node]) -> str:
    alone = len(nodes) == 1
    values = {
        "node": node.number,
        "internal": node.internal,
        "controller": node.controller,
        "voters": ",".join(f"{other.number}@127.0.0.1:{other.controller}" for other in nodes),
        "more_listeners": f",AGENCY://{node.agency_bootstrap},LOOSE://{node.loose_bootstrap},SIGNED://{node.signed_bootstrap}"
        if alone
        else "",
        "data": node.folder / "data",
        "replicas": min(3, len(nodes)),
        "insync": 1 if alone else 2,
        "jwks": node.jwks.as_uri(),
        "issuer": ISSUER,
    }
    names = ["node.properties", *(["agency.properties"] if alone else [])]
    text = "".join((files.TEMPLATES / name).read_text() for name in names)
    return Template(re.sub(r"(?m)^#.*\n", "", text)).substitute(values)
