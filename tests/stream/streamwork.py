"""Many agencies with clients, made at once, and the crowd that follows them (crowd.py)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import orjson

from auth.clients import hash_secret, new_client_id, new_secret
from auth.scopes import DEFAULT_SCOPES
from hub.app_core import open_core
from hub.domain.agency import Agency
from hub.ports.clock import rfc3339
from hub.ports.registry import ClientRow
from hub.service.access import client_secret_pepper
from hub.service.requests import RegisterAgency
from hub.settings import load
from tests.parts.caller import Member
from tests.parts.hub import ROOT, HubProcess

ENDS_WITHIN_S = 60.0


def furnish(hub: HubProcess, count: int) -> list[Member]:
    """`count` agencies with a client each; the command for one takes as long as all of them here."""
    made = []
    with open_core(load(None, hub.settings())) as core:
        pepper, now = client_secret_pepper(core.sealer), rfc3339(core.clock.now())
        for number in range(count):
            name, client_id, secret = f"dinas-{number:03d}", new_client_id(), new_secret()
            core.operate(RegisterAgency(Agency(name, f"Dinas {number}", "agency")))
            hashed, scopes = hash_secret(secret, pepper), tuple(sorted(DEFAULT_SCOPES))
            core.rows.add_client(ClientRow(client_id, name, scopes, hashed, None, now))
            made.append(Member(name, client_id, secret))
    return made


class Crowd:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def finish(self) -> dict[str, Any]:
        """Nothing more is posted; what was seen once all have everything, or will never have it."""
        said, _ = self._process.communicate("over\n", timeout=ENDS_WITHIN_S)
        assert self._process.returncode == 0
        found: dict[str, Any] = orjson.loads(said.splitlines()[-1])
        return found


@contextmanager
def crowd(ports: Sequence[int], post_to: int, members: Sequence[Member], **more: Any) -> Iterator[Crowd]:
    """All streams are open."""
    named = [[member.agency, member.client_id, member.client_secret] for member in members]
    job = {"ports": list(ports), "post_to": post_to, "members": named} | more
    command = [sys.executable, "-m", "tests.stream.crowd"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(orjson.dumps(job).decode() + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "open\n"
        yield Crowd(process)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
