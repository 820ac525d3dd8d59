"""Every route by which words of a thread could come to who may not read them, read by every agency, and held
to what the rights allow: exactly that where a page shows what stands, no more where it tells what was."""

from __future__ import annotations

import base64
from collections import Counter
from typing import Any

import orjson

from auth.evidence_signing import key_set
from hub.cli.verify import trust
from tests.api.checking import Reply
from tests.api.threads.lifehouse import EVERYONE, Lifehouse, said
from tests.api.threads.liferooms import Life, Room
from tests.domain.threads.roomrights import words_in

PREFIX = "id.simpul.thread."


class LifeWatch:
    """Looks with the eyes of one agency after the other."""

    def __init__(self, life: Life, rooms: list[Room]) -> None:
        """`rooms` are those of all lives, this one's among them."""
        self.life, self.home, self.all = life, life.home, rooms

    async def read(self, agency: str, path: str, status: int = 200) -> Reply:
        reply = await self.home.by(agency).get(path)
        assert reply.status == status, (agency, path, reply.text)
        return reply

    async def look(self) -> None:
        for agency in EVERYONE:
            for room in self.life.rooms:
                await self.room(agency, room)
            await self.cases(agency)
            await self.commitments(agency)
            await self.files(agency)

    # --- what stands ----------------------------------------------------------------------------------

    async def room(self, agency: str, room: Room) -> None:
        path = f"/v1/threads/{room.id}"
        if agency not in room.been:
            for each in (path, f"{path}/messages"):
                assert not said(await self.read(agency, each, 404))
            return
        here, rights = agency in room.rights.here, room.rights
        told = await self.read(agency, path)
        assert said(told) == (rights.board(agency) if here else rights.kept[agency]), agency
        heard = rights.heard.get(agency, {})
        items = await self.pages(agency, f"{path}/messages?", self.life.chance.randrange(2, 7))
        assert [each["id"] for each in items] == [name for name in rights.notes if name in heard], agency
        back = await self.pages(agency, f"{path}/messages?order=newest&", self.life.chance.randrange(2, 7))
        assert back[::-1] == items
        for item in items:
            name = item["id"]
            texts = [*(each["text"] for each in item.get("earlier", [])), item["text"]]
            assert texts == (heard[name] or [None]), (agency, item)
            assert words_in(orjson.dumps(item)) == rights.note_words(agency, name), (agency, item)
        assert told.json["unread"] <= len(items)
        assert told.json["last_message_at"] == (items[-1]["posted_at"] if items else None)

    async def pages(self, agency: str, path: str, limit: int) -> list[dict[str, Any]]:
        """All of a list; its cursors are good for nobody else, nor for the other thread."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            reply = await self.read(agency, f"{path}limit={limit}{cursor}")
            page = reply.json
            found += page["items"]
            if page["next"] is None:
                return found
            cursor = f"&cursor={page['next']}"
            if "/messages" in path:
                await self.borrowed(agency, path, cursor)

    async def borrowed(self, agency: str, path: str, cursor: str) -> None:
        other = self.life.chance.choice([each for each in EVERYONE if each != agency])
        reply = await self.home.by(other).get(f"{path}limit=2{cursor}")
        assert reply.status in (404, 422), reply.text
        assert not said(reply)
        for room in self.life.rooms:
            if room.id not in path and agency in room.been:
                reply = await self.read(agency, f"/v1/threads/{room.id}/messages?limit=2{cursor}", 422)
                assert not said(reply)

    async def cases(self, agency: str) -> None:
        for name, case_id in self.life.cases.items():
            about = [room for room in self.life.rooms if name in room.cases]
            sees = self.life.sees(agency, name)
            mine = [room for room in about if sees and agency in room.rights.here]
            shown = set().union(*(self.on_the_case(agency, room) for room in mine))
            reply = await self.home.by(agency).get(f"/v1/cases/{case_id}")
            assert said(reply) == shown, (agency, reply.text)
            assert reply.status == 200 or not mine
            if reply.status == 200:
                assert [each["id"] for each in reply.json["threads"]] == sorted(room.id for room in mine)
            listed = await self.read(agency, f"/v1/threads?case={case_id}&limit=200")
            been = [room for room in about if agency in room.been]
            assert {each["id"] for each in listed.json["items"]} == {room.id for room in been}
            assert said(listed) == set().union(*(self.board(agency, room) for room in been))
            history = await self.home.by(agency).get(f"/v1/cases/{case_id}/history?limit=200")
            assert not said(history)

    def board(self, agency: str, room: Room) -> set[str]:
        return room.rights.board(agency) if agency in room.rights.here else room.rights.kept[agency]

    def on_the_case(self, agency: str, room: Room) -> set[str]:
        promises = [room.rights.promises[name] for name in room.rights.told.get(agency, ())]
        still = [each for each in promises if each.status != "fulfilled"]
        return {room.rights.subject}.union(*(each.words for each in still))

    async def commitments(self, agency: str) -> None:
        items = await self.pages(agency, "/v1/commitments?", 50)
        mine = [room for room in self.all if agency in room.rights.here]
        owed = {
            name: room.rights.promises[name] for room in mine for name in room.rights.told.get(agency, ())
        }
        assert {each["id"]: each["status"] for each in items} == {n: p.status for n, p in owed.items()}
        assert words_in(orjson.dumps(items)) == set().union(*(each.words for each in owed.values()))

    async def files(self, agency: str) -> None:
        rooms = self.life.rooms
        hashes = {n.file[0] for room in rooms for n in room.rights.notes.values() if n.file}
        for sha256 in hashes | {sha256 for _, sha256 in self.life.uploaded}:
            may = any(room.rights.may_fetch(agency, sha256) for room in rooms)
            reply = await self.home.by(agency).get(f"/v1/attachments/{sha256}")
            if may:
                assert reply.status == 200, (agency, reply.text)
            elif (agency, sha256) not in self.life.uploaded:
                assert reply.status == 404, agency

    # --- what happened --------------------------------------------------------------------------------

    def ever(self, agency: str) -> set[str]:
        return set().union(*(room.ever.get(agency, set()) for room in self.all))

    def gone(self, agency: str) -> set[str]:
        return set().union(*(room.gone(agency) for room in self.all))

    async def heard(self, agency: str, after: int) -> int:
        """Mailbox and stream since the life's begin; the position of the last entry."""
        entries = await self.home.mailbox(agency, after)
        assert words_in(orjson.dumps(entries)) <= self.ever(agency) - self.gone(agency), agency
        must: Counter[str] = Counter()
        for room in self.life.rooms:
            must.update({kind: n for (who, kind), n in room.told.items() if who == agency})
        rooms = {room.id for room in self.life.rooms}
        got = Counter(kind for entry in entries if (kind := self.kind_of(entry["event"], rooms)))
        assert got == must, (agency, got, must)
        ear, last = self.home.ears[agency], entries[-1]["position"] if entries else after
        await ear.read_to(last)
        told = [event for event in ear.streamed if event.position > after]
        assert [(event.position, event.data["id"]) for event in told] == [
            (entry["position"], entry["event"]["id"]) for entry in entries
        ]
        assert words_in(orjson.dumps([event.data for event in told])) <= self.ever(agency), agency
        self.shown_or_withheld(agency, entries)
        return last

    def kind_of(self, event: dict[str, Any], rooms: set[str]) -> str:
        if not event["type"].startswith(PREFIX) or event["subject"] not in rooms:
            return ""
        return str(event["type"]).removeprefix(PREFIX).removesuffix(".v1")

    def shown_or_withheld(self, agency: str, entries: list[dict[str, Any]]) -> None:
        """What was not taken back keeps its words."""
        notes = {name: note for room in self.life.rooms for name, note in room.rights.notes.items()}
        for entry in entries:
            event = entry["event"]
            if not event["type"].startswith(PREFIX) or "withheld" in event["data"]:
                continue
            message = event["data"].get("message")
            if message is not None and "withdrawn" not in message and message["id"] in notes:
                note = notes[message["id"]]
                assert message["text"] in note.words
                assert not note.withdrawn or note.author == agency
        rooms = {room.id for room in self.life.rooms}
        held = [e for e in entries if "withheld" in e["event"]["data"] and self.kind_of(e["event"], rooms)]
        back = [note for note in notes.values() if note.withdrawn and note.author != agency]
        assert back or not held, (agency, held)

    async def evidence(self, agency: str, home: Lifehouse) -> None:
        """Whatever the export shows, opened by the keys that it gives."""
        folder = home.house.core.settings.data_dir
        by = trust(key_set((folder / "jwks-all.json").read_text()))
        for case_id in self.life.cases.values():
            reply = await home.by(agency).get(f"/v1/cases/{case_id}/evidence")
            if reply.status != 200:
                assert not said(reply)
                continue
            words = words_in(reply.body)
            for stream in reply.json["streams"]:
                for event in stream["events"]:
                    words |= opened(event, by)
            beyond = words - (self.ever(agency) - self.gone(agency))
            assert not beyond, (agency, beyond, self.story(beyond))

    def story(self, words: set[str]) -> list[Any]:
        """What the words belong to, for a failure that can be understood."""
        notes = [(name, note, room) for room in self.all for name, note in room.rights.notes.items()]
        found = [(name, note, room.rights.heard) for name, note, room in notes if words & {*note.words}]
        promised = [each for room in self.all for each in room.rights.promises.values()]
        return [*found, *(each for each in promised if words & {*each.words})]

    async def search(self, agency: str) -> None:
        words = [word for room in self.life.rooms for word in self.everything(room)]
        for word in self.life.chance.sample(words, min(2, len(words))):
            reply = await self.read(agency, f"/v1/cases?q={word.removesuffix('.')}")
            assert reply.json["items"] == []

    def everything(self, room: Room) -> list[str]:
        return sorted({room.rights.subject}.union(*(note.words for note in room.rights.notes.values())))


def opened(event: dict[str, Any], by: Any) -> set[str]:
    found = words_in(base64.b64decode(event.get("header", "")))
    for part, key in event.get("keys", {}).items():
        header, sealed = base64.b64decode(event["header"]), base64.b64decode(event["sealed"])
        found |= words_in(by.open_part(base64.b64decode(key), orjson.loads(header)["id"], sealed, part))
    return found
