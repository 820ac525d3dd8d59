"""What a transaction notes about a record that came from the broker: its place, its answer, and, where it was
no command at all, a dead letter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson

from hub.errors import Problem
from hub.ports.effects import Effects
from hub.ports.relaying import DeadLetter, Origin, Place, RecordAnswer
from hub.service.overlay import Overlay
from hub.service.requests import Outcome, Request, Result

ABOUT: Final = dict.fromkeys(
    ("case", "consultation", "forwarding", "forwardings"), "case_id"
) | dict.fromkeys(("thread", "message", "commitment"), "thread_id")
"""The member of an answer that says what the first of the ids is, by the answer's kind."""


def note_taken(
    request: Request,
    origin: Origin,
    result: Result,
    dead: str | None,
    overlay: Overlay,
    effects: Effects,
    now: str,
) -> None:
    """From here on the record, and every one before it in its partition, has taken effect."""
    partition = origin.partition_of_topic
    place = Place(origin.offset + 1, origin.topic_id)
    overlay.next_offsets[partition] = effects.next_offsets[partition] = place
    agency = request.principal.agency
    document = orjson.dumps(answer_document(result, request.masked))
    told = origin.full_topic, origin.partition, origin.offset
    effects.record_answers.append(RecordAnswer(agency, *told, origin.correlation, document, now))
    if dead is not None:
        letter, cause = "/".join(map(str, told)), _printable(dead)
        effects.dead_letters.append(
            DeadLetter(letter, agency, *partition, origin.offset, origin.sha256, cause, now)
        )


def _printable(cause: str) -> str:
    """Without control characters: PostgreSQL takes no NUL, and a terminal shows causes to an operator."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in cause)


def answer_document(result: Result, masked: Sequence[str] = ()) -> dict[str, Any]:
    """`{"status", "kind", "ids"}` or `{"status", "problem"}`: ids, kinds of what was masked and problems
    only, no text."""
    if isinstance(result, Problem):
        return {"status": result.status, "problem": result.document()}
    kinds = sorted({*masked, *result.masked})
    return _outcome(result) | ({"masked": kinds} if kinds else {})


def _outcome(outcome: Outcome) -> dict[str, Any]:
    document: dict[str, Any] = {"status": outcome.status, "kind": outcome.kind, "ids": list(outcome.ids)}
    if outcome.ids and outcome.kind in ABOUT:
        document[ABOUT[outcome.kind]] = outcome.ids[0]
    return document
