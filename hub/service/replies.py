"""What a transaction notes about a record that came from the broker: its place, its answer, and, where it was
no command at all, a dead letter."""

from __future__ import annotations

from typing import Any

import orjson

from hub.errors import Problem
from hub.ports.relaying import DeadLetter, Origin, Reply
from hub.ports.store import Effects
from hub.service.overlay import Overlay
from hub.service.requests import Outcome, Refuse, Request, Result


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
    partition = origin.topic, origin.partition
    overlay.next_offsets[partition] = effects.next_offsets[partition] = origin.offset + 1
    agency = request.principal.agency
    effects.replies.append(
        Reply(
            agency, *partition, origin.offset, origin.correlation, orjson.dumps(reply_document(result)), now
        )
    )
    if dead is not None:
        sha256 = request.command.sha256 if isinstance(request.command, Refuse) else ""
        letter = f"{origin.topic}/{origin.partition}/{origin.offset}"
        effects.dead_letters.append(DeadLetter(letter, agency, *partition, origin.offset, sha256, dead, now))


def reply_document(result: Result) -> dict[str, Any]:
    """`{"status", "kind", "ids"}` or `{"status", "problem"}`: ids and problems only, no text."""
    if isinstance(result, Problem):
        return {"status": result.status, "problem": result.document()}
    return _outcome(result)


def _outcome(outcome: Outcome) -> dict[str, Any]:
    document: dict[str, Any] = {"status": outcome.status, "kind": outcome.kind, "ids": list(outcome.ids)}
    if outcome.kind in ("case", "consultation", "forwarding", "forwardings") and outcome.ids:
        document["case_id"] = outcome.ids[0]
    return document
