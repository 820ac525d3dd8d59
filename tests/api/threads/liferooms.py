"""One life: two threads over three cases, and what agencies may try there through the API. What must become
of each request is told from the rules of tests/domain/threads/roomrights.py; what these do not allow must be
refused, with that status."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import orjson

from hub.ports.clock import rfc3339
from tests.api.checking import Reply
from tests.api.conftest import complaint
from tests.api.threads.lifehouse import (
    APP,
    BESIDE,
    EVERYONE,
    PLAYERS,
    RIVER,
    ROADS,
    STRANGER,
    UNIT,
    Lifehouse,
    said,
)
from tests.domain.threads.roomrights import Note, Rights, words_in

CASES = ("A", "B", "C")
SOURCES = {"A": APP, "B": UNIT, "C": APP}
TAKING_PART = {"A": {APP, ROADS, RIVER, BESIDE}, "B": {UNIT, RIVER, APP}, "C": {APP, UNIT}}
HOLDING = TAKING_PART | {"B": {UNIT, RIVER}}
"""Without who was only asked."""
OPENINGS = (
    (APP, "AB", (RIVER, ROADS)),
    (RIVER, "AB", (APP, UNIT)),
    (UNIT, "BC", (APP,)),
    (APP, "C", (UNIT,)),
    (APP, "BAC", (ROADS, UNIT, RIVER)),
)
NOWHERE = "0197d2a4-6f3e-7c21-9b0a-3f5f0c6f8a11"
WORDS = itertools.count(1)


def word() -> str:
    return f"kata-{next(WORDS)}."


@dataclass
class Room:
    id: str
    cases: str
    rights: Rights
    ever: dict[str, set[str]] = field(default_factory=dict)
    """agency -> every word that it was ever allowed to read."""
    told: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(agency, type) -> the events that it must have been told."""
    common: set[str] = field(default_factory=set)
    """Every word that stood on the thread's own page for all, such as a conclusion before a reopening."""
    open: bool = True
    been: set[str] = field(default_factory=set)

    def page(self, agency: str) -> set[str]:
        return self.rights.page(agency) if agency in self.been else set()

    def gone(self, agency: str) -> set[str]:
        """Words of messages that were taken back from it."""
        notes = [note for note in self.rights.notes.values() if note.withdrawn and note.author != agency]
        return {each for note in notes for each in (*note.words, *([note.file[1]] if note.file else []))}

    def note(self, *happened: tuple[str, dict[str, Any]]) -> None:
        """After the rights know of it: who was told, and who may read what from now on."""
        self.been |= self.rights.here
        self.common.update(*self.rights.officers.values(), {self.rights.conclusion or self.rights.subject})
        for kind, data in happened:
            self.told.update((agency, kind) for agency in self.rights.readers(kind, data))
        for agency in EVERYONE:
            words = self.page(agency)
            for note in self.rights.notes.values():
                if agency in note.carriers and not note.withdrawn:
                    words = words.union(note.words, note.attribution, [note.file[1]] if note.file else [])
            self.ever.setdefault(agency, set()).update(words)


