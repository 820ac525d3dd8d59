"""What no schema knows: pods and containers run with the least rights, every metric that an alert names is
one that the hub gives, every alert leads to the runbook, and every role is deployed everywhere."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from hub.cli.main import main
from hub.ports.leases import ROLES

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
MANIFESTS = [
    document
    for path in sorted((DEPLOY / "kubernetes").rglob("*.yaml"))
    if path.name != "kustomization.yaml"
    for document in yaml.safe_load_all(path.read_text("utf-8"))
]
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
ALERTS = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text("utf-8"))
RULES = list(chain.from_iterable(group["rules"] for group in ALERTS["groups"]))
WORKLOADS = [m["spec"] for m in MANIFESTS if m["kind"] in ("Deployment", "Job")]
WORKLOADS += [m["spec"]["jobTemplate"]["spec"] for m in MANIFESTS if m["kind"] == "CronJob"]
SUFFIXES = re.compile(r"_(total|bucket|count|sum)$")


def of_kind(kind: str) -> dict[str, Any]:
    return {m["metadata"]["name"]: m for m in MANIFESTS if m["kind"] == kind}


@pytest.mark.parametrize(
    "workload", WORKLOADS, ids=lambda w: w["template"]["metadata"]["labels"]["app.kubernetes.io/component"]
)
def test_pods_are_restricted(workload: dict[str, Any]) -> None:
    pod = workload["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert (
        pod["securityContext"]["fsGroupChangePolicy"] == "OnRootMismatch"
    )  # else the key is opened to a group
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False  # SIMPUL_SERVICE_HOST would refuse the start
    for container in pod["containers"]:
        rights = container["securityContext"]
        assert rights["allowPrivilegeEscalation"] is False
        assert rights["readOnlyRootFilesystem"] is True
        assert rights["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("role", ROLES)
def test_every_role_is_deployed_everywhere(role: str) -> None:
    deployment = of_kind("Deployment")[f"simpul-{role}"]
    assert deployment["spec"]["template"]["spec"]["containers"][0]["args"] == ["serve", "--roles", role]
    assert deployment["spec"]["replicas"] >= 2
    assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    budget = of_kind("PodDisruptionBudget")[f"simpul-{role}"]
    assert budget["spec"]["selector"] == deployment["spec"]["selector"]
    commands = [service.get("command") for service in COMPOSE["services"].values()]
    assert ["serve", "--roles", role] in commands
    assert f"simpul@{role}" in (DEPLOY / "systemd" / "simpul.target").read_text("utf-8")


@pytest.mark.parametrize("name", sorted(COMPOSE["services"]))
def test_containers_have_no_rights_and_listen_on_loopback(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_no_secret_has_a_value() -> None:
    for secret in of_kind("Secret").values():
        assert set(secret["stringData"].values()) == {""}
    for service in COMPOSE["services"].values():
        assert not [key for key in service.get("environment", {}) if "PASSWORD" in key or "SECRET" in key]


@pytest.mark.parametrize(
    "name",
    sorted({m for rule in RULES for m in re.findall(r"\bsimpul_[a-z_]+", rule["expr"])}),
)
def test_every_metric_of_an_alert_is_given_by_the_hub(name: str) -> None:
    code = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "hub").rglob("*.py")))
    given = set(re.findall(r'"(simpul_[a-z_]+)"', code))
    assert SUFFIXES.sub("", name) in given | {SUFFIXES.sub("", other) for other in given}


def test_every_alert_leads_to_the_runbook() -> None:
    text = (DEPLOY / "RUNBOOK.md").read_text("utf-8")
    headings = {h.strip().lower().replace(" ", "-") for h in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
    led_to = {rule["annotations"]["runbook"] for rule in RULES}
    assert led_to
    assert led_to <= headings


def test_every_command_of_the_runbook_exists() -> None:
    text = (DEPLOY / "RUNBOOK.md").read_text("utf-8")
    named = set(re.findall(r"(?:^|`|&& )simpul ([a-z-]+)", text, re.MULTILINE))
    assert {"backup", "restore", "key", "client"} <= named
    assert named <= set(main.list_commands(click.Context(main)))


def test_the_image_runs_as_nobody_in_particular() -> None:
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    assert "# syntax=" not in text
    assert "<<" not in text
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
