"""Who may do what: one table, role x action x relation to the case, and the scope that each action needs.

Sessions and access tokens go through the same rows: a machine client has the role `system`, and its scopes.
The state of the case is not asked here: whether something is possible now is the domain's answer (409).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from auth.roles import Role


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
    ABOVE = "above"
    """Stands above, in the hierarchy, an agency that takes part."""


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
    EVIDENCE = "evidence"
    IDENTITY = "identity"
    ERASE = "erase"
    CONFIRM_ERASURE = "confirm_erasure"
    ATTACH = "attach"
    THREAD = "thread"
    MAILBOX = "mailbox"
    STREAM = "stream"
    WEBHOOK = "webhook"
    DELIVERIES = "deliveries"
    REGISTER = "register"
    HANDOVER = "handover"


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
    the scope that the token lacks, when that is the reason, `wrong_role` says that the officer's role is."""

    outcome: Outcome
    reading: Reading
    detail: str = ""
    missing_scope: str | None = None
    wrong_role: bool = False

    @property
    def allowed(self) -> bool:
        return self.outcome is Outcome.ALLOWED


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may do an action: any of `relations` (None: no case is involved), by one of `roles`. A `system` may
    always, with the scope."""

    scope: str
    relations: frozenset[Relation] | None
    sentence: str
    roles: frozenset[Role]


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
    Relation.ABOVE,
)
READERS: Final = WHOLE_READERS | {Relation.FORMER}
COUNTS_FOR: Final = {Relation.ABOVE: frozenset({Role.MONITOR})}
"""Relations that are none for every other role."""

TO_WHOM: Final = "the agency that the case was forwarded to"
BY_WHOM: Final = "the agency that forwarded the case, or its owner"
HOLDERS: Final = "the case's owner, or an agency that handles it,"
REPORTERS: Final = "the case's source or its owner"

_COORDINATOR: Final = frozenset({Role.COORDINATOR})
_LIAISON: Final = frozenset({Role.LIAISON, Role.COORDINATOR})
_ADMINISTRATOR: Final = frozenset({Role.ADMINISTRATOR})
_PROVERS: Final = frozenset({Role.COORDINATOR, Role.ADMINISTRATOR, Role.OMBUDSMAN})
_KEEPERS: Final = frozenset({Role.COORDINATOR, Role.ADMINISTRATOR})
_REGISTRAR: Final = frozenset({Role.HUB_ADMINISTRATOR})
_HANDERS: Final = frozenset({Role.HUB_ADMINISTRATOR, Role.ADMINISTRATOR})
_EVERYBODY: Final = frozenset(Role) - {Role.SYSTEM}

TABLE: Final[dict[Action, Rule]] = {
    Action.SUBMIT: Rule("complaints:write", None, "any agency, in its own name", _COORDINATOR),
    Action.READ: Rule("cases:read", READERS, "an agency that takes part in the case, or did", _EVERYBODY),
    Action.HISTORY: Rule("cases:read", READERS, "an agency that takes part in the case, or did", _EVERYBODY),
    Action.VERIFY: Rule("cases:verify", _only(Relation.OWNER), "the case's owner", _COORDINATOR),
    Action.CONSULT: Rule("cases:consult", _only(Relation.OWNER), "the case's owner", _COORDINATOR),
    Action.ADVISE: Rule(
        "cases:consult", _only(Relation.CONSULTED), "the agency that was consulted", _LIAISON
    ),
    Action.FORWARD: Rule(
        "cases:forward",
        _only(Relation.OWNER, Relation.HANDLER, Relation.FORMER_OWNER),
        HOLDERS,
        _COORDINATOR,
    ),
    Action.ACCEPT: Rule("cases:handle", _only(Relation.HANDLER), TO_WHOM, _LIAISON),
    Action.RETURN: Rule("cases:handle", _only(Relation.HANDLER), TO_WHOM, _LIAISON),
    Action.PROGRESS: Rule("cases:handle", _only(Relation.HANDLER), TO_WHOM, _LIAISON),
    Action.ANSWER: Rule("cases:handle", _only(Relation.HANDLER), TO_WHOM, _LIAISON),
    Action.WITHDRAW: Rule("cases:forward", _only(Relation.SENDER, Relation.OWNER), BY_WHOM, _COORDINATOR),
    Action.RECONSIDER: Rule("cases:handle", _only(Relation.HANDLER), TO_WHOM, _LIAISON),
    Action.CLOSE: Rule("cases:close", _only(Relation.OWNER), "the case's owner", _COORDINATOR),
    Action.REOPEN: Rule("cases:reopen", _only(Relation.SOURCE, Relation.OWNER), REPORTERS, _COORDINATOR),
    Action.REPLY: Rule(
        "complaints:write",
        _only(Relation.SOURCE),
        "the case's source, for its reporter,",
        _COORDINATOR,
    ),
    Action.LINK: Rule("cases:forward", _only(Relation.OWNER, Relation.HANDLER), HOLDERS, _COORDINATOR),
    Action.ESCALATE: Rule("cases:reopen", _only(Relation.SOURCE, Relation.OWNER), REPORTERS, _COORDINATOR),
    Action.EVIDENCE: Rule(
        "evidence:read", READERS - {Relation.ABOVE}, "an agency that takes part in the case, or did", _PROVERS
    ),
    Action.IDENTITY: Rule("reporter:read", _only(Relation.SOURCE, Relation.OWNER), REPORTERS, _COORDINATOR),
    Action.ERASE: Rule("reporter:erase", _only(Relation.SOURCE, Relation.OWNER), REPORTERS, _COORDINATOR),
    Action.CONFIRM_ERASURE: Rule(
        "cases:handle", READERS - {Relation.ABOVE}, "an agency that received the case", _KEEPERS
    ),
    Action.ATTACH: Rule("attachments:write", None, "any agency, for what it will write itself", _LIAISON),
    Action.THREAD: Rule("threads:write", None, "any agency, in threads in which it takes part", _LIAISON),
    Action.MAILBOX: Rule("mailbox:read", None, "any agency, its own", _ADMINISTRATOR),
    Action.STREAM: Rule("stream:read", None, "any agency, its own", _EVERYBODY),
    Action.WEBHOOK: Rule("webhook:write", None, "any agency, its own", _ADMINISTRATOR),
    Action.DELIVERIES: Rule("deliveries:write", None, "any agency, its own", _ADMINISTRATOR),
    Action.REGISTER: Rule("agencies:write", None, "who looks after the hub", _REGISTRAR),
    Action.HANDOVER: Rule("agencies:write", None, "who looks after the hub, or after that agency", _HANDERS),
}
"""The whole policy. A new action is a row here; a new relation a member of `Relation` and its cells here."""

OFFICERS_NAMED: Final = {
    Role.HUB_ADMINISTRATOR: READERS - {Relation.ABOVE},
    Role.OMBUDSMAN: _only(Relation.OVERSEER),
}
"""To whom the officers of others are named in a history: a person who asks on behalf of the hub or of
oversight, where the table lets that person read the case. No machine client, and nobody above: an agency
answers to these for itself, and names whom it sees fit."""

SAID: Final = {
    Action.ADVISE: "answer the consultation",
    Action.RECONSIDER: "ask to reconsider",
    Action.IDENTITY: "read the identity",
    Action.CONFIRM_ERASURE: "confirm an erasure",
}
"""Actions whose name in the table is no officer's word."""

