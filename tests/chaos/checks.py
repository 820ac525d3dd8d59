"""What must hold at the end: each check gives the flaws that it found, none when all is well."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from tests.chaos.calls import Api
from tests.chaos.knowledge import Knowledge

PAGE: Final = 200
REFERENCES: Final = 5000
TYPE: Final = "id.simpul.{}.v1"


@dataclass(frozen=True)
class Entry:
    """A mailbox entry as it was pulled."""

    position: int
    event: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.event["id"])

    @property
    def type(self) -> str:
        return str(self.event["type"])


def pull(api: Api) -> list[Entry]:
    """The whole mailbox, page by page."""
    found: list[Entry] = []
    while True:
        after = found[-1].position if found else 0
        reply = api.call("GET", f"/v1/mailbox?after={after}&limit={PAGE}")
        if reply.status != 200:
            raise RuntimeError(f"the mailbox cannot be read: {reply.said()}")
        items = reply.document["items"]
        if not items:
            return found
        found += [Entry(item["position"], item["event"]) for item in items]


def mailbox_order(api: Api, entries: Sequence[Entry], seen: dict[int, str]) -> Iterator[str]:
    """Positions contiguous from 1, no event twice, sequence rising within a subject, nothing renumbered."""
    agency = api.member.agency
    sequences: dict[str, str] = {}
    for expected, entry in enumerate(entries, 1):
        if entry.position != expected:
            yield f"{agency}: position {entry.position} stands where {expected} should"
            return
        subject = entry.event["subject"]
        if not sequences.get(subject, "") < entry.event["sequence"]:
            yield f"{agency}: position {expected}: the sequence of {subject} does not rise"
        sequences[subject] = entry.event["sequence"]
    twice = [event for event, times in Counter(entry.id for entry in entries).items() if times > 1]
    yield from (f"{agency}: event {event} stands in the mailbox twice" for event in twice)
    ids = {entry.position: entry.id for entry in entries}
    renumbered = [position for position, event in seen.items() if ids.get(position) != event]
    yield from (f"{agency}: position {position} held another event during the run" for position in renumbered)
    yield from _mailbox_digest(api, entries)


def _mailbox_digest(api: Api, entries: Sequence[Entry]) -> Iterator[str]:
    if not entries:
        return
    ours = hashlib.sha256("".join(f"{e.position} {e.id}\n" for e in entries).encode()).hexdigest()
    theirs = api.call("GET", f"/v1/mailbox/digest?from=1&to={entries[-1].position}").document
    if (theirs["count"], theirs["sha256"]) != (len(entries), ours):
        yield f"{api.member.agency}: the mailbox digest does not fit what was pulled: {theirs}"


def acknowledged_once(known: Knowledge, entries: Sequence[Entry]) -> tuple[dict[str, str], list[str]]:
    """The references in the source's mailbox with their cases, and the flaws: an acknowledged one that is not
    there or there as another case, one that is there twice, one that nobody sent."""
    found: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        if entry.type == TYPE.format("complaint.submitted"):
            found[entry.event["data"]["complaint"]["source"]["reference"]].append(entry.event["subject"])
    flaws = [f"{name}: acknowledged, but lost" for name in known.cases if name not in found]
    flaws += [f"{name}: there {len(cases)} times" for name, cases in found.items() if len(cases) > 1]
    flaws += [f"{name}: there, but nobody sent it" for name in found if name not in known.sent]
    flaws += [f"{name}: answered 201 {times} times" for name, times in known.created.items() if times > 1]
    for name, cases in known.cases.items():
        if name in found and cases != set(found[name]):
            flaws.append(f"{name}: acknowledged as {sorted(cases)}, but is {found[name]}")
    return {name: cases[0] for name, cases in found.items()}, flaws


def submissions(api: Api, known: Knowledge, present: dict[str, str]) -> Iterator[str]:
    """The hub's own digest and its list of what is missing say the same."""
    now = datetime.now(UTC)
    span = {"from": (now - timedelta(days=1)).isoformat(), "to": (now + timedelta(hours=1)).isoformat()}
    theirs = api.call("GET", f"/v1/submissions/digest?{urlencode(span)}").document
    lines = "".join(f"{reference} {case}\n" for reference, case in sorted(present.items()))
    if (theirs["count"], theirs["sha256"]) != (len(present), hashlib.sha256(lines.encode()).hexdigest()):
        yield f"the submissions digest says {theirs}, the mailbox has {len(present)} complaints"
    for references in batched(sorted(known.cases), REFERENCES):
        missing = api.call("POST", "/v1/submissions/missing", {"references": references}).document
        yield from (f"{name}: acknowledged, but the hub lacks it" for name in missing["references"])


