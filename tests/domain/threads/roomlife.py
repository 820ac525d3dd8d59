"""A life of a thread: commands with what must become of them, messages, and who comes and goes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from hypothesis.stateful import RuleBasedStateMachine

from hub.domain.threads.commands import (
    AddParticipant,
    Conclude,
    EditMessage,
    MakeCommitment,
    PostMessage,
    RemoveParticipant,
    ReopenThread,
    WithdrawMessage,
)
from hub.errors import Forbidden, Invalid, NotFound, Problem, StateConflict
from tests.domain.casework import uuid
from tests.domain.threads.roomrights import Note, Rights
from tests.domain.threads.roomwatch import Watch, told_to_the_right_ones
from tests.domain.threads.roomwork import (
    BALAI,
    BANJAR,
    BRIDGE,
    FLOOD,
    GONE,
    KOTIM,
    OFFICERS,
    ORPHAN,
    OUTSIDE,
    PAPUA,
    PUPR,
    SPARE,
    THREAD_ID,
    Roomwork,
)

STARTS = ("2025-03-14T02:26:53Z", "2025-03-14T09:30:00Z", "2025-03-25T08:30:00Z", "2025-03-27T23:00:00Z")
"""A Friday morning; its evening; an eve of one agency's own day off; the Friday on which Lebaran's leave
begins, still Thursday in UTC."""
SPANS = ({"minutes": 7}, {"hours": 5}, {"hours": 11}, {"days": 1}, {"days": 3}, {"weeks": 1})
PLAYERS = (KOTIM, PUPR, BALAI, PAPUA, BANJAR)
OPENINGS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    (KOTIM, (FLOOD,), (PUPR, BALAI)),
    (BALAI, (FLOOD, BRIDGE), (KOTIM, BANJAR, PUPR)),
    (KOTIM, (FLOOD, BRIDGE), (PAPUA, PUPR, BALAI)),
    (BALAI, (ORPHAN, FLOOD), (PAPUA, KOTIM)),
)
"""Who opens it, over which cases, with whom."""
TAKING_PART = {FLOOD: {KOTIM, PUPR, BALAI, SPARE, PAPUA}, BRIDGE: {BANJAR, PUPR, BALAI, KOTIM, SPARE},
               ORPHAN: {KOTIM, BALAI, PAPUA}}  # fmt: skip
SOURCES = {FLOOD: KOTIM, BRIDGE: BANJAR, ORPHAN: GONE}
FILES = tuple(f"{number:064x}" for number in (1, 2, 3))
NOWHERE = uuid(0xDEAD)
ACCOUNTS = {agency: account for account, agency in OFFICERS.items()}


class Life(RuleBasedStateMachine):
    """What the rights say is done to `work`, and looked at after each step."""

    work: Roomwork
    watch: Watch
    rights: Rights
    cases: tuple[str, ...]
    open: bool
    numbers: Iterator[int]
    words: Iterator[int]

    def word(self) -> str:
        return f"kata-{next(self.words)}."

    def uuid(self) -> str:
        return uuid(next(self.numbers))

    # --- every command: what must become of it, and what did ------------------------------------------

    def attempt(self, command: Any, actor: str, refused: type[Problem] | None) -> list[Any]:
        """The facts, [] when it was refused, as it must be."""
        count, before = len(self.work.log), orjson.dumps([self.work.thread, self.work.messages])
        try:
            facts = self.work.act(command, actor)
        except Problem as problem:
            assert type(problem) is refused, (command, problem.detail, refused)
            assert len(self.work.log) == count
            assert orjson.dumps([self.work.thread, self.work.messages]) == before
            if isinstance(problem, StateConflict):
                self.possible_is_possible(problem, actor)
            if isinstance(problem, Invalid):
                assert problem.flaws and all(pointer.startswith("/") for pointer, _ in problem.flaws)
            return []
        assert refused is None, (command, "should have been refused", refused)
        assert len(facts) == 1 and facts[0].actor == actor
        return facts

    def seen(self, facts: list[Any], said: int = 1) -> None:
        """After the rights know of it."""
        for place in range(len(facts)):
            fact, texts = self.work.log[place - len(facts)]
            told_to_the_right_ones(self.work, self.rights, fact, texts, late=len(facts) > said)
        self.watch.look(self.work, self.rights, facts)

    def possible_is_possible(self, problem: StateConflict, actor: str) -> None:
        """It names the state, and what it names can be done by whom it is told."""
        assert problem.extra["state"] == ("open" if self.open else "concluded") == self.work.state.status
        assert problem.extra["version"] == self.work.state.version
        way = {
            "post": PostMessage(THREAD_ID, NOWHERE, "x", "agencies"),
            "commit": MakeCommitment(THREAD_ID, NOWHERE, actor, "x", "2026-03-02"),
            "conclude": Conclude(THREAD_ID, "x", despite_open_commitments=True),
            "invite": AddParticipant(
                THREAD_ID, self.cases, BALAI if BALAI not in self.rights.here else self.unasked(), "all"
            ),
            "leave": RemoveParticipant(THREAD_ID, self.cases, actor),
            "reopen": ReopenThread(THREAD_ID),
        }
        assert problem.extra["possible"]
        for name in problem.extra["possible"]:
            assert self.work.drafts(way[name], actor), name

    def unasked(self) -> str:
        """Somebody who could be invited still; SPARE never is."""
        could = set().union(*(TAKING_PART[case] for case in self.cases)) - self.rights.here
        return min(could)

    # --- messages -------------------------------------------------------------------------------------

    def post(self, actor: str, pick: int) -> None:
        scope = ("agencies", "internal", "agencies", "reporter", "internal")[pick % 5]
        named = (self.cases[:1] if pick & 32 else ()) if scope == "reporter" else ()
        mentions, fit = self.mentioned(actor, scope, pick >> 6)
        carriers = {SOURCES[case] for case in named or self.cases} if scope == "reporter" else set()
        refused = None if fit else Invalid
        if fit and (not self.open or GONE in carriers):
            refused = StateConflict
        name, word, officer = self.uuid(), self.word(), self.word() if pick & 64 else None
        file = (FILES[pick % 3], self.word()) if pick & 128 else None
        attached = ({"sha256": file[0], "media_type": "image/png", "size": 9},) if file else ()
        command = PostMessage(THREAD_ID, name, word, scope, officer, None, mentions, named, attached,
                              (file[1],) if file else ())  # fmt: skip
        if facts := self.attempt(command, actor, refused):
            attribution = [officer] if officer else []
            self.rights.posted(name, Note(actor, scope, carriers, [word], attribution, file))
            self.seen(facts)

    def mentioned(self, actor: str, scope: str, pick: int) -> tuple[tuple[str, ...], bool]:
        """A mention, and whether it names somebody who would see the message."""
        if pick % 3:
            return (), True
        agency = (*PLAYERS, actor, actor, OUTSIDE)[pick // 3 % 8]
        mention = (agency, ACCOUNTS[agency], ACCOUNTS[agency], NOWHERE)[pick // 24 % 4]
        fit = mention != NOWHERE and agency in self.rights.here
        return (mention,), fit and (scope != "internal" or agency == actor)

    def own(self, actor: str, pick: int) -> str:
        """Mostly one's own first message, around which others came and went; sometimes any, or none."""
        own = [name for name, note in self.rights.notes.items() if note.author == actor]
        names = own[: 1 if pick & 128 else None] if own and pick % 5 else list(self.rights.notes)
        return names[pick // 5 % len(names)] if names and pick % 31 else NOWHERE

    def change(self, command: Any, actor: str) -> list[Any]:
        note, refused = self.rights.notes.get(command.message_id), None
        if note is None or not self.rights.knows(actor, command.message_id):
            refused = NotFound
        elif note.author != actor:
            refused = Forbidden
        elif not self.open or note.withdrawn:
            refused = StateConflict
        return self.attempt(command, actor, refused)

    def edit(self, actor: str, pick: int) -> None:
        self.reword(actor, self.own(actor, pick))

    def reword(self, actor: str, name: str) -> None:
        command = EditMessage(THREAD_ID, name, self.word())
        if facts := self.change(command, actor):
            self.rights.edited(command.message_id, command.text)
            self.seen(facts)

    def withdraw(self, actor: str, pick: int) -> None:
        command = WithdrawMessage(THREAD_ID, self.own(actor, pick))
        if facts := self.change(command, actor):
            self.rights.withdrawn(command.message_id)
            self.seen(facts)

    # --- who comes and goes ---------------------------------------------------------------------------

    def come_and_go(self, actor: str, pick: int) -> None:
        agency = (*PLAYERS, OUTSIDE, GONE)[pick // 2 % 7]
        away = [each for each in PLAYERS if each not in self.rights.here]
        if not pick % 3:
            self.go(actor, (actor, actor, agency)[pick // 14 % 3])
        else:
            self.come(actor, away[pick // 14 % len(away)] if away and pick // 14 % 3 else agency, pick)

    def absence(self, actor: str, pick: int) -> None:
        """Somebody goes and comes again, and a message is changed before and after that."""
        others, name = sorted(self.rights.here - {actor}), self.own(actor, pick)
        if others:
            agency = others[pick % len(others)]
            self.go(agency, agency)
            self.reword(actor, name)
            self.come(actor, agency, pick)
            self.reword(actor, name)

    def come(self, actor: str, agency: str, pick: int) -> None:
        history, officers = ("all", "from_now", "from_now")[pick // 28 % 3], (self.word(),)[: pick // 84 % 2]
        refused: type[Problem] | None = None
        if agency == GONE or not any(agency in TAKING_PART[case] for case in self.cases):
            refused = Invalid
        elif not self.open or agency in self.rights.here:
            refused = StateConflict
        command = AddParticipant(THREAD_ID, self.cases, agency, history, officers)
        if facts := self.attempt(command, actor, refused):
            self.rights.joined(agency, history, officers)
            self.seen(facts)

    def go(self, actor: str, agency: str) -> None:
        refused: type[Problem] | None = None
        if actor not in (agency, self.rights.opener):
            refused = Forbidden
        elif not self.open or agency not in self.rights.here or len(self.rights.here) == 1:
            refused = StateConflict
        if facts := self.attempt(RemoveParticipant(THREAD_ID, self.cases, agency), actor, refused):
            self.rights.left(agency)
            self.seen(facts)
