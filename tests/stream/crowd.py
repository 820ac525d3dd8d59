"""A thousand clients of `GET /v1/stream` in a process of their own, and whoever posts what they see. A job as
a line of JSON on standard input: `ports` (streams, in turn), `post_to` (a port), `members` ([agency, client
id, secret]), `streams` in all, `rate` complaints a second over all agencies, `seconds` (without it: until
another line comes). It prints `open`, and at the end what was seen, beside what the mailboxes hold."""

from __future__ import annotations

import asyncio
import random
import re
import statistics
import sys
import time
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import orjson
import uvloop

from tests.parts.caller import complaint

REFERENCE: Final = re.compile(rb'"reference":"([^"]+)"')
EVENT_ID: Final = re.compile(rb'"id":"([0-9a-f-]{36})"')
COMES_BACK_S: Final = (0.05, 0.5)
PATIENCE_S: Final = 30.0


@dataclass
class Agency:
    """`events` by position, as the first client saw them; `seen` counts all."""

    name: str
    token: str
    events: dict[int, bytes] = field(default_factory=dict)


@dataclass
class Seen:
    sent_ns: dict[bytes, int] = field(default_factory=dict)
    latencies_ns: list[int] = field(default_factory=list)
    answers_ns: list[int] = field(default_factory=list)
    events: int = 0
    missed: int = 0
    twice: int = 0
    unlike: int = 0
    came_back: int = 0
    refused: int = 0


class Client(asyncio.Protocol):
    """One reader; it comes back by the last id it has. HTTP/1.0, as proxies speak it: no chunks."""

    def __init__(self, port: int, agency: Agency, seen: Seen) -> None:
        self.port, self.agency, self.seen = port, agency, seen
        self.last: int | None = None
        self.open = asyncio.Event()
        self._held = b""
        self._in_body = self._over = False
        self._transport: asyncio.Transport | None = None

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._over:
            try:
                await loop.create_connection(lambda: self, "127.0.0.1", self.port)
                return
            except OSError:
                await asyncio.sleep(random.uniform(*COMES_BACK_S))

    def end(self) -> None:
        self._over = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: Any) -> None:
        self._transport, self._held, self._in_body = transport, b"", False
        resumes = f"Last-Event-ID: {self.last}\r\n" if self.last is not None else ""
        token = f"Authorization: Bearer {self.agency.token}\r\n"
        transport.write(f"GET /v1/stream HTTP/1.0\r\nHost: hub\r\n{token}{resumes}\r\n".encode())

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        self._held += data
        if not self._in_body:
            head, separator, rest = self._held.partition(b"\r\n\r\n")
            if not separator:
                return
            if b" 200 " not in head.split(b"\r\n")[0]:
                self.seen.refused += 1
                assert self._transport is not None
                self._transport.abort()
                return
            self._in_body, self._held = True, rest
        *blocks, self._held = self._held.split(b"\n\n")
        for block in blocks:
            self._take(block, now)

    def connection_lost(self, error: Exception | None) -> None:
        if not self._over:
            self.seen.came_back += 1
            asyncio.get_running_loop().call_later(random.uniform(*COMES_BACK_S), self._again)

    def _again(self) -> None:
        self._task = asyncio.create_task(self.connect())

    def _take(self, block: bytes, now: int) -> None:
        lines = block.split(b"\n")
        position = int(next(line for line in lines if line.startswith(b"id: "))[4:])
        if not lines[-1].startswith(b"data: "):
            self.last = position  # where it begins
            self.open.set()
            return
        if self.last is not None and position != self.last + 1:
            self.seen.twice += position <= self.last
            self.seen.missed += max(position - self.last - 1, 0)
        self.last = position
        self.seen.events += 1
        self._compare(position, lines[-1], now)

    def _compare(self, position: int, data: bytes, now: int) -> None:
        found = EVENT_ID.search(data)
        assert found is not None
        self.seen.unlike += self.agency.events.setdefault(position, found[1]) != found[1]
        named = REFERENCE.search(data)
        if named and named[1] in self.seen.sent_ns:
            self.seen.latencies_ns.append(now - self.seen.sent_ns[named[1]])


