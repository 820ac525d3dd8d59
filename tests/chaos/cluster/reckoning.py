"""What must hold when the load has ended: mailboxes, acknowledgements, webhooks, topics, tables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.chaos import checks
from tests.chaos.calls import Api
from tests.chaos.checks import Entry
from tests.chaos.cluster import topics
from tests.chaos.cluster.hub import Cluster
from tests.chaos.journal import entries
from tests.chaos.knowledge import Knowledge
from tests.chaos.run import wait_for_webhooks
from tests.parts.caller import Member
from tests.parts.hub import HubFailed

WEBHOOKS_WITHIN_S: Final = 120.0
"""An endpoint that was down is tried again after up to so long."""
TOPICS_WITHIN_S: Final = 30.0
_EVENT: Final = re.compile(r'"event": ?"(\w+)"')


@dataclass
class Parties:
    """`source` and `ministry` act by HTTP and have webhooks; `topic` submits by Kafka; `ministry` and `topic`
    have a topic each. `subscribed_at`: the last mailbox position before the webhook."""

    source: Member
    ministry: Member
    topic: Member
    subscribed_at: dict[str, int] = field(default_factory=dict)

    @property
    def all(self) -> tuple[Member, Member, Member]:
        return self.source, self.ministry, self.topic


@dataclass
class Reckoning:
    cluster: Cluster
    parties: Parties
    folder: Path
    received: Path
    get: int
    seed: int
    flaws: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def run(self) -> None:
        http = Knowledge.read(self.folder, "[!t]*.journal")
        by_topic = Knowledge.read(self.folder, "topic-*.journal")
        answered = self._answers(by_topic)
        self.flaws += http.surprises + by_topic.surprises
        apis = {member.agency: Api(self.cluster.apis[-1].port, member) for member in self.parties.all}
        boxes = {agency: checks.pull(api) for agency, api in apis.items()}
        for agency, api in apis.items():
            self.flaws += checks.mailbox_order(api, boxes[agency], http.seen[agency])
        self._submitted(apis[self.parties.source.agency], http, boxes[self.parties.source.agency])
        self._submitted(apis[self.parties.topic.agency], by_topic, boxes[self.parties.topic.agency])
        self.flaws += checks.acts_once(http, boxes[self.parties.source.agency])
        self._webhooks(boxes)
        last = self._rebuild()
        self._topics(boxes, last)
        self.counts.update(
            {
                "acts acknowledged": len(http.acts),
                "mailbox entries": sum(map(len, boxes.values())),
                "records answered": len(answered),
                "events in the log": last,
            }
        )

    def _submitted(self, api: Api, known: Knowledge, box: Sequence[Entry]) -> None:
        present, lost = checks.acknowledged_once(known, box)
        self.flaws += lost
        self.flaws += checks.submissions(api, known, present)
        self.flaws += checks.listed(api, present)
        self.flaws += checks.gettable(api, present, self.get, self.seed)
        self.counts.update(
            {
                "complaints sent": len(known.sent),
                "complaints acknowledged": len(known.cases),
                "of them without an answer at first": len(known.unanswered),
            }
        )

    # --- what left the hub --------------------------------------------------------------------------------

    def _answers(self, known: Knowledge) -> set[str]:
        """Each record that the broker took is answered on the agency's topic; answers acknowledge."""
        produced = {
            entry["reference"]
            for entry in entries(self.folder, "topic-*.journal")
            if entry["kind"] == "produced"
        }
        topic = self._topic(self.parties.topic.agency)
        records = topics.read(
            self.cluster.bootstrap,
            topic,
            lambda found: produced <= topics.replies(found).keys(),
            TOPICS_WITHIN_S,
        )
        answers = topics.replies(records)
        self.flaws += [f"{name}: taken by the broker, never answered" for name in produced - answers.keys()]
        for name, documents in answers.items():
            known.cases[name] = {str(document.get("case_id")) for document in documents}
            wrong = [document for document in documents if document["status"] not in (200, 201)]
            self.flaws += [f"{name}: answered {document}" for document in wrong]
        self.counts["records taken by the broker"] = len(produced)
        return answers.keys() & produced

    def _webhooks(self, boxes: dict[str, list[Entry]]) -> None:
        for agency, before in self.parties.subscribed_at.items():
            due = boxes[agency][before:]
            wait_for_webhooks(agency, len(due), self.received, WEBHOOKS_WITHIN_S)
            again, undelivered = checks.delivered(agency, due, self.received)
            self.flaws += undelivered
            self.counts["webhooks repeated with the same id"] += again
            self.counts["webhooks received"] += len(due) + again

    def _topics(self, boxes: dict[str, list[Entry]], last: int) -> None:
        for agency in (self.parties.ministry.agency, self.parties.topic.agency):
            topic = self._topic(agency)
            records = self._read(topic, len(boxes[agency]))
            self.flaws += topics.order(topic, records)
            self.flaws += topics.same_as_mailbox(topic, records, boxes[agency])
        topic = f"{self.cluster.prefix}events"
        records = self._read(topic, last)
        self.flaws += topics.order(topic, records)
        self.flaws += topics.contiguous(topic, records, last)

    def _read(self, topic: str, count: int) -> list[topics.Record]:
        records = topics.read(
            self.cluster.bootstrap,
            topic,
            lambda found: len(topics.firsts(found)[0]) >= count,
            TOPICS_WITHIN_S,
        )
        self.counts["records on topics"] += len(records)
        self.counts["records repeated with the same id"] += topics.firsts(records)[1]
        return records

    def _topic(self, agency: str) -> str:
        return f"{self.cluster.prefix}agency.{agency}"

    def _rebuild(self) -> int:
        try:
            return int(self.cluster.desk.run("rebuild", "--check")["events"])
        except HubFailed as failed:
            self.flaws.append(str(failed))
            return 0


def said(log: Path) -> dict[str, int]:
    """What the hub's processes logged, by the event's name: for whoever reads the JSON."""
    counted: Counter[str] = Counter()
    for line in log.read_text(errors="replace").splitlines():
        counted.update(_names(line))
    return dict(counted.most_common())


def _names(line: str) -> Iterator[str]:
    if found := _EVENT.search(line):
        yield found[1]
    elif line.startswith("Traceback"):
        yield "Traceback"
