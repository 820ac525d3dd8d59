"""Every act on a case that a body asks for, in one table: which schema it fits, which words in it are an
officer's, and the command that it becomes. HTTP routes and inbound records go through the same rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from hub.domain.commands import (
    Accept,
    Advise,
    Answer,
    CaseCommand,
    Close,
    ConfirmErasure,
    Consult,
    Erase,
    Escalate,
    Forward,
    Link,
    Progress,
    Recipient,
    Reconsider,
    Reopen,
    Reply,
    Return,
    Unlink,
    Verify,
    Withdraw,
)
from hub.errors import Invalid
from hub.service.ids import Ids, uuid_of
from schemas.registry import Registry as Schemas

Body = dict[str, Any]


def check_schema(schemas: Schemas, name: str, document: Any) -> None:
    """422 with every flaw."""
    flaws = [(flaw.pointer, flaw.detail) for flaw in schemas.validate(name, document)]
    if flaws:
        raise Invalid(f"The body has {len(flaws)} flaw(s); each is named below.", flaws=flaws)


@dataclass(frozen=True, slots=True)
class Act:
    """`action` as the policy names it; `target` what the path (or the record's subject) names; `texts` the
    members that hold an officer's words, masked before `command` sees them."""

    action: str
    schema: str
    target: Literal["case", "forwarding", "consultation"]
    texts: tuple[str, ...]
    command: Callable[[str, str, Body, Ids], CaseCommand]
    """(case id, id of the forwarding or consultation or "", body that fits the schema, ids) -> command. Its
    words stand in members of the same names, those of files in `names`."""
    may_be_empty: bool = False
    masked_late: bool = True
    """Short words may be masked in the transaction (`words.py`). What is said of an erasure is not sealed,
    and masked by a stricter rule."""


def attached(body: Body) -> tuple[tuple[dict[str, Any], ...], tuple[str, ...]]:
    """Of a body's files what is clear, and apart from it their names, which are text."""
    files = body.get("attachments") or []
    clear = tuple({name: file[name] for name in ("sha256", "media_type", "size")} for file in files)
    return clear, tuple(file["name"] for file in files)


def words_of(body: Body, members: Sequence[str]) -> list[str]:
    """What an officer wrote in the named members (texts, or lists of them) and in the names of the files."""
    words: list[str] = []
    for name in members:
        given = body.get(name)
        words += given if isinstance(given, list) else [] if given is None else [given]
    return [*words, *(file["name"] for file in body.get("attachments") or ())]


def with_words(body: Body, members: Sequence[str], words: Sequence[str]) -> Body:
    """The body with these in their places, in the order of `words_of`."""
    left, made = iter(words), dict(body)
    for name in members:
        given = body.get(name)
        if isinstance(given, list):
            made[name] = [next(left) for _ in given]
        elif given is not None:
            made[name] = next(left)
    if body.get("attachments"):
        made["attachments"] = [file | {"name": next(left)} for file in body["attachments"]]
    return made


def _forward(case_id: str, _: str, body: Body, ids: Ids) -> Forward:
    to = tuple(Recipient(ids.new(), leg["agency"], leg["role"]) for leg in body["to"])
    return Forward(case_id, to, body.get("note"))


def _return(case_id: str, leg_id: str, body: Body, _: Ids) -> Return:
    return Return(case_id, leg_id, body["reason"], body.get("text"), body.get("suggested_agency"))


def _answer(case_id: str, leg_id: str, body: Body, _: Ids) -> Answer:
    attachments, names = attached(body)
    return Answer(case_id, leg_id, body["text"], attachments, names)


def _verdict(case_id: str, consultation_id: str, body: Body, _: Ids) -> Advise:
    return Advise(case_id, consultation_id, body["verdict"], body.get("suggested_agency"), body.get("text"))


ACTS: Final[dict[str, Act]] = {
    "verification": Act(
        "verify", "verification", "case", ("reason",),
        lambda case, leg, body, ids: Verify(case, body["decision"], body.get("reason")),
    ),
    "consultation": Act(
        "consult", "consultation-request", "case", ("question",),
        lambda case, leg, body, ids: Consult(case, ids.new(), body["agency"], body["question"]),
    ),
    "verdict": Act("advise", "verdict", "consultation", ("text",), _verdict),
    "forwarding": Act("forward", "forwarding-request", "case", ("note",), _forward),
    "closure": Act(
        "close", "closure", "case", ("text",),
        lambda case, leg, body, ids: Close(case, body["reason"], body.get("text")),
    ),
    "reopening": Act(
        "reopen", "reopening", "case", ("reason",),
        lambda case, leg, body, ids: Reopen(case, body["reason"]),
    ),
    "reply": Act(
        "reply", "reply", "case", ("text",),
        lambda case, leg, body, ids: Reply(case, body["text"]),
    ),
    "link": Act(
        "link", "link", "case", (),
        lambda case, leg, body, ids: Link(case, uuid_of(body["case"]) or body["case"], body["relation"]),
    ),
    "link_removal": Act(
        "link", "link-removal", "case", (),
        lambda case, leg, body, ids: Unlink(case, uuid_of(body["case"]) or body["case"]),
    ),
    "escalation": Act(
        "escalate", "escalation", "case", ("reason",),
        lambda case, leg, body, ids: Escalate(case, body["reason"]),
    ),
    "erasure": Act(
        "erase", "erasure", "case", ("reason",),
        lambda case, leg, body, ids: Erase(case, body["reason"]),
        masked_late=False,
    ),
    "erasure_receipt": Act(
        "confirm_erasure", "erasure-receipt", "case", (),
        lambda case, leg, body, ids: ConfirmErasure(case),
        may_be_empty=True,
    ),
    "acceptance": Act(
        "accept", "acceptance", "forwarding", (),
        lambda case, leg, body, ids: Accept(case, leg),
        may_be_empty=True,
    ),
    "return": Act("return", "return", "forwarding", ("text",), _return),
    "progress": Act(
        "progress", "progress", "forwarding", ("text",),
        lambda case, leg, body, ids: Progress(case, leg, body["text"]),
    ),
    "answer": Act("answer", "answer", "forwarding", ("text",), _answer),
    "withdrawal": Act(
        "withdraw", "withdrawal", "forwarding", ("reason",),
        lambda case, leg, body, ids: Withdraw(case, leg, body["reason"]),
    ),
    "reconsideration": Act(
        "reconsider", "reconsideration", "forwarding", ("reason",),
        lambda case, leg, body, ids: Reconsider(case, leg, body["reason"]),
    ),
}  # fmt: skip
"""By the last word of the route, in the singular. Where that names another act already, more is said:
`verdict` answers a consultation (`answer` a forwarding), `link_removal` undoes a link, `erasure_receipt` says
that an erasure was followed. The acts on threads keep the same rule (`thread_acts.py`)."""
