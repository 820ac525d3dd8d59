"""Who may do what: one table, action x relation to the case, each action with the scope that it needs.

The state of the case is not asked here: whether something is possible now is the domain's answer (409).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Relation(StrEnum):
    """What an agency is to a case. For an action on a leg, handler and sender are meant of that very leg."""

    SOURCE = "source"
    """Submitted the complaint."""
    OWNER = "owner"
    """Owns the case: verifies, forwards, closes."""
    HANDLER = "handler"
    """Holds a leg that is neither returned nor withdrawn; on a leg's route: that leg."""
    PARTICIPANT = "participant"
    """On the route of a leg or a consultation: takes part through another one."""
    SENDER = "sender"
    """Sent a leg; on a leg's route: that leg."""
    FORMER = "former"
    """Returned its leg or lost it: sees that leg and what stood then."""
    CONSULTED = "consulted"
    """Was asked whether the case is its own; on a consultation's route: by that very one."""
    FORMER_OWNER = "former_owner"
    """Owned the case until it was escalated, and goes on seeing it."""
    OVERSEER = "overseer"
    """Oversight to which the case was escalated."""


class Action(StrEnum):
    SUBMIT = "submit"
    READ = "read"
    HISTORY = "history"
    VERIFY = "verify"
    CONSULT = "consult"
    ADVISE = "advise"
    FORWARD = "forward"
    ACCEPT = "accept"
    RETURN = "return"
    PROGRESS = "progress"
    ANSWER = "answer"
    WITHDRAW = "withdraw"
    RECONSIDER = "reconsider"
    CLOSE = "close"
    REOPEN = "reopen"
    REPLY = "reply"
    ESCALATE = "escalate"
    LINK = "link"
    ATTACH = "attach"


class Outcome(StrEnum):
    ALLOWED = "allowed"
    NOT_FOUND = "not_found"
    FORBIDDEN = "forbidden"


class Reading(StrEnum):
    """How much of the case the agency may see: as it stands, as it stood when it left, or nothing."""

    WHOLE = "whole"
    FROZEN = "frozen"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of `decide`. NOT_FOUND is answered 404, FORBIDDEN 403 with `detail`; `missing_scope` names
    the scope that the token lacks, when that is the reason."""

    outcome: Outcome
    reading: Reading
    detail: str = ""
    missing_scope: str | None = None

    @property
    def allowed(self) -> bool:
        return self.outcome is Outcome.ALLOWED


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may do an action: any of `relations` (None: whoever has the scope, no case is involved)."""

    scope: str
    relations: frozenset[Relation] | None
    sentence: str


def _only(*relations: Relation) -> frozenset[Relation]:
    return frozenset(relations)


WHOLE_READERS: Final = _only(
    Relation.SOURCE,
    Relation.OWNER,
    Relation.HANDLER,
    Relation.PARTICIPANT,
    Relation.CONSULTED,
    Relation.FORMER_OWNER,
    Relation.OVERSEER,
)
READERS: Final = WHOLE_READERS | {Relation.FORMER}

TO_WHOM: Final = "the agency that the case was forwarded to"
BY_WHOM: Final = "the agency that forwarded the case, or its owner"

TABLE: Final[dict[Action, Rule]] = {
    Action.SUBMIT: Rule("complaints:write", None, "any agency, in its own name"),
    Action.READ: Rule("cases:read", READERS, "an agency that takes part in the case, or did"),
    Action.HISTORY: Rule("cases:read", READERS, "an agency that takes part in the case, or did"),
    Action.VERIFY: Rule("cases:verify", _only(Relation.OWNER), "the case's owner"),
    Action.CONSULT: Rule("cases:consult", _only(Relation.OWNER), "the case's owner"),
    Action.ADVISE: Rule("cases:consult", _only(Relation.CONSULTED), "the agency that was consulted"),
    Action.FORWARD: Rule(
        "cases:forward",
        _only(Relation.OWNER, Relation.HANDLER, Relation.FORMER_OWNER),
        "the case's owner, or an agency that handles it,",
    ),
    Action.ACCEPT: Rule("cases:handle", _only(Relation.HANDLER), TO_WHOM),
    Action.RETURN: Rule("cases:handle", _only(Relation.HANDLER), TO_WHOM),
    Action.PROGRESS: Rule("cases:handle", _only(Relation.HANDLER), TO_WHOM),
    Action.ANSWER: Rule("cases:handle", _only(Relation.HANDLER), TO_WHOM),
    Action.WITHDRAW: Rule(
        "cases:forward",
        _only(Relation.SENDER, Relation.OWNER),
        BY_WHOM,
    ),
    Action.RECONSIDER: Rule("cases:handle", _only(Relation.HANDLER), TO_WHOM),
    Action.CLOSE: Rule("cases:close", _only(Relation.OWNER), "the case's owner"),
    Action.REOPEN: Rule(
        "cases:reopen", _only(Relation.SOURCE, Relation.OWNER), "the case's source or its owner"
    ),
    Action.REPLY: Rule("complaints:write", _only(Relation.SOURCE), "the case's source, for its reporter,"),
    Action.LINK: Rule(
        "cases:forward",
        _only(Relation.OWNER, Relation.HANDLER),
        "the case's owner, or an agency that handles it,",
    ),
    Action.ESCALATE: Rule(
        "cases:reopen", _only(Relation.SOURCE, Relation.OWNER), "the case's source or its owner"
    ),
    Action.ATTACH: Rule("attachments:write", None, "any agency, for what it will write itself"),
}
"""The whole policy. A new action is a row here; a new relation a member of `Relation` and its cells here."""

SAID: Final = {Action.ADVISE: "answer the consultation", Action.RECONSIDER: "ask to reconsider"}
"""Actions whose name in the table is no officer's word."""

_ALLOWED: Final = {reading: Verdict(Outcome.ALLOWED, reading) for reading in Reading}
_NOT_FOUND: Final = Verdict(Outcome.NOT_FOUND, Reading.NONE)


def reading_of(relations: frozenset[str]) -> Reading:
    """How much an agency with these relations may see of the case."""
    if relations & WHOLE_READERS:
        return Reading.WHOLE
    return Reading.FROZEN if Relation.FORMER in relations else Reading.NONE


def decide(action: Action | str, relations: frozenset[str], scopes: frozenset[str]) -> Verdict:
    """Whether an agency that is `relations` to the case, with a token of `scopes`, may do `action`.

    Existence comes before rights (404, then 403): who neither may see the case nor do
    the action learns nothing, whatever its scopes. An unknown action raises `ValueError`.
    """
    rule = TABLE[Action(action)]
    reading = reading_of(relations)
    if rule.relations is not None and reading is Reading.NONE and not relations & rule.relations:
        return _NOT_FOUND
    said = SAID.get(Action(action), str(action))
    if rule.scope not in scopes:
        detail = f"The access token lacks the scope {rule.scope}, which the action '{said}' needs."
        return Verdict(Outcome.FORBIDDEN, reading, detail, rule.scope)
    if rule.relations is not None and not relations & rule.relations:
        return Verdict(Outcome.FORBIDDEN, reading, f"The action '{said}' is for {rule.sentence} alone.")
    return _ALLOWED[reading]