class Crowd:
    def __init__(self, job: dict[str, Any], http: aiohttp.ClientSession) -> None:
        self._job, self._http, self.seen = job, http, Seen()
        self._url = f"http://127.0.0.1:{job['post_to']}"
        self._posts: set[asyncio.Task[None]] = set()

    async def run(self) -> dict[str, Any]:
        members = self._job["members"]
        agencies = [Agency(name, await self._token(id_, secret)) for name, id_, secret in members]
        ports, count = self._job["ports"], self._job["streams"]
        clients = [
            Client(ports[n % len(ports)], agencies[n % len(agencies)], self.seen) for n in range(count)
        ]
        for client in clients:
            await client.connect()
        await asyncio.gather(*(client.open.wait() for client in clients))
        print("open", flush=True)
        cpu_s, began = time.process_time(), time.monotonic()
        await self._post(agencies)
        heads = [await self._truth(agency) for agency in agencies]
        await self._until_all_are_there(clients, dict(zip((a.name for a in agencies), heads, strict=True)))
        busy = (time.process_time() - cpu_s) / (time.monotonic() - began)
        for client in clients:
            client.end()
        return self._told(busy)

    async def _token(self, client_id: str, secret: str) -> str:
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        async with self._http.post(f"{self._url}/oauth/token", data=form) as response:
            return str((await response.json())["access_token"])

    async def _post(self, agencies: list[Agency]) -> None:
        """By the clock, whatever the hub does meanwhile."""
        loop, over, number = asyncio.get_running_loop(), asyncio.Event(), 0
        if "seconds" in self._job:
            loop.call_later(self._job["seconds"], over.set)
        else:
            loop.add_reader(0, over.set)
        began = time.monotonic()
        while not over.is_set():
            agency = agencies[number % len(agencies)]
            task = asyncio.create_task(self._post_one(agency, f"{self._job.get('prefix', 'r')}-{number}"))
            self._posts.add(task)
            task.add_done_callback(self._posts.discard)
            number += 1
            await asyncio.sleep(max(0.0, began + number / self._job["rate"] - time.monotonic()))
        await asyncio.gather(*self._posts)

    async def _post_one(self, agency: Agency, reference: str) -> None:
        """Until the hub has it; sent again it is the same complaint."""
        body = orjson.dumps(complaint(agency.name, reference))
        headers = {"Authorization": f"Bearer {agency.token}", "Content-Type": "application/json"}
        self.seen.sent_ns[reference.encode()] = time.monotonic_ns()
        while True:
            try:
                async with self._http.post(
                    f"{self._url}/v1/complaints", data=body, headers=headers
                ) as answer:
                    if answer.status in (200, 201):
                        sent_ns = self.seen.sent_ns[reference.encode()]
                        self.seen.answers_ns.append(time.monotonic_ns() - sent_ns)
                        return
                    assert answer.status == 503, await answer.text()
            except (aiohttp.ClientError, ConnectionError):
                pass  # the hub is away; it is sent again
            await asyncio.sleep(0.1)

    async def _truth(self, agency: Agency) -> int:
        """The mailbox's head; each event that was seen is compared with what stands there."""
        after, headers = 0, {"Authorization": f"Bearer {agency.token}"}
        while True:
            url = f"{self._url}/v1/mailbox?limit=200&after={after}"
            async with self._http.get(url, headers=headers) as answer:
                page = await answer.json()
            for entry in page["items"]:
                seen = agency.events.get(entry["position"])
                self.seen.unlike += seen is not None and seen.decode() != entry["event"]["id"]
            if not page["items"]:
                return after
            after = int(page["next"])

    async def _until_all_are_there(self, clients: list[Client], heads: dict[str, int]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while behind := [c for c in clients if (c.last or 0) < heads[c.agency.name]]:
            if time.monotonic() > deadline:
                self.seen.missed += sum(heads[c.agency.name] - (c.last or 0) for c in behind)
                return
            await asyncio.sleep(0.02)

    def _told(self, busy: float) -> dict[str, Any]:
        seen = self.seen
        made = {name: getattr(seen, name) for name in ("events", "missed", "twice", "unlike")}
        made |= {"came_back": seen.came_back, "refused": seen.refused, "posted": len(seen.sent_ns)}
        made["driver_cpu_share"] = busy
        for prefix, found in (("", seen.latencies_ns), ("answered_", seen.answers_ns)):
            if len(found) > 1:
                cuts = statistics.quantiles(found, n=1000)
                made |= {f"{prefix}p50_ms": cuts[499] / 1e6, f"{prefix}p99_ms": cuts[989] / 1e6}
                made[f"{prefix}max_ms"] = max(found) / 1e6
        return made


async def crowd() -> dict[str, Any]:
    job = orjson.loads(sys.stdin.readline())
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64)) as http:
        return await Crowd(job, http).run()


if __name__ == "__main__":
    sys.stdout.write(orjson.dumps(uvloop.run(crowd())).decode() + "\n")
