"""Containers of one run: started with the rights that deploy/compose.yaml gives them, on free ports of
loopback, removed with their volumes at the end. They use the host's network, which is there on Linux."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from tests.deploy.image.engine import Engine, ImageTestFailed

READY_S = 90.0
STEP_S = 0.2
LOCKED = (
    "--pull", "never", "--network", "host", "--read-only", "--cap-drop", "ALL",
    "--security-opt", "no-new-privileges:true",
    "--tmpfs", "/tmp:rw,noexec,nosuid,nodev,size=64m,mode=1777", "--pids-limit", "256",
)  # fmt: skip


@dataclass
class Containers:
    """`folder` holds the environment files, mode 0600; each name is unique to this run."""

    engine: Engine
    folder: Path
    run_id: str = field(default_factory=lambda: uuid4().hex[:8])
    started: list[str] = field(default_factory=list)
    volumes: set[str] = field(default_factory=set)

    def volume(self, name: str) -> str:
        self.volumes.add(full := self._name(name))
        return full

    def start(
        self,
        name: str,
        image: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        volumes: Mapping[str, str],
        options: Sequence[str] = (),
    ) -> None:
        """In the background; see `await_health`."""
        self.started.append(name)
        fixed = ("run", "--detach", "--name", self._name(name), *LOCKED, *options)
        self.engine.run(*fixed, *self._inside(name, environment, volumes), image, *command)

    def once(
        self,
        name: str,
        image: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        volumes: Mapping[str, str],
    ) -> str:
        """Runs to its end; gives its standard output."""
        fixed = ("run", "--rm", "--name", self._name(name), *LOCKED)
        return self.engine.run(*fixed, *self._inside(name, environment, volumes), image, *command)

    def execute(self, name: str, *command: str) -> str:
        return self.engine.run("exec", self._name(name), *command)

    def await_health(self, *names: str) -> float:
        """Seconds until every one is healthy; ImageTestFailed with its last words when one is not in time."""
        begun = time.monotonic()
        waiting = list(names)
        while waiting:
            state = json.loads(
                self.engine.run("inspect", "--format", "{{json .State}}", self._name(waiting[0]))
            )
            if state.get("Health", {}).get("Status") == "healthy":
                waiting.pop(0)
                continue
            if not state["Running"] or time.monotonic() - begun > READY_S:
                raise ImageTestFailed(f"{waiting[0]} is not healthy:\n{self.last_words(waiting[0])}")
            time.sleep(STEP_S)
        return time.monotonic() - begun

    def last_words(self, name: str) -> str:
        logs = self.engine.attempt("logs", "--tail", "25", self._name(name))
        return (logs.stdout + logs.stderr).strip()

    def stop(self, name: str, grace_s: int = 15) -> tuple[float, int]:
        """Seconds until it ended after SIGTERM, and its exit code."""
        begun = time.monotonic()
        self.engine.run("stop", "--time", str(grace_s), self._name(name))
        took = time.monotonic() - begun
        return took, int(self.engine.run("inspect", "--format", "{{.State.ExitCode}}", self._name(name)))

    def remove(self) -> None:
        for name in reversed(self.started):
            self.engine.attempt("rm", "--force", "--volumes", self._name(name))
        for volume in self.volumes:
            self.engine.attempt("volume", "rm", "--force", volume)

    def _name(self, name: str) -> str:
        return f"simpul-image-test-{self.run_id}-{name}"

    def _inside(
        self, name: str, environment: Mapping[str, str], volumes: Mapping[str, str]
    ) -> list[str | Path]:
        file = self.folder / f"{name}.env"
        file.touch(mode=0o600)
        file.write_text("".join(f"{key}={value}\n" for key, value in environment.items()), "utf-8")
        mounts = [argument for source, target in volumes.items() for argument in ("-v", f"{source}:{target}")]
        return ["--env-file", file, *mounts]
