"""The first run's registrations, through the hub's own commands; a later run finds them in secrets.json."""

from __future__ import annotations

import json
import os
import secrets as random_secrets
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deploy.demo.api import HubApi, session
from deploy.demo.layout import AGENCIES, CLIENTS, ROOT, Agency, Layout
from deploy.demo.ports import CannotStart
from deploy.demo.secrets_file import Secrets

Say = Callable[[str], None]
AT_ONCE = 2


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
    }


def clean_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SIMPUL_")}
    return kept | {"PYTHONUNBUFFERED": "1"}


def register(layout: Layout, secrets: Secrets, say: Say) -> None:
    """Agencies first, then a client for each system; each is recorded as soon as it exists, so that a run
    that was broken off goes on where it stopped."""
    missing = [name for name in CLIENTS if not secrets.get(f"client:{name}")]
    if missing:
        say("registering agencies and clients (once) …")
        listed = simpul(layout, "agency", "list").splitlines()
        known = {json.loads(line)["id"] for line in listed}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            new = [agency for agency in AGENCIES if agency.id not in known]
            list(pool.map(lambda agency: simpul(layout, *_agency_arguments(agency)), new))
            added = pool.map(lambda name: simpul(layout, "client", "add", CLIENTS[name].id), missing)
            for name, answer in zip(missing, added, strict=True):
                secrets.put(f"client:{name}", json.loads(answer))
    if not secrets.get("system_token"):
        secrets.put("system_token", random_secrets.token_urlsafe(32))


def _agency_arguments(agency: Agency) -> list[str]:
    arguments = ["agency", "add", agency.id, "--name", agency.name, "--kind", agency.kind]
    arguments += ["--time-zone", agency.time_zone]
    return [*arguments, "--region", agency.region] if agency.region else arguments


def simpul(layout: Layout, *arguments: str) -> str:
    """Standard output of a `simpul` command; raises CannotStart with its own sentence when it fails."""
    done = subprocess.run(
        [*command("simpul"), *arguments],
        cwd=ROOT,
        env=hub_environment(layout),
        capture_output=True,
        text=True,
        timeout=60,
        start_new_session=True,  # a Ctrl-C lets it finish; what it registered is then recorded
        check=False,
    )
    if done.returncode:
        words = done.stderr.strip().splitlines()[-5:]
        raise CannotStart(f"simpul {' '.join(arguments[:3])} failed:\n  " + "\n  ".join(words))
    return done.stdout


async def register_webhook(layout: Layout, secrets: Secrets) -> None:
    """Tells the hub the ministry's address, once for each address, and keeps the secret it gives."""
    if secrets.get("webhook_url") == layout.webhook_url and secrets.get("webhook_secret"):
        return
    async with session() as http:
        api = HubApi(http, layout.hub_url, *secrets.client("connector-pu"))
        body = {"url": layout.webhook_url, "event_types": ["*"]}
        answer = await api.put("/v1/webhook", body)
        if "secret" not in answer:
            answer = await api.post("/v1/webhook/secret", {})
    secrets.put("webhook_secret", answer["secret"])
    secrets.put("webhook_url", layout.webhook_url)
