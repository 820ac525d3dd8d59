"""The first run's registrations, through the hub's own commands; a later run finds them in secrets.json."""

from __future__ import annotations

import json
import os
import secrets as random_secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from deploy.demo.api import HubApi, session
from deploy.demo.drill import policies_file
from deploy.demo.layout import ROOT, Agency, Layout
from deploy.demo.ports import CannotStart
from deploy.demo.secrets_file import Secrets

Say = Callable[[str], None]
COMMANDS_WITHIN_S = 120.0
POLICY_ATTEMPTS, POLICY_PAUSE_S = 10, 0.5


def command(name: str) -> list[str]:
    """A program of the environment that this one runs in; raises CannotStart where it is not installed."""
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        raise CannotStart(f"{path} is not there. Run `make install` first.")
    return [str(path)]


def hub_environment(layout: Layout) -> dict[str, str]:
    """The settings of the demo's hub, and nothing of a hub that this machine may have besides."""
    return clean_environment() | {
        "SIMPUL_DATA_DIR": str(layout.hub_data),
        "SIMPUL_LISTEN": layout.listen,
        "SIMPUL_PUBLIC_URL": layout.hub_url,
        "SIMPUL_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
        **layout.hub_settings,
    }


def clean_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SIMPUL_")}
    return kept | {"PYTHONUNBUFFERED": "1"}


def register(layout: Layout, secrets: Secrets, say: Say) -> None:
    """Agencies first, then a client for each system; each is recorded as soon as it exists, so that a run
    that was broken off goes on where it stopped."""
    missing = [name for name in layout.clients if not secrets.get(f"client:{name}")]
    if missing:
        say("registering agencies and clients (once) …")
        listed, policies = list_of_commands(layout, [["agency", "list"], ["policy", "list"]])
        known = {json.loads(line)["id"] for line in listed.splitlines()}
        layout.policies.write_text(policies_file(policies), "utf-8")
        new = [_agency_arguments(agency) for agency in layout.agencies if agency.id not in known]
        adding = [["client", "add", layout.clients[name].id] for name in missing]
        answers = list_of_commands(layout, [*new, *adding])
        for _ in new:
            next(answers)
        for name, answer in zip(missing, answers, strict=True):
            secrets.put(f"client:{name}", json.loads(answer))
    if not secrets.get("drill"):
        _set_policies(layout)
        secrets.put("drill", "set")
    if not secrets.get("system_token"):
        secrets.put("system_token", random_secrets.token_urlsafe(32))


def _set_policies(layout: Layout) -> None:
    """For the drill. The hub, which is just starting, may be recording its own rules at this moment."""
    for left in reversed(range(POLICY_ATTEMPTS)):
        try:
            simpul(layout, "policy", "set", str(layout.policies))
        except CannotStart as refused:
            if not left or "try again" not in str(refused):
                raise
            time.sleep(POLICY_PAUSE_S)
        else:
            return


def _agency_arguments(agency: Agency) -> list[str]:
    arguments = ["agency", "add", agency.id, "--name", agency.name, "--kind", agency.kind]
    arguments += ["--time-zone", agency.time_zone]
    arguments += ["--kafka"] if agency.kafka else []
    return [*arguments, "--region", agency.region] if agency.region else arguments


def simpul(layout: Layout, *arguments: str) -> str:
    """Standard output of a `simpul` command; raises CannotStart with its own sentence when it fails."""
    return next(list_of_commands(layout, [list(arguments)]))


def list_of_commands(layout: Layout, commands: Sequence[Sequence[str]]) -> Iterator[str]:
    """The output of each as soon as it is done; raises CannotStart at the first that fails."""
    with tempfile.TemporaryFile("w+") as errors, _interpreter(layout, errors) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        json.dump(commands, process.stdin)
        process.stdin.close()
        watchdog = threading.Timer(COMMANDS_WITHIN_S, process.kill)
        watchdog.start()
        try:
            for arguments in commands:
                line = process.stdout.readline()
                if not line:
                    errors.seek(0)
                    words = errors.read().strip().splitlines()[-5:]
                    named = " ".join(arguments[:3])
                    raise CannotStart(f"simpul {named} failed:\n  " + "\n  ".join(words))
                yield json.loads(line)
        finally:
            watchdog.cancel()


def _interpreter(layout: Layout, errors: IO[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "deploy.demo.commands"],
        cwd=ROOT,
        env=hub_environment(layout),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        start_new_session=True,  # a Ctrl-C lets it finish; what it registered is then recorded
    )


async def register_webhook(layout: Layout, secrets: Secrets) -> None:
    """Tells the hub the ministry's address, once for each address, and keeps the secret it gives."""
    if secrets.get("webhook_url") == layout.webhook_url and secrets.get("webhook_secret"):
        return
    async with session() as http:
        api = HubApi(http, layout.hub_urls, *secrets.client("connector-pu"))
        body = {"url": layout.webhook_url, "event_types": ["*"]}
        answer = await api.put("/v1/webhook", body)
        if "secret" not in answer:
            answer = await api.post("/v1/webhook/secret", {})
    secrets.put("webhook_secret", answer["secret"])
    secrets.put("webhook_url", layout.webhook_url)
