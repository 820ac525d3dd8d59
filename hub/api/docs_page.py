"""/docs: the OpenAPI document as one page. No script, no outside host; it reads well without either."""

from __future__ import annotations

import base64
import hashlib
import re
from html import escape
from pathlib import Path
from typing import Any, Final

import orjson

from hub.domain.diagram import Between, conditions, diagrams, moves
from hub.domain.transitions import Conditions

Json = dict[str, Any]
STYLE: Final = (Path(__file__).parent / "docs.css").read_text("utf-8")
LEAD: Final = """Simpul is a hub that carries public complaints between the systems of governments and
ministries: each keeps its own tools, and sends and receives complaints, forwardings and answers by the routes
on this page."""
STEPS: Final = """Order of steps: the source agency submits a complaint (`POST /v1/complaints`) and owns the
case. → The owner verifies it (`POST /v1/cases/{id}/verification`). → Where it is not sure whose the case is,
the owner consults an agency (`POST /v1/cases/{id}/consultations`), which answers
(`POST /v1/consultations/{id}/answer`). → The owner forwards it (`POST /v1/cases/{id}/forwardings`). → The
agency that it was sent to accepts it (`POST /v1/forwardings/{id}/acceptance`) or returns it
(`POST /v1/forwardings/{id}/return`); when it is returned, the owner forwards again, and the sender or the
owner may withdraw a forwarding too (`POST /v1/forwardings/{id}/withdrawal`). → Who has accepted may forward
the case onward, to its own units or to others (`POST /v1/cases/{id}/forwardings`, as `support`). → The agency
that accepted it reports progress (`POST /v1/forwardings/{id}/progress`, as often as it likes) and answers
(`POST /v1/forwardings/{id}/answer`). → The source passes on what the reporter says to it
(`POST /v1/cases/{id}/replies`), and source or owner reopens a case that is not settled
(`POST /v1/cases/{id}/reopening`). → The owner closes the case (`POST /v1/cases/{id}/closure`).

When the leading forwarding comes back too often (three times, unless the hub is set otherwise), the case
passes to the agency above, or to the agency `hub` where there is none (`complaint.escalated` in its mailbox).
It forwards the case, and that forwarding cannot be returned; whoever has it may once ask to think again
(`POST /v1/forwardings/{id}/reconsideration`). When the law's time is over and the reporter agrees, source or
owner takes the case to the Ombudsman (`POST /v1/cases/{id}/escalation`). Who owns or handles a case may link
it with another (`POST /v1/cases/{id}/links`): a duplicate's owner is told the other's answer.

When the reporter or the law asks for it, source or owner erases the case for good
(`POST /v1/cases/{id}/erasure`). Every agency that received it finds `reporter.erased` in its mailbox, deletes
its copies and says so (`POST /v1/cases/{id}/erasure/receipts`)."""
_CODE: Final = re.compile(r"`([^`]+)`")


