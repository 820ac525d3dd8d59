"""Every act on a coordination thread that a body asks for, in one table, as `acts.py` has those on cases.
HTTP routes and inbound records go through the same rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from auth.principal import Principal
from hub.domain.threads.commands import (
    AddParticipant,
    ChangeCommitment,
    Conclude,
    EditMessage,
    FulfilCommitment,
    MakeCommitment,
    OpenThread,
    PostMessage,
    RemoveParticipant,
    ReopenThread,
    ThreadCommand,
    WithdrawMessage,
)
from hub.domain.threads.thread import ALL, Thread
from hub.errors import NotFound
from hub.service.acts import Body, attached, with_words, words_of
from hub.service.ids import Ids, uuid_of
from hub.service.thread_reading import ThreadReading


@dataclass(frozen=True, slots=True)
class Named:
    """What an act is about: `id` as the path (or the record's subject) has it, and the thread that it is or
    belongs to."""

    id: str
    thread: Thread

    @property
    def thread_id(self) -> str:
        return self.thread.state.id

    @property
    def cases(self) -> tuple[str, ...]:
        return tuple(self.thread.state.cases)


@dataclass(frozen=True, slots=True)
class ThreadAct:
    """`target`: what the path (or the record's subject) names; `texts` the members that hold an officer's
    words, masked before `command` sees them."""

    schema: str
    target: Literal["thread", "message", "commitment"]
    texts: tuple[str, ...]
    command: Callable[[Named, Body, Principal, Ids], ThreadCommand]
    """(what is named, masked body that fits the schema, by whom, ids) -> command."""
    may_be_empty: bool = False


OPENING: Final = "thread"
"""The one act on no thread that is there: `opened` makes its command."""
READING: Final = "read"
"""The one act that is no event: `ThreadReading.mark`."""
OPENING_TEXTS: Final = ("subject",)


def opened(body: Body, ids: Ids) -> OpenThread:
    """Of a `thread-request` whose subject is masked."""
    return OpenThread(ids.new(), body["subject"], cases_of(body), tuple(body.get("participants", ())))


def cases_of(body: Body) -> tuple[str, ...]:
    """The cases that a body names, each id in its one form."""
    return _ids(body.get("cases", ()))


def _ids(given: Sequence[str]) -> tuple[str, ...]:
    return tuple(uuid_of(name) or name for name in given)


def message_of(
    thread_id: str, body: Body, officer: str | None, officer_id: str | None, ids: Ids
) -> PostMessage:
    """Of a `message-request`. `officer`: the name it is signed with; `officer_id`: whose session wrote it."""
    files, names = attached(body)
    return PostMessage(
        thread_id,
        ids.new(),
        body["text"],
        body["scope"],
        officer,
        officer_id,
        _ids(body.get("mentions", ())),
        cases_of(body),
        files,
        names,
    )


def _post(named: Named, body: Body, principal: Principal, ids: Ids) -> PostMessage:
    return message_of(named.thread_id, body, body.get("officer"), principal.officer, ids)


def _invite(named: Named, body: Body, _: Principal, __: Ids) -> AddParticipant:
    officers = tuple(body.get("officers", ()))
    return AddParticipant(named.thread_id, named.cases, body["agency"], body.get("history", ALL), officers)


def _leave(named: Named, body: Body, _: Principal, __: Ids) -> RemoveParticipant:
    if named.thread.state.participant(body["agency"]) is None:
        raise NotFound("This agency takes no part in the thread.")
    return RemoveParticipant(named.thread_id, named.cases, body["agency"])


def _promise(named: Named, body: Body, _: Principal, ids: Ids) -> MakeCommitment:
    officer = body.get("officer")
    return MakeCommitment(named.thread_id, ids.new(), body["agency"], body["text"], body["due_on"], officer)


def _postpone(named: Named, body: Body, _: Principal, __: Ids) -> ChangeCommitment:
    return ChangeCommitment(named.thread_id, named.id, body["due_on"], body["reason"])


def _conclude(named: Named, body: Body, _: Principal, __: Ids) -> Conclude:
    return Conclude(named.thread_id, body["text"], body.get("despite_open_commitments", False))


THREAD_ACTS: Final[dict[str, ThreadAct]] = {
    "message": ThreadAct("message-request", "thread", ("text", "officer"), _post),
    "message_change": ThreadAct(
        "message-change", "message", ("text",),
        lambda named, body, principal, ids: EditMessage(named.thread_id, named.id, body["text"]),
    ),
    "message_withdrawal": ThreadAct(
        "message-withdrawal", "message", (),
        lambda named, body, principal, ids: WithdrawMessage(named.thread_id, named.id),
        may_be_empty=True,
    ),
    "participant": ThreadAct("participant-request", "thread", ("officers",), _invite),
    "participant_removal": ThreadAct("participant-removal", "thread", (), _leave),
    "commitment": ThreadAct("commitment-request", "thread", ("text", "officer"), _promise),
    "commitment_change": ThreadAct("commitment-change", "commitment", ("reason",), _postpone),
    "fulfilment": ThreadAct(
        "fulfilment", "commitment", ("text",),
        lambda named, body, principal, ids: FulfilCommitment(named.thread_id, named.id, body["text"]),
    ),
    "conclusion": ThreadAct("conclusion", "thread", ("text",), _conclude),
    "thread_reopening": ThreadAct(
        "thread-reopening", "thread", (),
        lambda named, body, principal, ids: ReopenThread(named.thread_id),
        may_be_empty=True,
    ),
}  # fmt: skip
"""By the last word of the route, in the singular. Where that names another act already, more is said: what of
a message or a commitment, who leaves; `reopening` alone is a case's."""

SCHEMAS: Final = (
    {OPENING: "thread-request"}
    | {name: act.schema for name, act in THREAD_ACTS.items()}
    | {READING: "read-mark"}
)
"""Of the body of each, the two that are no row among them."""


async def named_in(
    threads: ThreadReading, principal: Principal, act: ThreadAct, target: str, key: bytes | None
) -> Named:
    """What the act is about, for who may do it: 404, 403. `key`: under what it would be remembered; what took
    effect under it before is answered again."""
    find = {
        "thread": threads.check,
        "message": threads.thread_of_message,
        "commitment": threads.thread_of_commitment,
    }[act.target]
    return Named(target, await find(principal, target, key))


async def command_of(
    threads: ThreadReading, principal: Principal, act: ThreadAct, named: Named, body: Body, ids: Ids
) -> tuple[ThreadCommand, list[str]]:
    """The command that a body which fits becomes, its words masked; and the kinds of what was masked."""
    words, kinds = words_of(body, act.texts), list[str]()
    if words:
        words, kinds = await threads.masked(principal, named.cases, words)
    return act.command(named, with_words(body, act.texts, words), principal, ids), kinds


async def opening_of(
    threads: ThreadReading, principal: Principal, body: Body, ids: Ids
) -> tuple[OpenThread, list[str]]:
    """The same for a `thread-request`; no identity is opened of a case that the agency does not see."""
    words, kinds = await threads.masked(principal, cases_of(body), words_of(body, OPENING_TEXTS))
    return opened(with_words(body, OPENING_TEXTS, words), ids), kinds
