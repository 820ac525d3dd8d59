"""The diagrams of the documentation are the table, and the table is what happens."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import orjson

from hub.api.docs_page import docs_page
from hub.domain.diagram import diagrams, diagrams_markdown
from hub.domain.transitions import BY_LEGS, BY_TIME, CASE, LEG, WHEN, WHEN_LEGS, WHEN_TIME, Conditions, Moves

ROOT = Path(__file__).parents[2]
ROW = re.compile(
    r"<tr>(?:<th scope=rowgroup rowspan=\d+>(\w+)</th>)?<td>([^<]+)</td><td>(\w+)</td><td>([^<]*)</td></tr>"
)
ARROW = re.compile(r"^    (\w+) --> (\w+): (.+)$", re.MULTILINE)


def arrows(diagram: str) -> set[tuple[str, str, str]]:
    return {(at, to, name) for at, to, names in ARROW.findall(diagram) for name in names.split(", ")}


def test_every_cell_of_the_tables_is_an_arrow_and_no_other() -> None:
    owners = {(at, to, name) for at, row in CASE.items() for name, ends in row.items() for to in ends}
    legs = {(at, to, f"forwarding {name}") for at, row in BY_LEGS.items() for name, ends in row.items()
            for to in ends}  # fmt: skip
    time = {(at, to, name) for at, row in BY_TIME.items() for name, ends in row.items() for to in ends}
    assert arrows(diagrams()["A case"]) == owners | legs | time
    once = {(at, at, "reconsider") for at in ("sent", "accepted", "in_progress")}
    plain = {(at, to, name) for at, row in LEG.items() for name, to in row.items()}
    assert arrows(diagrams()["A forwarding"]) == plain | once | {("answered", "in_progress", "case reopen")}


def several(table: dict[str, Moves]) -> set[tuple[str, str, str]]:
    """(from, act, to) of each act that may end in more than one way."""
    return {
        (at, act, to)
        for at, row in table.items()
        for act, ends in row.items()
        for to in ends
        if len(ends) > 1
    }


def test_what_may_end_in_several_ways_has_its_conditions_and_nothing_else_has() -> None:
    assert WHEN.keys() == several(CASE)
    assert WHEN_LEGS.keys() == several(BY_LEGS)
    assert WHEN_TIME.keys() == {
        (at, act, to) for at, row in BY_TIME.items() for act, ends in row.items() for to in ends
    }
    told: list[Conditions] = [WHEN, WHEN_LEGS]
    for conditions in told:
        ways = {(at, act) for at, act, _ in conditions}
        for way in ways:
            words = [text for key, text in conditions.items() if key[:2] == way]
            assert len(set(words)) == len(words) > 1 and all(words), way


def test_the_page_tells_one_outcome_from_the_other_and_time_from_an_act() -> None:
    table = page().partition("<h3>A case</h3>")[2].partition("</table>")[0]
    found, at = {}, ""
    for head, actions, to, when in ROW.findall(table):
        at = head or at
        for action in actions.split(", "):
            assert found.setdefault((at, action, at if to == "stays" else to), unescape(when)) == unescape(
                when
            )
    named = {(at, f"forwarding {act}", to): text for (at, act, to), text in WHEN_LEGS.items()}
    assert {key: text for key, text in found.items() if text} == {**WHEN, **named, **WHEN_TIME}


def test_architecture_shows_the_diagrams_of_today() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    shown = text.partition("<!-- states: made by hub/domain/diagram.py -->\n")[2].partition(
        "\n<!-- end of states"
    )[0]
    assert shown == diagrams_markdown()


def rows_of(table: str) -> set[tuple[str, str, str]]:
    """A table of the page read back into arrows: a state stands once, before the first of its rows."""
    found, at = set(), ""
    for head, actions, to, _ in ROW.findall(table):
        at = head or at
        found |= {(at, at if to == "stays" else to, name) for name in actions.split(", ")}
    return found


def page() -> str:
    document = {"info": {"title": "Simpul", "version": "1", "description": ""}, "tags": [], "paths": {},
                "components": {"schemas": {}}}  # fmt: skip
    return docs_page(orjson.loads(orjson.dumps(document)))[0]


def test_the_documentation_page_shows_them_too() -> None:
    for name, text in diagrams().items():
        assert text in unescape(page())
        table = page().partition(f"<h3>{name}</h3>")[2].partition("</table>")[0]
        assert rows_of(table) == arrows(text)