def docs_page(document: Json) -> tuple[str, str]:
    """The page and the Content-Security-Policy that lets in its own style and nothing else."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode("ascii")
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    info, operations = document["info"], _by_tag(document)
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><title>{escape(info["title"])} API</title>'
        f"<style>{STYLE}</style></head><body>"
        '<a class="skip" href="#content">Skip to the routes</a>'
        f"{_navigation(operations)}"
        f'<main id="content"><h1>{escape(info["title"])} <small>{escape(info["version"])}</small></h1>'
        f"{_paragraphs(LEAD)}"
        '<p class="jump"><a href="#routes">All routes, as a list</a></p>'
        f"{_paragraphs(STEPS)}{_paragraphs(info['description'])}"
        '<p>As a file: <a href="/openapi.json">openapi.json</a> · '
        '<a href="/asyncapi.json">asyncapi.json</a> (events).</p>'
        f"{_states()}"
        f"{''.join(_section(tag, found, document) for tag, found in operations.items())}"
        f"{_schemas(document)}</main></body></html>"
    )
    return page, policy


def _by_tag(document: Json) -> dict[str, list[tuple[str, str, Json]]]:
    grouped: dict[str, list[tuple[str, str, Json]]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            grouped[operation["tags"][0]].append((method.upper(), path, operation))
    return grouped


def _navigation(operations: dict[str, list[tuple[str, str, Json]]]) -> str:
    parts = []
    for tag, found in operations.items():
        links = "".join(
            f'<li><a href="#{o["operationId"]}">{escape(o["summary"])}</a></li>' for _, _, o in found
        )
        parts.append(f'<li><a class="tag" href="#{_anchor(tag)}">{escape(tag)}</a><ul>{links}</ul></li>')
    first, last = (
        f'<li><a class="tag" href="#{name.lower()}">{name}</a></li>' for name in ("States", "Schemas")
    )
    return f'<nav id="routes" aria-label="Routes"><ul>{first}{"".join(parts)}{last}</ul></nav>'


def _section(tag: str, found: list[tuple[str, str, Json]], document: Json) -> str:
    routes = "".join(_operation(method, path, operation, document) for method, path, operation in found)
    return f'<section><h2 id="{_anchor(tag)}">{escape(tag)}</h2>{routes}</section>'


def _operation(method: str, path: str, operation: Json, document: Json) -> str:
    scopes = [scope for needed in operation.get("security", []) for scope in needed.get("oauth2", [])]
    access = f"Scope <code>{escape(scopes[0])}</code>" if scopes else "Any valid token"
    if "security" not in operation:
        access = "No token needed"
    body = operation.get("requestBody", {}).get("content", {})
    return (
        f'<article id="{operation["operationId"]}"><h3><span class="method {method.lower()}">{method}</span> '
        f"<code>{escape(path)}</code></h3><p><strong>{escape(operation['summary'])}.</strong> {access}.</p>"
        f"{_paragraphs(operation.get('description', ''))}{_parameters(operation.get('parameters', []))}"
        f"{_contents('Body', body)}"
        f"{_responses(operation['responses'], document)}</article>"
    )


def _parameters(parameters: list[Json]) -> str:
    if not parameters:
        return ""
    rows = "".join(
        f"<tr><th scope=row><code>{escape(p['name'])}</code>{' *' if p.get('required') else ''}</th>"
        f"<td>{p['in']}</td><td>{_inline(p.get('description', ''))} {_limits(p['schema'])}</td></tr>"
        for p in parameters
    )
    return f"<table><caption>Parameters (* needed)</caption><tbody>{rows}</tbody></table>"


def _limits(schema: Json) -> str:
    shown = [
        f"{word} {schema[key]}"
        for key, word in (("minimum", "from"), ("maximum", "to"), ("default", "default"))
        if key in schema
    ]
    if "enum" in schema:
        shown.append("one of " + ", ".join(str(option) for option in schema["enum"]))
    return f"<small>{escape(', '.join(shown))}</small>" if shown else ""


def _responses(responses: Json, document: Json) -> str:
    parts = []
    for status, response in responses.items():
        found = response
        if "$ref" in response:
            found = document["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
        label = f"{status} {found['description']}"
        parts.append(_contents(label, found.get("content", {})))
    return f'<div class="answers">{"".join(parts)}</div>'


def _contents(label: str, content: Json) -> str:
    parts = []
    for media, held in content.items():
        schema = held["schema"].get("$ref", "").rsplit("/", 1)[-1]
        link = f'<a href="#schema-{escape(schema)}">{escape(schema)}</a>' if schema else ""
        example = f"<pre tabindex=0>{_json(held['example'])}</pre>" if "example" in held else ""
        parts.append(
            f"<details><summary>{escape(label)} <small>{escape(media)}</small></summary>{link}{example}"
            "</details>"
        )
    return "".join(parts)


def _states() -> str:
    """Each state's ways out as a table, and the diagram's text: drawing it would take a script."""
    texts, when = diagrams(), conditions()
    parts = "".join(
        f"<h3>{escape(name)}</h3>{_ways(between, when.get(name, {}))}"
        "<details><summary>as a Mermaid diagram</summary>"
        f"<pre tabindex=0>{escape(texts[name])}</pre></details>"
        for name, (_, between) in moves().items()
    )
    return (
        '<section><h2 id="states">States</h2><p>What may follow what. A 409 names the present state and what '
        f"is possible from it.</p>{parts}</section>"
    )


def _ways(between: Between, conditions: Conditions) -> str:
    """A row for each way out and its condition; a state's rows stand together and name it once."""
    rows = []
    for at in dict.fromkeys(at for at, _ in between):
        ways: dict[tuple[str, str], list[str]] = {}
        for (of, to), actions in between.items():
            for action in actions if of == at else ():
                ways.setdefault((to, conditions.get((at, action, to), "")), []).append(action)
        order = [action for actions in ways.values() for action in actions]
        together = sorted(ways.items(), key=lambda way: order.index(way[1][0]))  # one act's outcomes
        for number, ((to, when), actions) in enumerate(together):
            head = f"<th scope=rowgroup rowspan={len(ways)}>{escape(at)}</th>" if number == 0 else ""
            cells = (", ".join(actions), "stays" if to == at else to, when)
            rows.append(f"<tr>{head}{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>")
    head = "<tr><th>now<th>what happens<th>then<th>when"
    body = "".join(rows)
    return f'<table class="ways"><thead>{head}</thead><tbody>{body}</tbody></table>'


def _schemas(document: Json) -> str:
    parts = "".join(
        f'<details id="schema-{escape(name)}"><summary>{escape(name)}</summary>'
        f"<pre tabindex=0>{_json(schema)}</pre></details>"
        for name, schema in document["components"]["schemas"].items()
    )
    return f'<section><h2 id="schemas">Schemas</h2>{parts}</section>'


def _json(value: Any) -> str:
    return escape(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{_inline(part)}</p>" for part in text.split("\n\n") if part)


def _inline(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text))


def _anchor(tag: str) -> str:
    return f"tag-{tag.lower()}"
