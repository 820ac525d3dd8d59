"""Holds an answer to the OpenAPI document: route, status, media type, body, headers that are promised."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import jsonschema_rs
import orjson

from hub.api.documentation import all_documents
from hub.api.routes import ROUTES
from hub.settings import Settings
from schemas.formats import FAST_FORMATS
from schemas.registry import Registry

EVERYWHERE = {404: "no such address", 405: "no such method"}


@dataclass
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def lines(self) -> list[Any]:
        return [orjson.loads(line) for line in self.body.splitlines()]

    @property
    def pointers(self) -> list[str]:
        return [error.get("pointer", error.get("parameter")) for error in self.json["errors"]]


@cache
def document() -> dict[str, Any]:
    most = Settings().max_attachment_bytes
    documents = all_documents(ROUTES, Registry.load(), "http://hub.test", "simpul.", most)
    made: dict[str, Any] = orjson.loads(documents["openapi"])
    return made


class Checker:
    def __init__(self, described: dict[str, Any]) -> None:
        self._described = described
        self._patterns = [
            (re.compile("[^/]+".join(re.escape(p) for p in re.split(r"\{[a-z0-9]+\}", path))), path)
            for path in described["paths"]
        ]
        self._validators: dict[str, Any] = {}
        self.seen: set[tuple[str, str, int]] = set()

    @classmethod
    @cache
    def made(cls) -> Checker:
        return cls(document())

    def check(self, method: str, path: str, reply: Reply) -> None:
        operation, template = self._operation(method, path)
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert re.fullmatch(r"[0-9a-f]{32}", reply.headers["X-Correlation-Id"])
        if operation is None:
            assert reply.status in (404, 405), f"{method} {path} answered {reply.status}"
            self._valid("problem", {"$ref": "#/components/schemas/problem"}, reply.json)
            return
        self.seen.add((method, template, reply.status))
        responses = operation["responses"]
        assert str(reply.status) in responses, (
            f"{method} {template}: {reply.status} undocumented: {reply.text}"
        )
        self._content(f"{method} {template} {reply.status}", responses[str(reply.status)], reply)
        if reply.status == 401 and template.startswith("/v1"):
            assert reply.headers["WWW-Authenticate"].startswith("Bearer")
        if reply.status in (429, 503):
            assert int(reply.headers["Retry-After"]) >= 1

    def _operation(self, method: str, path: str) -> tuple[dict[str, Any] | None, str]:
        for pattern, template in self._patterns:
            if pattern.fullmatch(path) and method.lower() in self._described["paths"][template]:
                return self._described["paths"][template][method.lower()], template
        return None, ""

    def _content(self, name: str, response: dict[str, Any], reply: Reply) -> None:
        if "$ref" in response:
            response = self._described["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
        ((media, held),) = response["content"].items()
        got = reply.headers["Content-Type"].partition(";")[0]
        assert media in ("*/*", got), f"{name}: {got} instead of {media}"
        if media == "application/x-ndjson":
            for line in reply.lines:
                self._valid(name, held["schema"], line)
        elif media.endswith("json"):
            self._valid(name, held["schema"], reply.json)

    def _valid(self, name: str, schema: dict[str, Any], body: Any) -> None:
        if name not in self._validators:
            whole = schema | {"components": self._described["components"]}
            self._validators[name] = jsonschema_rs.Draft202012Validator(
                whole, formats=FAST_FORMATS, validate_formats=True
            )
        errors = [f"{e.instance_path} {e.message}" for e in self._validators[name].iter_errors(body)]
        assert not errors, f"{name}: {errors} in {body}"
