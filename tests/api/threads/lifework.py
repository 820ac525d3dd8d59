"""The rest of a life: commitments, the end, requests that are sent again, and what has no place."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.api.threads.lifehouse import EVERYONE, PLAYERS
from tests.api.threads.liferooms import NOWHERE, Life, Room, word
from tests.domain.threads.roomrights import Promise


class Work(Life):
    async def promise(self, room: Room, actor: str) -> None:
        agency, words = self.chance.choice((*PLAYERS, actor, actor)), [word()]
        body: dict[str, Any] = {"agency": agency, "text": words[0], "due_on": self.day()}
        if self.chance.random() < 0.3:
            words.append(word())
            body["officer"] = words[1]
        status = self.outside(room, actor) or (None if agency in room.rights.here else 422)
        status = status or (201 if room.open else 409)
        reply = await self.send(room, actor, "POST", f"/v1/threads/{room.id}/commitments", body, status)
        if status == 201:
            due = datetime.fromisoformat(reply.json["due_at"])
            room.rights.promised(reply.json["id"], Promise(agency, actor, due, words))
            room.note(("commitment_made", {"commitment": {"id": reply.json["id"]}}))
            self.quiet(room, actor, reply)

    def day(self) -> str:
        """To-morrow or later, in any of the agencies' zones."""
        return (self.home.clock.now().date() + timedelta(days=self.chance.choice((1, 1, 2, 9)))).isoformat()

    def owing(self, actor: str) -> tuple[Room, str, int]:
        known = [(room, name) for room in self.rooms for name in room.rights.promises]
        mine = [(r, n) for r, n in known
                if actor in (r.rights.promises[n].agency, r.rights.promises[n].made_by)]  # fmt: skip
        pool = mine if mine and self.chance.random() < 0.7 else known
        room, name = self.chance.choice(pool or [(self.rooms[0], NOWHERE)])
        promise = room.rights.promises.get(name)
        if promise is None or name not in room.rights.told.get(actor, set()):
            return room, name, 404
        if actor not in room.rights.here or actor not in (promise.agency, promise.made_by):
            return room, name, 403
        return room, name, 409 if promise.status == "fulfilled" else 200

    async def move(self, _: Room, actor: str) -> None:
        room, name, status = self.owing(actor)
        body = {"due_on": self.day(), "reason": word()}
        reply = await self.send(room, actor, "PATCH", f"/v1/commitments/{name}", body, status)
        if status == 200:
            promise = room.rights.promises[name]
            promise.due_at, promise.status = datetime.fromisoformat(reply.json["due_at"]), "open"
            promise.words.append(body["reason"])
            room.note(("commitment_changed", {"commitment": {"id": name}}))
            self.quiet(room, actor, reply)

    async def keep(self, _: Room, actor: str) -> None:
        room, name, status = self.owing(actor)
        body = {"text": word()}
        reply = await self.send(room, actor, "POST", f"/v1/commitments/{name}/fulfilment", body, status)
        if status == 200:
            promise = room.rights.promises[name]
            promise.status = "fulfilled"
            promise.words.append(body["text"])
            room.note(("commitment_fulfilled", {"commitment": {"id": name}}))
            self.quiet(room, actor, reply)

    async def time_passes(self, days: int, rooms: list[Room]) -> None:
        """`rooms` are those of all lives."""
        await self.home.turn(days=days)
        for room in rooms:
            late = room.rights.late(self.home.clock.now())
            for name in late:
                room.rights.promises[name].status = "missed"
            room.note(*(("commitment_missed", {"commitment": {"id": name}}) for name in late))

    async def end(self, room: Room, actor: str) -> None:
        if room.open == (self.chance.random() < 0.85):
            still = any(each.status != "fulfilled" for each in room.rights.promises.values())
            body = {"text": word(), "despite_open_commitments": self.chance.random() < 0.7}
            fine = room.open and (body["despite_open_commitments"] or not still)
            status = self.outside(room, actor) or (200 if fine else 409)
            reply = await self.send(room, actor, "POST", f"/v1/threads/{room.id}/conclusion", body, status)
            kind, is_open, conclusion = "concluded", False, body["text"]
        else:
            status = self.outside(room, actor) or (409 if room.open else 200)
            reply = await self.send(room, actor, "POST", f"/v1/threads/{room.id}/reopening", {}, status)
            kind, is_open, conclusion = "reopened", True, None
        if status == 200:
            room.open, room.rights.conclusion = is_open, conclusion
            room.note((kind, {}))
            self.quiet(room, actor, reply)

    async def again(self, *_: Any) -> None:
        """A request that took effect is sent again, whoever has left meanwhile: the same status, nothing new,
        and no more than its sender may read now."""
        if not self.keyed:
            return
        actor, method, path, body, key, status, room = self.chance.choice(self.keyed)
        reply = await self.home.by(actor).send(method, path, body, headers={"Idempotency-Key": key})
        assert reply.status == status, (actor, method, path, reply.text, status)
        self.quiet(room, actor, reply)

    async def stray(self, room: Room, actor: str) -> None:
        """What names a case that the thread is not about."""
        other = next((c for c in self.cases if c not in room.cases), None)
        case = self.cases[other] if other else NOWHERE
        body = {"text": word(), "scope": "reporter", "cases": [case]}
        status = self.outside(room, actor) or 422
        await self.send(room, actor, "POST", f"/v1/threads/{room.id}/messages", body, status)
        await self.trespass(room)

    async def trespass(self, room: Room) -> None:
        """Who never took part finds nothing, whatever it tries."""
        outsiders = [each for each in EVERYONE if each not in room.been]
        names = [*room.rights.notes, NOWHERE]
        promised = [*room.rights.promises, NOWHERE]
        if not outsiders:
            return
        agency, name, owed = self.chance.choice(outsiders), self.chance.choice(names), promised[0]
        for method, path, body in (
            ("GET", f"/v1/threads/{room.id}", None),
            ("GET", f"/v1/threads/{room.id}/messages?order=newest", None),
            ("PATCH", f"/v1/messages/{name}", {"text": "Lain"}),
            ("DELETE", f"/v1/messages/{name}", None),
            ("POST", f"/v1/threads/{room.id}/reads", {"up_to": name}),
            ("PATCH", f"/v1/commitments/{owed}", {"due_on": self.day(), "reason": "Lain"}),
            ("POST", f"/v1/commitments/{owed}/fulfilment", {"text": "Lain"}),
            ("DELETE", f"/v1/threads/{room.id}/participants/{room.rights.opener}", None),
        ):
            reply = await self.home.by(agency).send(method, path, body)
            assert reply.status == 404, (agency, method, path, reply.text)
            self.quiet(room, agency, reply)