@dataclass
class Life:
    home: Lifehouse
    chance: Random
    cases: dict[str, str] = field(default_factory=dict)
    rooms: list[Room] = field(default_factory=list)
    uploaded: set[tuple[str, str]] = field(default_factory=set)
    keyed: list[tuple[str, str, str, Any, str, int, Room]] = field(default_factory=list)
    keys: Iterator[int] = field(default_factory=itertools.count)
    refused: Counter[int] = field(default_factory=Counter)

    # --- the world ------------------------------------------------------------------------------------

    async def begin(self) -> None:
        for name in CASES:
            app = self.home.by(SOURCES[name])
            stamp = rfc3339(self.home.clock.now() - timedelta(hours=1))
            made = await app.post("/v1/complaints", complaint(app.agency, submitted_at=stamp))
            assert made.status == 201, made.text
            case = self.cases[name] = made.json["id"]
            await self.must(app, f"/v1/cases/{case}/verification", {"decision": "accept"}, 200)
            first, *others = sorted(TAKING_PART[name] - {app.agency} - ({APP} if name == "B" else set()))
            to = [{"agency": first, "role": "lead"}, *({"agency": a, "role": "support"} for a in others)]
            await self.must(app, f"/v1/cases/{case}/forwardings", {"to": to}, 201)
        asked = {"agency": APP, "question": "Apakah ini wewenang kabupaten?"}
        await self.must(self.home.by(UNIT), f"/v1/cases/{self.cases['B']}/consultations", asked, 201)
        for opening in self.chance.sample(OPENINGS, 2):
            await self.open(*opening)

    async def must(self, by: Any, path: str, body: Any, status: int) -> Reply:
        reply: Reply = await by.post(path, body)
        assert reply.status == status, reply.text
        return reply

    async def open(self, opener: str, cases: str, others: tuple[str, ...]) -> None:
        subject = word()
        body = {"subject": subject, "cases": [self.cases[c] for c in cases], "participants": list(others)}
        reply = await self.must(self.home.by(opener), "/v1/threads", body, 201)
        room = Room(reply.json["id"], cases, Rights(opener, subject, {opener, *others}))
        self.rooms.append(room)
        room.note(("opened", {}))

    async def step(self) -> None:
        self.home.clock.moment += timedelta(milliseconds=self.chance.randrange(1, 3000))
        room = self.chance.choice(self.rooms)
        actor = self.chance.choice((*sorted(room.rights.here) * 4, *EVERYONE))
        often = (self.post, self.post, self.post, self.edit, self.edit, self.come, self.come, self.go)
        ways = (*often, *often, self.withdraw, self.promise, self.promise, self.move, self.keep, self.end,
                self.mark, self.again, self.again, self.stray)  # fmt: skip
        way = self.end if not room.open and self.chance.random() < 0.3 else self.chance.choice(ways)
        await way(room, actor)

    async def send(self, room: Room, actor: str, method: str, path: str, body: Any, status: int) -> Reply:
        """The request, sometimes with a key; no answer tells more than its reader may read or wrote."""
        key = f"kunci-{next(self.keys)}" if self.chance.random() < 0.4 else None
        headers = {"Idempotency-Key": key} if key else {}
        reply = await self.home.by(actor).send(method, path, body, headers=headers)
        assert reply.status == status, (actor, method, path, body, reply.text, status)
        if key and status < 300 and not path.endswith("/reads"):
            self.keyed.append((actor, method, path, body, key, status, room))
        if status >= 300:
            self.refused[status] += 1
            self.quiet(room, actor, reply, body)
        return reply

    def quiet(self, room: Room, actor: str, reply: Reply, body: Any = None) -> None:
        own = words_in(orjson.dumps(body))
        assert said(reply) <= room.page(actor) | own, (actor, reply.text)

    def outside(self, room: Room, actor: str) -> int | None:
        """What an agency that takes no part is told."""
        if actor in room.rights.here:
            return None
        return 403 if actor in room.been else 404

    # --- messages -------------------------------------------------------------------------------------

    async def post(self, room: Room, actor: str) -> None:
        pick = self.chance
        scope, words = pick.choice(("agencies", "agencies", "internal", "reporter")), [word()]
        named = room.cases[:1] if scope == "reporter" and pick.random() < 0.4 else ""
        carriers = {SOURCES[c] for c in named or room.cases} if scope == "reporter" else set()
        body: dict[str, Any] = {"text": words[0], "scope": scope}
        if named:
            body["cases"] = [self.cases[c] for c in named]
        if pick.random() < 0.3:
            body["officer"] = word()
        file = await self.file(actor) if pick.random() < 0.3 else None
        if file:
            body["attachments"] = [file]
        bad = self.mention(room, actor, scope, body)
        status = self.outside(room, actor) or (422 if bad else None) or (201 if room.open else 409)
        reply = await self.send(room, actor, "POST", f"/v1/threads/{room.id}/messages", body, status)
        if status == 201:
            officer = [body["officer"]] if "officer" in body else []
            named_file = (file["sha256"], file["name"]) if file else None
            note = Note(actor, scope, carriers, words, officer, named_file)
            room.rights.posted(reply.json["id"], note)
            room.note(("message_posted", {"message": {"id": reply.json["id"]}}))
            self.quiet(room, actor, reply)

    def mention(self, room: Room, actor: str, scope: str, body: dict[str, Any]) -> bool:
        """Whether the mention that it may add names nobody who would see the message."""
        if self.chance.random() < 0.7:
            return False
        named = self.chance.choice((*PLAYERS, actor, actor, STRANGER, NOWHERE))
        body["mentions"] = [named]
        return named not in room.rights.here or (scope == "internal" and named != actor)

    async def file(self, agency: str) -> dict[str, Any]:
        """One of few contents, so that several agencies upload and name the same."""
        content = b"\x89PNG\r\n\x1a\n" + b"air %d %s" % (
            self.chance.randrange(3), self.cases["A"].encode())  # fmt: skip
        reply = await self.home.by(agency).post(
            "/v1/attachments", content, headers={"Content-Type": "image/png"}
        )
        assert reply.status == 201, reply.text
        self.uploaded.add((agency, reply.json["id"]))
        return {"sha256": reply.json["id"], "media_type": "image/png", "name": word(), "size": len(content)}

    def own(self, room: Room, actor: str) -> str:
        """Mostly one's own message; sometimes any, of the other thread, or none."""
        if self.chance.random() < 0.1:
            return self.chance.choice([NOWHERE, *(n for each in self.rooms for n in each.rights.notes)])
        mine = [name for name, note in room.rights.notes.items() if note.author == actor]
        return self.chance.choice(mine or list(room.rights.notes) or [NOWHERE])

    def changing(self, actor: str, name: str) -> tuple[Room, int]:
        room = next((each for each in self.rooms if name in each.rights.notes), self.rooms[0])
        note = room.rights.notes.get(name)
        if note is None or name not in room.rights.heard.get(actor, {}):
            return room, 404
        if actor not in room.rights.here or note.author != actor:
            return room, 403
        return room, 409 if note.withdrawn or not room.open else 200

    async def edit(self, room: Room, actor: str) -> None:
        name, text = self.own(room, actor), word()
        room, status = self.changing(actor, name)
        reply = await self.send(room, actor, "PATCH", f"/v1/messages/{name}", {"text": text}, status)
        if status == 200:
            room.rights.edited(name, text)
            room.note(("message_edited", {"message": {"id": name}}))
            self.quiet(room, actor, reply)

    async def withdraw(self, room: Room, actor: str) -> None:
        name = self.own(room, actor)
        room, status = self.changing(actor, name)
        reply = await self.send(room, actor, "DELETE", f"/v1/messages/{name}", None, status)
        if status == 200:
            room.rights.withdrawn(name)
            room.note(("message_withdrawn", {"message": {"id": name}}))
            self.quiet(room, actor, reply)

    async def mark(self, room: Room, actor: str) -> None:
        name = self.chance.choice([NOWHERE, *(n for each in self.rooms for n in each.rights.notes)])
        known = name in room.rights.heard.get(actor, {})
        path = f"/v1/threads/{room.id}/reads"
        reply = await self.send(room, actor, "POST", path, {"up_to": name}, 200 if known else 404)
        self.quiet(room, actor, reply)

    # --- who comes and goes ---------------------------------------------------------------------------

    async def come(self, room: Room, actor: str) -> None:
        away = [each for each in PLAYERS if each not in room.rights.here]
        agency = self.chance.choice(away or PLAYERS) if self.chance.random() < 0.85 else STRANGER
        body: dict[str, Any] = {"agency": agency, "history": self.chance.choice(("all", "from_now"))}
        if self.chance.random() < 0.3:
            body["officers"] = [word()]
        status = self.outside(room, actor) or (None if self.fits(room, agency) else 422)
        status = status or (200 if room.open and agency not in room.rights.here else 409)
        path = f"/v1/threads/{room.id}/participants"
        reply = await self.send(room, actor, "POST", path, body, status)
        if status == 200:
            room.rights.joined(agency, body["history"], body.get("officers", ()))
            if body["history"] == "all":
                room.ever[agency] = room.ever.get(agency, set()) | room.common
            room.note(("participant_added", {"participant": {"agency": agency}}))
            self.quiet(room, actor, reply)

    def fits(self, room: Room, agency: str) -> bool:
        return any(self.sees(agency, case) for case in room.cases)

    def sees(self, agency: str, case: str) -> bool:
        """Whoever is in a thread about the case with somebody who holds it takes part in it, too."""
        about = [each.rights.here for each in self.rooms if case in each.cases]
        return agency in TAKING_PART[case] or any(
            agency in here and not HOLDING[case].isdisjoint(here) for here in about
        )

    async def go(self, room: Room, actor: str) -> None:
        agency = actor if self.chance.random() < 0.7 else self.chance.choice((*PLAYERS, STRANGER))
        here, status = room.rights.here, self.outside(room, actor)
        if status is None and agency not in room.been:
            status = 404
        if status is None and actor not in (agency, room.rights.opener):
            status = 403
        status = status or (200 if room.open and agency in here and len(here) > 1 else 409)
        path = f"/v1/threads/{room.id}/participants/{agency}"
        reply = await self.send(room, actor, "DELETE", path, None, status)
        if status == 200:
            room.rights.left(agency)
            room.note(("participant_left", {"participant": {"agency": agency}}))
            self.quiet(room, actor, reply)
