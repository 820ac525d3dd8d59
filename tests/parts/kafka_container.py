"""A Kafka broker in a container, where Docker answers and has the image; none is ever pulled.

It runs in the host's network and over the host's folder, so that it is started, killed and found like a local
process. SIMPUL_TEST_KAFKA_IMAGE names another image that has Kafka's jars in /opt/kafka/libs."""

from __future__ import annotations

import functools
import os
import shlex
import signal
import subprocess
from pathlib import Path
from typing import Any

IMAGE = os.environ.get("SIMPUL_TEST_KAFKA_IMAGE", "apache/kafka:4.3.1")
CLASSES = "/opt/kafka/libs/*"
WATCH = "(while kill -0 %d; do sleep 1; done 2>/dev/null; kill -9 $$) & "
"""Ends the broker with the tests; it sees them because it shares the host's process numbers."""


@functools.cache
def is_usable() -> bool:
    """Whether Docker answers and has the image."""
    import docker
    import requests

    try:
        client = docker.from_env(timeout=3)
        try:
            client.images.get(IMAGE)
        finally:
            client.close()
    except (docker.errors.DockerException, requests.RequestException):
        return False
    return True


class ContainerProcess:
    """A container in the shape of subprocess.Popen, as far as the broker's fixture needs it."""

    def __init__(self, commands: list[list[str]], folder: Path, log: Path) -> None:
        os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")  # its image need not be there either
        from testcontainers.core.container import DockerContainer

        script = WATCH % os.getpid() + " && ".join(shlex.join(command) for command in commands)
        self._box: Any = (
            DockerContainer(IMAGE)
            .with_volume_mapping(folder, str(folder), "rw")
            .with_kwargs(
                network_mode="host",
                pid_mode="host",
                user=f"{os.getuid()}:{os.getgid()}",
                working_dir=str(folder),
                entrypoint=["/bin/sh", "-c", f"{{ {script}; }} >>{shlex.quote(str(log))} 2>&1"],
            )
            .start()
        )

    @property
    def pid(self) -> int:
        """Of the container's first process, as the host numbers it."""
        self._box.reload()
        return int(self._box.get_wrapped_container().attrs["State"]["Pid"])

    def poll(self) -> int | None:
        self._box.reload()
        state = self._box.get_wrapped_container().attrs["State"]
        return None if state["Running"] else int(state["ExitCode"])

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            self._box.get_wrapped_container().kill(signal=number.name)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """The exit status; the container is removed then."""
        import requests

        try:
            status = int(self._box.get_wrapped_container().wait(timeout=timeout)["StatusCode"])
        except requests.RequestException as error:
            raise subprocess.TimeoutExpired(IMAGE, timeout or 0) from error
        self._box.stop()
        return status
