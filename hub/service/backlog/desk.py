"""An old case on its way into the transaction: prepared like a new complaint, with what became of it;
officers' words are masked as they are on every other way in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from hmac import compare_digest
from typing import Any, Final

import orjson

from auth.principal import Principal
from hub.domain.agency import Agency
from hub.domain.commands import SubmitComplaint
from hub.domain.decisions import check_addressed
from hub.domain.history import History, TakeOver, flaws_of, steps_of
from hub.domain.privacy import mask, own_values
from hub.domain.working_time import written
from hub.errors import CommandRefused, Erased, Invalid, Problem
from hub.ports.clock import Clock
from hub.ports.sealing import Sealing
from hub.ports.store import ReadSession
from hub.service.backlog.mapping import BacklogMapping
from hub.service.backlog.rows import OldCase
from hub.service.intake import ComplaintDesk
from hub.service.requests import OPERATOR, Outcome, Request, Result
from schemas.registry import Registry as Schemas

WRITTEN_BEFORE: Final = (
    "was taken over or submitted before with other content under this reference. What the hub has is not "
    "overwritten: leave the row out, or give it a reference of its own."
)
ERASED: Final = (
    "belongs to a complaint that was erased; it is final and is not kept again. Leave the row out."
)
_BODIES: Final[dict[str, tuple[str, Callable[[History], dict[str, Any]], dict[str, str]]]] = {
    "answered": ("answer", lambda h: {"text": h.texts["answer"]}, {"/text": "answer"}),
    "rejected": (
        "verification",
        lambda h: {"decision": "reject", "reason": h.texts["rejection_reason"]},
        {"/reason": "rejection_reason"},
    ),
    "closed": (
        "closure",
        lambda h: (
            {"reason": h.closing_reason}
            | ({"text": h.texts["closing_text"]} if "closing_text" in h.texts else {})
        ),
        {"/reason": "closing_reason", "/text": "closing_text"},
    ),
}
"""Step -> the schema of the act that it was, the act's body, and whose column each of its members is."""