_ALLOWED: Final = {reading: Verdict(Outcome.ALLOWED, reading) for reading in Reading}
_ALL: Final = frozenset(Role)
_NOT_FOUND: Final = Verdict(Outcome.NOT_FOUND, Reading.NONE)


def allowed(role: Role, action: Action, relation: Relation | None) -> bool:
    """One cell of the table, scopes apart. `relation` None: the agency is nothing to the case."""
    rule = TABLE[action]
    if role is not Role.SYSTEM and role not in rule.roles:
        return False
    if rule.relations is None:
        return True
    return relation in rule.relations and role in COUNTS_FOR.get(relation, _ALL)


def sees_officers(role: Role, relations: frozenset[str]) -> bool:
    """Whether the history of a case names the officers of other agencies to this reader, once it may be read
    at all. Every agency is named its own."""
    return bool(relations & OFFICERS_NAMED.get(role, frozenset()))


def scopes_of(role: Role) -> frozenset[str]:
    """What an officer's session may ask for: the scope of each action that the role may do."""
    return frozenset(rule.scope for rule in TABLE.values() if role in rule.roles)


def may(role: Role, action: str) -> bool:
    """Whether the role may do the action at all, whatever its agency is to the case."""
    return role is Role.SYSTEM or role in TABLE[Action(action)].roles


def reading_of(relations: frozenset[str]) -> Reading:
    """How much an agency with these relations may see of the case."""
    if relations & WHOLE_READERS:
        return Reading.WHOLE
    return Reading.FROZEN if Relation.FORMER in relations else Reading.NONE


def decide(
    action: Action | str, relations: frozenset[str], scopes: frozenset[str], role: Role = Role.SYSTEM
) -> Verdict:
    """Whether an agency that is `relations` to the case, by a token of `scopes` or an officer of that `role`,
    may do `action`.

    Existence comes before rights (404, then 403): who neither may see the case nor do
    the action learns nothing, whatever its scopes. An unknown action raises `ValueError`.
    """
    rule = TABLE[Action(action)]
    counting = _counting(relations, role)
    reading = reading_of(counting)
    if rule.relations is not None and reading is Reading.NONE and not counting & rule.relations:
        return _NOT_FOUND
    said = SAID.get(Action(action), str(action))
    if role is not Role.SYSTEM and role not in rule.roles:
        return Verdict(Outcome.FORBIDDEN, reading, role_sentence(role, said), wrong_role=True)
    if rule.scope not in scopes:
        detail = f"The access token lacks the scope {rule.scope}, which the action '{said}' needs."
        return Verdict(Outcome.FORBIDDEN, reading, detail, rule.scope)
    if rule.relations is not None and not counting & rule.relations:
        return Verdict(Outcome.FORBIDDEN, reading, f"The action '{said}' is for {rule.sentence} alone.")
    return _ALLOWED[reading]


def _counting(relations: frozenset[str], role: Role) -> frozenset[str]:
    """Without the relations that are none for this role."""
    for relation, roles in COUNTS_FOR.items():
        if relation in relations and role not in roles:
            relations = relations - {relation}
    return relations


def role_sentence(role: Role, said: str) -> str:
    """Why an officer is refused what the agency itself may do."""
    return (
        f"Your role, {role}, does not allow '{said}'; whoever runs the hub can give you another "
        "(`simpul officer role`)."
    )
