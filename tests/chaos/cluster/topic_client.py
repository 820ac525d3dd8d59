"""The load of an agency on Kafka: complaints on its own inbound topic, signed in with its token of the hub.

python -m tests.chaos.cluster.topic_client ROLE FOLDER: as `tests/chaos/clients.py`; the event's id is the
reference. A record that the broker acknowledged is noted as `produced`: it must be answered, never lost."""

from __future__ import annotations

import logging
import random
import sys
import time
from pathlib import Path
from typing import Any, Final

import orjson
from kafka import KafkaProducer
from kafka.errors import KafkaError
from kafka.net.sasl.oauth import AbstractTokenProvider

from tests.chaos.calls import Api, NoAnswer
from tests.chaos.complaints import complaint
from tests.chaos.journal import Journal
from tests.parts.caller import Member

WITHIN_S: Final = 10.0
TOKEN_EVERY_S: Final = 120.0
REPEAT: Final = 0.05
LEAVE_UNKNOWN: Final = 0.3
WAIT_S: Final = 0.3


class Provider(AbstractTokenProvider):
    """Renewed by the client's loop: the library's thread must not wait for the hub."""

    held = ""

    def token(self) -> str:
        return self.held


class TopicClient:
    def __init__(self, role: str, folder: Path, plan: dict[str, Any]) -> None:
        member = Member(**plan["topic_agency"])
        self._agency, self._topic = member.agency, f"{plan['prefix']}inbound.{member.agency}"
        self._api = Api(plan["port"], member, plan["timeout_s"], plan["more_ports"])
        self._role, self._folder, self._plan = role, folder, plan
        self._journal = Journal(folder / f"{role}.journal")
        self._random = random.Random(f"{plan['seed']} {role}")
        self._provider, self._renewed_at = Provider(), float("-inf")
        self._producer: KafkaProducer | None = None

    def run(self) -> None:
        pause_s, due = self._plan["pauses_s"]["topic"], time.monotonic()
        sent: list[tuple[str, int]] = []
        for number in range(self._plan["most"]):
            if self._stopped():
                break
            reference = f"{self._role}-{number:06d}"
            self._journal.note("sent", reference=reference)
            if self._deliver(reference, number):
                sent.append((reference, number))
            if sent and self._random.random() < REPEAT:
                self._deliver(*self._random.choice(sent))
            now = time.monotonic()
            due = max(due, now - 1.0) + pause_s
            time.sleep(max(0.0, due - now))
        self._end()

    def _deliver(self, reference: str, number: int) -> bool:
        """True once the broker took it; what it may have taken is sent again or left as it is."""
        while not self._stopped():
            try:
                self._send(reference, number)
            except (KafkaError, NoAnswer) as error:
                self._journal.note("unanswered", reference=reference, why=f"{type(error).__name__}: {error}")
                self._end()
                self._forget_token()
                if self._random.random() < LEAVE_UNKNOWN:
                    return False
                time.sleep(WAIT_S)
            else:
                self._journal.note("produced", reference=reference)
                return True
        return False

    def _send(self, reference: str, number: int) -> None:
        self._renew_token()
        if self._producer is None:
            self._producer = KafkaProducer(
                bootstrap_servers=self._plan["agency_bootstrap"],
                security_protocol="SASL_PLAINTEXT",
                sasl_mechanism="OAUTHBEARER",
                sasl_oauth_token_provider=self._provider,
                bootstrap_timeout_ms=5000,
                request_timeout_ms=5000,
                delivery_timeout_ms=int(WITHIN_S * 900),
                max_block_ms=5000,
                acks="all",
            )
        headers = [
            ("ce_specversion", b"1.0"),
            ("ce_id", reference.encode()),
            ("ce_source", b"urn:kacau"),
            ("ce_type", b"id.simpul.command.complaint.v1"),
            ("content-type", b"application/json"),
        ]
        body = orjson.dumps(complaint(self._agency, reference, number))
        self._producer.send(self._topic, body, headers=headers).get(WITHIN_S)

    def _renew_token(self) -> None:
        if time.monotonic() - self._renewed_at < TOKEN_EVERY_S:
            return
        try:
            self._provider.held = self._api.token()
            self._renewed_at = time.monotonic()
        except NoAnswer:
            if not self._provider.held:
                raise

    def _forget_token(self) -> None:
        """It may be what was refused."""
        self._api.forget_token()
        self._renewed_at = float("-inf")

    def _stopped(self) -> bool:
        return (self._folder / "stop").exists()

    def _end(self) -> None:
        if self._producer is not None:
            self._producer.close(timeout=2)
            self._producer = None


def main() -> None:
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    role, folder = sys.argv[1], Path(sys.argv[2])
    TopicClient(role, folder, orjson.loads((folder / "plan.json").read_bytes())).run()


if __name__ == "__main__":
    main()