class BacklogDesk:
    """Makes requests of old cases, for one agency."""

    def __init__(
        self,
        desk: ComplaintDesk,
        schemas: Schemas,
        sealing: Sealing,
        clock: Clock,
        agencies: Mapping[str, Agency],
        agency: str,
    ) -> None:
        found = agencies.get(agency)
        if found is None or not found.active:
            raise CommandRefused(
                f"[import] agency: no active agency {agency!r} is registered; see `simpul agency list`."
            )
        self._desk, self._schemas, self._sealing, self._clock = desk, schemas, sealing, clock
        self._agencies = agencies
        self._principal = Principal(OPERATOR, agency, frozenset(), "", 0.0)

    def prepare(self, old: OldCase) -> Request:
        """The request, or Invalid (422); pointers are JSON Pointers into the complaint, and `/<member>` for
        what became of it."""
        flaws = [(f"/{member}", f"{member} {wrong}") for member, wrong in self._flaws(old)]
        try:
            request = self._desk.prepare(self._principal, old.document)
        except Invalid as invalid:
            told = {pointer for pointer, _ in invalid.flaws}
            flaws = [*invalid.flaws, *(flaw for flaw in flaws if flaw[0] not in told)]
            raise Invalid("The row cannot be taken over.", flaws=flaws) from None
        if flaws:
            raise Invalid("The row cannot be taken over.", flaws=flaws)
        return self._with_history(request, old)

    def check(self, request: Request, session: ReadSession) -> Result:
        """What the transaction would make of it: 201, 200 for what is there already, or the Problem."""
        command, intake, reference = request.command, request.intake, request.reference
        if not isinstance(command, TakeOver) or intake is None or reference is None:
            raise TypeError("an old case is needed")
        known = session.reference(*reference)
        if known is None:
            try:
                check_addressed(command.clear.get("addressed_to") or (), reference[0], self._agencies.get)
            except Problem as refused:
                return refused.with_traceback(None)
            return Outcome(201, "case", (command.case_id,))
        case, key = session.case(known.case_id), session.keys([known.case_id]).get(known.case_id)
        if key is None or case is None or case.state.erased:
            return Erased("erased")
        opened = self._sealing.open_stream_key(key)
        digest = self._sealing.keyed_digest(opened, "content", intake.content).hex()
        if not compare_digest(digest, case.state.content_digest):
            return Invalid("changed", flaws=[("/source/reference", f"reference {WRITTEN_BEFORE}")])
        return Outcome(200, "case", (known.case_id,))

    def _flaws(self, old: OldCase) -> list[tuple[str, str]]:
        found = flaws_of(old.history, old.submitted, self._clock.now())
        told = {member for member, _ in found}
        for step in old.history.moments:
            if step not in _BODIES:
                continue
            schema, body, members = _BODIES[step]
            if told.isdisjoint(members.values()):
                for flaw in self._schemas.validate(schema, body(old.history)):
                    found.append((members.get(flaw.pointer, f"{step}_at"), f"is wrong: {flaw.detail}"))
        return found

    def _with_history(self, request: Request, old: OldCase) -> Request:
        """The content by which a repeated row is told from a changed one holds the history too."""
        command, intake = request.command, request.intake
        if not isinstance(command, SubmitComplaint) or intake is None:
            raise TypeError("the desk prepares complaints")
        history = self._masked(old)
        steps = steps_of(old.history, old.submitted)
        content = orjson.dumps({"complaint": old.document, "steps": steps}, option=orjson.OPT_SORT_KEYS)
        given = {field.name: getattr(command, field.name) for field in fields(SubmitComplaint)}
        given["content_digest"] = self._sealing.keyed_digest(intake.key, "content", content).hex()
        taken = TakeOver(
            **given, submitted_at=written(old.submitted.at), steps=steps_of(history, old.submitted)
        )
        return replace(request, command=taken, intake=replace(intake, content=content))

    def _masked(self, old: OldCase) -> History:
        reporter = old.document["reporter"]
        own = own_values(reporter, hidden=reporter["anonymous"] or old.document["confidential"])
        texts = {name: mask(text, own).text for name, text in old.history.texts.items()}
        return replace(old.history, texts=texts)


def columns_of(problem: Problem, mapping: BacklogMapping) -> list[dict[str, Any]]:
    """What is wrong with a row, by column: the member where no column is mapped, null for the whole row."""
    if problem.type_code == "complaint-conflict":
        return [_told(mapping, "reference", f"reference {WRITTEN_BEFORE}")]
    if isinstance(problem, Erased):
        return [_told(mapping, "reference", f"reference {ERASED}")]
    if not problem.flaws:
        return [{"column": None, "detail": problem.detail}]
    return [_told(mapping, member_of(pointer, mapping), detail) for pointer, detail in problem.flaws]


def member_of(pointer: str, mapping: BacklogMapping) -> str:
    """The member that a JSON Pointer into the complaint stands for; the longest one that is mapped."""
    parts = pointer.lstrip("/").split("/")
    if parts[:2] == ["source", "reference"]:
        return "reference"
    if parts[0] == "extensions":
        parts = ["extensions", *parts[2:]]
    if parts[:2] == ["location", "point"]:
        return "location.latitude"
    if parts[0] == "external_ids" and len(parts) > 1:
        names = [name for name in mapping.columns if name.startswith("external_ids.")]
        return names[int(parts[1])] if parts[1].isdigit() and int(parts[1]) < len(names) else "external_ids"
    two = ".".join(parts[:2])
    return two if two in mapping.columns or parts[0] in ("source", "location", "reporter") else parts[0]


def _told(mapping: BacklogMapping, member: str, detail: str) -> dict[str, Any]:
    source = mapping.columns.get(member)
    return {"column": source.column if source else member, "detail": detail}