def listed(api: Api, present: dict[str, str]) -> Iterator[str]:
    """`GET /v1/cases`, page by page, gives each case once."""
    found: Counter[str] = Counter()
    cursor = None
    while True:
        query = urlencode({"limit": PAGE} | ({"cursor": cursor} if cursor else {}))
        reply = api.call("GET", f"/v1/cases?{query}")
        if reply.status != 200:
            yield f"GET /v1/cases says {reply.said()[:200]}"
            return
        page = reply.document
        found.update(case["id"] for case in page["items"])
        cursor = page["next"]
        if cursor is None:
            break
    yield from (f"case {case} is listed {times} times" for case, times in found.items() if times > 1)
    yield from (f"case {case} is not listed" for case in present.values() if case not in found)


def gettable(api: Api, present: dict[str, str], most: int, seed: int) -> Iterator[str]:
    """`GET /v1/cases/{id}` of each (of `most` drawn at random when there are more)."""
    names = sorted(present)
    if len(names) > most:
        names = random.Random(seed).sample(names, most)
    for name in names:
        reply = api.call("GET", f"/v1/cases/{present[name]}")
        if reply.status != 200 or reply.document["complaint"]["source"]["reference"] != name:
            yield f"{name}: GET of its case says {reply.said()[:200]}"


def acts_once(known: Knowledge, entries: Sequence[Entry]) -> Iterator[str]:
    """Each acknowledged act took effect once, and none took effect that nobody tried."""
    found = Counter((entry.event["subject"], entry.type) for entry in entries)
    for case, kind in known.acts:
        if found[case, TYPE.format(kind)] != 1:
            yield f"case {case}: {kind} was acknowledged and is there {found[case, TYPE.format(kind)]} times"
    names = {kind for _, kind in known.tried}
    for (case, kind), times in found.items():
        name = kind.removeprefix("id.simpul.").removesuffix(".v1")
        if name in names and ((case, name) not in known.tried or times > 1):
            yield f"case {case}: {name} is there {times} times, though tried once at most"


def delivered(agency: str, entries: Sequence[Entry], path: Path) -> tuple[int, list[str]]:
    """Repeats by the same webhook-id, and the flaws: an event that never came, one that no mailbox holds, a
    subject whose events did not come first in their order."""
    first: dict[str, tuple[str, str]] = {}
    repeats = 0
    for line in path.read_text().splitlines():
        place, webhook_id, subject, sequence = line.split(" ")
        if place == f"/{agency}":
            repeats += webhook_id in first
            first.setdefault(webhook_id, (subject, sequence))
    flaws = [f"{agency}: {entry.id} never came by webhook" for entry in entries if entry.id not in first]
    known, last = {entry.id for entry in entries}, dict[str, str]()
    for webhook_id, (subject, sequence) in first.items():
        if webhook_id not in known:
            flaws.append(f"{agency}: the webhook {webhook_id} is in no mailbox")
        if sequence < last.get(subject, ""):
            flaws.append(f"{agency}: {subject} came out of order at {sequence}")
        last[subject] = max(sequence, last.get(subject, ""))
    return repeats, flaws


def batched(items: Sequence[str], size: int) -> Iterator[list[str]]:
    source = iter(items)
    while some := list(itertools.islice(source, size)):
        yield some
