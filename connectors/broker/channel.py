"""Complaints and acts as records of the agency's inbound topic; the hub's answers come on its own topic.

The spool's row stays until the answer has come. A record that had none is sent again with the same id, under
which it takes effect once."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson

from connectors.batch_line import BatchLine
from connectors.broker.events import Command
from connectors.broker.tokens import TokenSource
from connectors.broker.topics import SEND_WITHIN_S, Writing
from connectors.broker.troubles import TokenNotTaken
from connectors.broker.worker import Worker
from connectors.errors import HubAway, HubRefused, NoReply
from connectors.hub_answers import error_of
from connectors.hub_client import HubClient

SEND_LIMIT_S: Final = SEND_WITHIN_S + 20.0
REFUSALS: Final = 1000
_ROUTE: Final = re.compile(
    r"/v1/cases/([^/]+)/(verification|forwardings|closure|reopening|replies)"
    r"|/v1/forwardings/([^/]+)/(acceptance|return|progress|answer|withdrawal|reconsideration)"
    r"|/v1/consultations/([^/]+)/(answer)"
)
_NAMES: Final = {"forwardings": "forwarding", "replies": "reply"}
_PLAIN: Final = re.compile(r"[\x21-\x7e]{1,200}")
_TOO_LARGE: Final = {
    "status": 413,
    "problem": {"title": "Too large", "detail": "The broker does not take it."},
}


class RecordChannel:
    """Implements connectors.channel.Channel; what has no command goes by HTTP (photos, reading a case)."""

    def __init__(
        self,
        hub: HubClient,
        worker: Worker[Writing],
        tokens: TokenSource,
        source: str,
        reply_within_s: float,
        now: Callable[[], datetime],
    ) -> None:
        """`source` is the agency's id, as records name it."""
        self._hub, self._worker, self._tokens = hub, worker, tokens
        self._source, self._reply_within_s, self._now = source, reply_within_s, now
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._refused: Counter[str] = Counter()
        self.on_reply: Callable[[], None] = lambda: None
        self.on_broker: Callable[[], None] = lambda: None

    def take_reply(self, correlation: str, reply: Any) -> None:
        """What came on the agency's own topic; a reply for which nobody waits any more is dropped."""
        self.on_reply()
        future = self._waiting.get(correlation)
        if future is not None and not future.done() and isinstance(reply, dict):
            future.set_result(reply)

    async def submit(self, content: bytes) -> dict[str, Any]:
        reply = await self._ask(_complaint(content))
        return {"id": _case_id(reply)}

    async def submit_batch(self, contents: Sequence[bytes]) -> list[BatchLine]:
        """A record each; the answers that came in time."""
        commands = [_complaint(content) for content in contents]
        replies = await self._send(commands)
        found = [(number, replies.get(command.correlation)) for number, command in enumerate(commands, 1)]
        return [_line(number, reply) for number, reply in found if reply is not None]

    async def post(self, path: str, body: Mapping[str, Any], idempotency_key: str = "") -> dict[str, Any]:
        act = act_of(path)
        if act is None or not idempotency_key:
            return await self._hub.post(path, body, idempotency_key)
        name, subject = act
        key = _plain(idempotency_key)
        correlation = f"{key}/{self._refused[key]}" if key in self._refused else key
        try:
            return await self._ask(Command(key, name, subject, subject, orjson.dumps(body), correlation))
        except HubRefused:
            self._note_refusal(key)
            raise

    async def upload(self, path: Path, media_type: str, sha256: str) -> None:
        await self._hub.upload(path, media_type, sha256)

    async def case(self, case_id: str) -> dict[str, Any]:
        return await self._hub.case(case_id)

    def cut_short(self, answered: int, sent: int) -> NoReply:
        return NoReply(
            f"{sent - answered} of {sent} records had no reply within {self._reply_within_s:g} s; they are "
            "sent again with the same ids. Does the hub's inbound role run?"
        )

    def _note_refusal(self, key: str) -> None:
        """Whoever tries again (an answer, after the acceptance that was missing) must not take the refusal's
        repeat for the new reply."""
        self._refused[key] += 1
        if len(self._refused) > REFUSALS:
            del self._refused[next(iter(self._refused))]

    async def _ask(self, command: Command) -> dict[str, Any]:
        reply = (await self._send([command])).get(command.correlation)
        if reply is None:
            raise self.cut_short(0, 1)
        status = _status(reply)
        if not 200 <= status < 300:
            raise error_of(status, reply.get("problem"))
        return reply

    async def _send(self, commands: Sequence[Command]) -> dict[str, dict[str, Any]]:
        """The replies that came within the time, by correlation. After a ConnectorError some may
        be written nevertheless: they are sent again."""
        with self._expecting(commands) as expected:
            await self._tokens.refresh()
            now = self._now()
            messages = [(one.key, one.body, one.headers(self._source, now)) for one in commands]
            try:
                written = await self._worker.run(lambda writing: writing.send(messages), SEND_LIMIT_S)
            except TokenNotTaken:
                self._tokens.refused()
                raise
            self.on_broker()
            for command, is_written in zip(commands, written, strict=True):
                if not is_written and not expected[command.correlation].done():
                    expected[command.correlation].set_result(_TOO_LARGE)
            await asyncio.wait(expected.values(), timeout=self._reply_within_s)
            return {name: future.result() for name, future in expected.items() if future.done()}

    @contextmanager
    def _expecting(self, commands: Sequence[Command]) -> Iterator[dict[str, asyncio.Future[dict[str, Any]]]]:
        """Replies may come as soon as a record is written."""
        loop = asyncio.get_running_loop()
        expected: dict[str, asyncio.Future[dict[str, Any]]] = {
            command.correlation: loop.create_future() for command in commands
        }
        self._waiting |= expected
        try:
            yield expected
        finally:
            for name, future in expected.items():
                if self._waiting.get(name) is future:
                    del self._waiting[name]


def act_of(path: str) -> tuple[str, str] | None:
    """(the act's name, whose id stands in the path) of what the hub takes as a record, else None."""
    found = _ROUTE.fullmatch(path)
    if found is None:
        return None
    if found[5]:
        return "verdict", found[5]
    act = found[2] or found[4]
    return _NAMES.get(act, act), found[1] or found[3]


def _complaint(content: bytes) -> Command:
    """By its bytes: other content under the same reference is a conflict, as by HTTP, and no repeat."""
    reference = str(orjson.loads(content)["source"]["reference"])
    name = f"complaint-{hashlib.sha256(content).hexdigest()[:40]}"
    return Command(name, "complaint", "", reference, content, name)


def _plain(key: str) -> str:
    """An id of visible ASCII, the same for the same key."""
    return key if _PLAIN.fullmatch(key) else f"sha256-{hashlib.sha256(key.encode()).hexdigest()}"


def _status(reply: Mapping[str, Any]) -> int:
    status = reply.get("status")
    return status if isinstance(status, int) else 0


def _case_id(reply: Mapping[str, Any]) -> str:
    ids = reply.get("ids")
    found = reply.get("case_id") or (ids[0] if isinstance(ids, list) and ids else "")
    if not found:
        raise HubAway("the hub's reply names no case; does kafka.topic_prefix name its topics?")
    return str(found)


def _line(number: int, reply: Mapping[str, Any]) -> BatchLine:
    status, problem = _status(reply), reply.get("problem")
    case_id = _case_id(reply) if 200 <= status < 300 else ""
    return BatchLine(number, status, case_id, problem if isinstance(problem, dict) else {})
