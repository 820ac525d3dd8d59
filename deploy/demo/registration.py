"""The first run's registrations, through the hub's own commands; a later run finds them in secrets.json."""

from __future__ import annotations

import json
import secrets as random_secrets
import time
from collections.abc import Callable

from deploy.demo.api import HubApi, session
from deploy.demo.drill import policies_file
from deploy.demo.interpreter import Interpreter
from deploy.demo.layout import Agency, Layout
from deploy.demo.ports import CannotStart
from deploy.demo.secrets_file import Secrets

Say = Callable[[str], None]
POLICY_ATTEMPTS, POLICY_PAUSE_S = 10, 0.5


def register(layout: Layout, secrets: Secrets, say: Say, simpul: Interpreter) -> None:
    """Agencies first, then a client for each system; each is recorded as soon as it exists, so that a run
    that was broken off goes on where it stopped."""
    missing = [name for name in layout.clients if not secrets.get(f"client:{name}")]
    if missing:
        say("registering agencies and clients (once) …")
        known = {json.loads(line)["id"] for line in simpul.run("agency", "list").splitlines()}
        layout.policies.write_text(policies_file(simpul.run("policy", "list")), "utf-8")
        for agency in layout.agencies:
            if agency.id not in known:
                simpul.run(*_agency_arguments(agency))
        for name in missing:
            secrets.put(f"client:{name}", json.loads(simpul.run("client", "add", layout.clients[name].id)))
    if not secrets.get("drill"):
        _set_policies(layout, simpul)
        secrets.put("drill", "set")
    if not secrets.get("system_token"):
        secrets.put("system_token", random_secrets.token_urlsafe(32))


def _set_policies(layout: Layout, simpul: Interpreter) -> None:
    """For the drill. The hub, which is just starting, may be recording its own rules at this moment."""
    for left in reversed(range(POLICY_ATTEMPTS)):
        try:
            simpul.run("policy", "set", str(layout.policies))
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
