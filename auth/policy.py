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
    OWNER = "owner"
    HANDLER = "handler"
    PARTICIPANT = "participant"
    SENDER = "sender"
    FORMER = "former"


RELATIONS: Final[dict[Relation, str]] = {
    Relation.SOURCE: "submitted the complaint",
    Relation.OWNER: "owns the case: verifies, forwards, closes",
    Relation.HANDLER: "holds a leg that is neither returned nor withdrawn; on a leg's route: that leg",
    Relation.PARTICIPANT: "on a leg's route: holds another leg of the case",
    Relation.SENDER: "sent a leg; on a leg's route: that leg",
    Relation.FORMER: "returned its leg or lost it: sees that leg and what stood then",
}


class Action(StrEnum):
    SUBMIT = "submit"
    READ = "read"
    HISTORY = "history"
    VERIFY = "verify"
    CONSULT = "consult"
    FORWARD = "forward"
    ACCEPT = "accept"
    RETURN = "return"
    PROGRESS = "progress"
    ANSWER = "answer"
    WITHDRAW = "withdraw"
    CLOSE = "close"
    REOPEN = "reopen"
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


WHOLE_READERS: Final = _only(Relation.SOURCE, Relation.OWNER, Relation.HANDLER, Relation.PARTICIPANT)
READERS: Final = WHOLE_READERS | {Relation.FORMER}

TABLE: Final[dict[Action, Rule]] = {
    Action.SUBMIT: Rule("complaints:write", None, "any agency, in its own name"),
    Action.READ: Rule("cases:read", READERS, "an agency that takes part in the case, or did"),
    Action.HISTORY: Rule("cases:read", READERS, "an agency that takes part in the case, or did"),
    Action.VERIFY: Rule("cases:verify", _only(Relation.OWNER), "the case's owner"),
    Action.CONSULT: Rule("cases:consult", _only(Relation.OWNER), "the case's owner"),
    Action.FORWARD: Rule("cases:forward", _only(Relation.OWNER), "the case's owner"),
    Action.ACCEPT: Rule("cases:handle", _only(Relation.HANDLER), "the agency that holds the leg"),
    Action.RETURN: Rule("cases:handle", _only(Relation.HANDLER), "the agency that holds the leg"),
    Action.PROGRESS: Rule("cases:handle", _only(Relation.HANDLER), "the agency that holds the leg"),
    Action.ANSWER: Rule("cases:handle", _only(Relation.HANDLER), "the agency that holds the leg"),
    Action.WITHDRAW: Rule(
        "cases:forward", _only(Relation.SENDER, Relation.OWNER), "the agency that sent the leg, or the owner"
    ),
    Action.CLOSE: Rule("cases:close", _only(Relation.OWNER), "the case's owner"),
    Action.REOPEN: Rule(
        "cases:reopen", _only(Relation.SOURCE, Relation.OWNER), "the case's source or its owner"
    ),
    Action.ATTACH: Rule("attachments:write", None, "any agency, for what it will write itself"),
}
"""The whole policy. A new action is a row here; a new relation a member of `Relation` and its cells here."""

_ALLOWED: Final = {reading: Verdict(Outcome.ALLOWED, reading) for reading in Reading}
_NOT_FOUND: Final = Verdict(Outcome.NOT_FOUND, Reading.NONE)


def reading_of(relations: frozenset[str]) -> Reading:
    """How much an agency with these relations may see of the case."""
    if relations & WHOLE_READERS:
        return Reading.WHOLE
    return Reading.FROZEN if Relation.FORMER in relations else Reading.NONE


def decide(action: Action | str, relations: frozenset[str], scopes: frozenset[str]) -> Verdict:
    """Whether an agency that is `relations` to the case, with a token of `scopes`, may do `action`.

    Existence comes before rights (CONTRACT's order 404, then 403): who neither may see the case nor do
    the action learns nothing, whatever its scopes. An unknown action raises `ValueError`.
    """
    rule = TABLE[Action(action)]
    reading = reading_of(relations)
    if rule.relations is not None and reading is Reading.NONE and not relations & rule.relations:
        return _NOT_FOUND
    if rule.scope not in scopes:
        detail = f"The access token lacks the scope {rule.scope}, which the action '{action}' needs."
        return Verdict(Outcome.FORBIDDEN, reading, detail, rule.scope)
    if rule.relations is not None and not relations & rule.relations:
        return Verdict(Outcome.FORBIDDEN, reading, f"The action '{action}' is for {rule.sentence} alone.")
    return _ALLOWED[reading]


def permitted(relations: frozenset[str], scopes: frozenset[str]) -> frozenset[str]:
    """Every action that `decide` allows; with what the state makes possible, the case's `actions`."""
    return frozenset(action.value for action in TABLE if decide(action, relations, scopes).allowed)


def policy_table_markdown() -> str:
    """The documentation's table, generated: a cell is yes, frozen (as it stood then), 403 or 404."""
    columns: list[Relation | None] = [*Relation, None]
    head = " | ".join(["action", "scope", *(column or "none" for column in columns)])
    lines = [f"| {head} |", "|" + "---|" * (len(columns) + 2)]
    for action, rule in TABLE.items():
        cells = " | ".join(_cell(action, rule, column) for column in columns)
        lines.append(f"| {action} | `{rule.scope}` | {cells} |")
    legend = [f"- **{relation}**: {sentence}." for relation, sentence in RELATIONS.items()]
    return "\n".join([*lines, "", *legend]) + "\n"


def _cell(action: Action, rule: Rule, relation: Relation | None) -> str:
    verdict = decide(action, frozenset([relation] if relation else []), frozenset([rule.scope]))
    if not verdict.allowed:
        return "404" if verdict.outcome is Outcome.NOT_FOUND else "403"
    reads = action in (Action.READ, Action.HISTORY)
    return "frozen" if reads and verdict.reading is Reading.FROZEN else "yes"
