"""What describes the hub: complete, valid, without an outside host; and health, readiness, metrics."""

from __future__ import annotations

import re
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import pytest
from openapi_spec_validator import validate

from auth.scopes import SCOPES
from hub.api.documentation import all_documents
from hub.api.route import Route
from hub.api.routes import ROUTES
from hub.api.server import allowed_methods
from hub.app import _api_settings
from hub.domain.events import EVENT_TYPES
from hub.service.inbound import COMMANDS, SUBJECTS
from hub.settings import Settings
from schemas.formats import FAST_FORMATS
from schemas.registry import Registry
from tests.api.checking import document
from tests.api.conftest import PUBLIC, House, running


def test_openapi_is_valid_3_1() -> None:
    validate(document())  # type: ignore[arg-type]  # a mapping of strings


def test_every_route_is_described() -> None:
    for route in ROUTES:
        operation = document()["paths"][route.path][route.method.lower()]
        assert operation["operationId"] == route.name
        assert operation["summary"]
    assert len({route.name for route in ROUTES}) == len(ROUTES)
    assert {route.scope for route in ROUTES if route.scope} <= SCOPES.keys()


def _examples(route: Route) -> list[tuple[str, Any, Any]]:
    described = document()
    operation = described["paths"][route.path][route.method.lower()]
    found = list(operation.get("requestBody", {}).get("content", {}).items())
    for response in operation["responses"].values():
        if "$ref" in response:
            response = described["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
        found += response["content"].items()
    return [(media, held["schema"], held.get("example")) for media, held in found]


@cache
def _fits() -> Any:
    """One validator for all examples, each under its place: one for each of them takes seconds."""
    schemas = {
        _place(route, at): schema for route in ROUTES for at, (_, schema, _) in enumerate(_examples(route))
    }
    whole = {"properties": schemas, "components": document()["components"]}
    return jsonschema_rs.Draft202012Validator(whole, formats=FAST_FORMATS, validate_formats=True)


def _place(route: Route, at: int) -> str:
    return f"{route.name} {at}"


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_body_and_answer_has_an_example_that_fits(route: Route) -> None:
    for at, (media, schema, example) in enumerate(_examples(route)):
        if "json" not in media or schema == {"type": "object"}:
            continue
        assert example is not None, f"{route.name}: {media} {schema}"
        assert [e.message for e in _fits().iter_errors({_place(route, at): example})] == []
        assert not _fits().is_valid({_place(route, at): 1}), "its schema is looked at"


def test_methods_of_an_address() -> None:
    assert allowed_methods(ROUTES, "/v1/webhook") == ["DELETE", "GET", "HEAD", "PUT"]
    assert allowed_methods(ROUTES, "/v1/cases/x/history") == ["GET", "HEAD"]
    assert allowed_methods(ROUTES, "/v1/cases/x/y/z") == []


async def test_the_documents_are_served(house: House) -> None:
    reply = await house.nobody.get("/openapi.json")
    assert reply.json == document()
    events = (await house.nobody.get("/asyncapi.json")).json
    assert events["asyncapi"] == "3.0.0"
    commands = {f"command.{name}" for name in COMMANDS}
    assert set(events["components"]["messages"]) == {*EVENT_TYPES, *commands, "reply"}
    refs = re.findall(r'"\$ref":"#/([^"]+)"', orjson.dumps(events).decode())
    for ref in set(refs):
        node = events
        for part in ref.split("/"):
            node = node[part]


async def test_every_message_has_examples_that_fit(house: House) -> None:
    """Payload and headers, those of commands too; and each command says which route it is."""
    events = (await house.nobody.get("/asyncapi.json")).json
    held = {"components": events["components"]}
    for name, message in events["components"]["messages"].items():
        for example in message.get("examples", ()):
            for part in example.keys() & {"payload", "headers"}:
                schema = message[part] | held
                validator = jsonschema_rs.Draft202012Validator(
                    schema, formats=FAST_FORMATS, validate_formats=True
                )
                assert [e.message for e in validator.iter_errors(example[part])] == [], name
    for name in COMMANDS:
        message = events["components"]["messages"][f"command.{name}"]
        assert message["examples"][0]["headers"]["ce_type"] == message["name"]
        assert ("ce_subject" in message["headers"]["required"]) == (name in SUBJECTS)
        assert re.search(r"(POST|PATCH|DELETE) /v1/[a-z]+", message["description"]) or name == "complaint"


def test_the_size_of_a_file_is_the_settings() -> None:
    for most, told in ((3 << 20, "3 MiB at most"), (5000, "5,000 bytes at most")):
        served = all_documents(ROUTES, Registry.load(), PUBLIC, "simpul.", most)
        about = orjson.loads(served["openapi"])["paths"]["/v1/attachments"]["post"]["description"]
        assert told in about
        assert "{" not in about


async def test_the_topics_are_this_hubs_own(house: House) -> None:
    channels = (await house.nobody.get("/asyncapi.json")).json["channels"]
    assert channels["agencyTopic"]["address"] == "simpul.agency.{agency}"
    described = orjson.loads(all_documents(ROUTES, Registry.load(), PUBLIC, "uji-coba.", 3 << 20)["asyncapi"])
    addresses = {name: channel["address"] for name, channel in described["channels"].items()}
    assert addresses["agencyTopic"] == "uji-coba.agency.{agency}"
    assert addresses["inboundTopic"] == "uji-coba.inbound.{agency}"


def test_the_configured_prefix_reaches_the_documents() -> None:
    assert _api_settings(Settings(kafka_topic_prefix="uji-coba."), True).topic_prefix == "uji-coba."


async def test_the_page_needs_nobody_else(house: House) -> None:
    reply = await house.nobody.get("/docs")
    assert reply.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    page = reply.text
    assert not re.search(r"<(script|link|img|iframe)|@import|url\(", page)
    for route in ROUTES:
        assert f'id="{route.name}"' in page
    targets = set(re.findall(r'href="#([^"]+)"', page))
    assert targets <= set(re.findall(r'id="([^"]+)"', page))


async def test_schemas(house: House) -> None:
    for name, version in Registry.load().names():
        reply = await house.nobody.get(f"/schemas/{name}/{version}.json")
        assert reply.headers["Content-Type"] == "application/schema+json"
        assert reply.json["$id"] == f"/schemas/{name}/{version}.json"
    for path in ("complaint/2", "nothing/1", "complaint/x", "complaint/0", "..%2f/1", "complaint/9999999999"):
        assert (await house.nobody.get(f"/schemas/{path}.json")).status == 404


async def test_health_and_readiness(house: House) -> None:
    assert (await house.nobody.get("/healthz")).json == {"status": "ok"}
    reply = await house.nobody.get("/readyz")
    assert (reply.status, reply.json["status"]) == (200, "ready")


async def test_metrics_name_routes_and_nobody(house: House) -> None:
    app = await house.caller("kab-kotim")
    case = await app.submit()
    await app.get(f"/v1/cases/{case['id']}")
    text = (await house.nobody.get("/metrics")).text
    assert 'simpul_http_requests_total{method="GET",route="/v1/cases/{id}",status="200"} 1.0' in text
    assert case["id"] not in text
    assert "kab-kotim" not in text


async def test_hsts_only_where_tls_is_in_front(folder: Path) -> None:
    async with running(folder, trusted_proxies=(ip_network("127.0.0.0/8"),)) as house:
        proxied = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
        assert "Strict-Transport-Security" not in (await house.nobody.get("/healthz")).headers
        reply = await house.nobody.get("/healthz", headers=proxied)
        assert reply.headers["Strict-Transport-Security"].startswith("max-age=")
