"""Schemathesis over the hub's own /openapi.json: what the document allows and what it forbids; each answer is
held to the document. In two agencies' names, and in the hub's for the registry."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.chaos.calls import Api
from tests.fuzz.target import Target

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
MODES: Final = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
TIMEOUT_S: Final = 35.0
WORDS: Final = 1500
EVENT_STREAM: Final = "text/event-stream"
LONGEST_URL: Final = 7000


@dataclass
class Findings:
    """`requests` counts by status; `failures` hold the words of the check and the curl command."""

    requests: Counter[int] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


class _Over(Exception):
    """The time is over; not a finding."""


@schemathesis.serializer("application/x-ndjson")
def ndjson(context: Any, value: Any) -> bytes:
    """One document, or a list of them, a line each."""
    lines = value if isinstance(value, list) else [value]
    return "\n".join(json.dumps(one, default=str) for one in lines).encode()  # numbers of any length


def fuzz_by_schema(found: Target, seconds: float, examples: int, seed_: int) -> Findings:
    """Up to `examples` a round for each operation, mode and client, round after round while time is left."""
    schema = schemathesis.openapi.from_url(f"{found.hub.url}/openapi.json")
    found_ = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    operations = [operation for operation in found_ if not _endless(schema.raw_schema, operation)]
    findings, deadline, round_ = Findings(), time.monotonic() + seconds, 0
    chance, session = random.Random(seed_), requests.Session()
    while time.monotonic() < deadline:
        turns = [
            (operation, mode, api) for operation in operations for mode in MODES for api in found.clients
        ]
        chance.shuffle(turns)
        for operation, mode, api in turns:
            if not _worth_it(operation.path, api):
                continue
            if time.monotonic() > deadline:
                return findings
            turn = _Turn(found, api, session, findings, deadline)
            turn.run(operation, mode, examples, seed_ + round_)
        round_ += 1
    return findings


def _endless(document: dict[str, Any], operation: Any) -> bool:
    """An answer that never ends cannot be held to the document by its body; tests/stream does it."""
    answers = document["paths"][operation.path][operation.method.lower()]["responses"]
    return any(EVENT_STREAM in answer.get("content", {}) for answer in answers.values())


def _worth_it(path: str, api: Api) -> bool:
    """Agencies may be changed in the hub's name; but then ours could be deactivated by chance."""
    return api.member.agency != "hub" or path == "/v1/agencies"


@dataclass
class _Turn:
    found: Target
    api: Api
    session: requests.Session
    findings: Findings
    deadline: float

    def run(self, operation: Any, mode: GenerationMode, examples: int, seed_: int) -> None:
        label = f"{operation.method.upper()} {operation.path}"
        known = self.found.known(operation.path)

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @seed(seed_)
        @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
        def check(case: Any, data: st.DataObject) -> None:
            if time.monotonic() > self.deadline:
                raise _Over
            if known and data.draw(st.sampled_from((True, True, True, False))):
                case.path_parameters["id" if "id" in case.path_parameters else "sha256"] = data.draw(
                    st.sampled_from(known)
                )
            self._send(case, label)

        try:
            check()
        except (_Over, Unsatisfiable):
            return  # the time is over, or nothing about this operation could be wrong
        except (Exception, BaseExceptionGroup) as failed:
            words = "\n".join(str(part) for part in (failed, *getattr(failed, "exceptions", ())))
            self.findings.failures.append(f"{label} ({mode.value}, {self.api.member.agency})\n{words}")

    def _send(self, case: Any, label: str) -> None:
        if case.query and "wait" in case.query:
            case.query["wait"] = "0"  # a long poll would only wait
        headers = {"Authorization": f"Bearer {self.api.token()}"} if "/oauth/" not in label else {}
        response = case.call(
            base_url=self.found.hub.url, session=self.session, headers=headers, timeout=TIMEOUT_S
        )
        self.findings.requests[response.status_code] += 1
        self.findings.operations[label] += 1
        if response.status_code == 400 and len(response.request.url or "") > LONGEST_URL:
            return  # refused by the HTTP parser, before there is a route
        case.validate_response(response, checks=CHECKS)


def shorter(failure: str) -> str:
    """As much as a person reads."""
    return failure if len(failure) < WORDS else failure[:WORDS] + " …"
