"""An agency's reader of its own topic, kafka-python signed in with its token: knows from each complaint's
reference how long ago it was sent. Job as a line on standard input: `bootstrap`, `topic`, `token`, `prefix`.
Says "ready" when it stands at the end; a second line tells how many records to wait for."""

from __future__ import annotations

import os
import re
import select
import sys
import time
from typing import Any, Final

import orjson
from kafka import KafkaConsumer, TopicPartition
from kafka.net.sasl.oauth import AbstractTokenProvider

WITHIN_S: Final = 30.0


class Provider(AbstractTokenProvider):
    def __init__(self, token: str) -> None:
        self._token = token

    def token(self) -> str:
        return self._token


def main() -> None:
    job = orjson.loads(sys.stdin.buffer.readline())
    consumer = _at_the_end(job)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sent = re.compile(rb'"reference": ?"%s-\d{8}-(\d{20})"' % job["prefix"].encode())
    latencies: list[int] = []
    expected, until = None, float("inf")
    cpu_s, began = time.process_time(), time.monotonic()
    while expected is None or len(latencies) < expected:
        if time.monotonic() > until:
            raise SystemExit(f"{len(latencies)} records of {expected} came within {WITHIN_S} s")
        for records in consumer.poll(timeout_ms=50).values():
            now = time.monotonic_ns()
            found = (sent.search(record.value) for record in records)
            latencies += [now - int(one[1]) for one in found if one is not None]
        if expected is None and select.select([0], [], [], 0)[0]:
            expected, until = int(os.read(0, 64)), time.monotonic() + WITHIN_S
    share = (time.process_time() - cpu_s) / (time.monotonic() - began)
    ordered = sorted(latencies) or [0]
    at = {name: ordered[int(len(ordered) * q)] / 1e6 for name, q in (("p50_ms", 0.5), ("p99_ms", 0.99))}
    sys.stdout.buffer.write(orjson.dumps({"count": len(latencies), "cpu_share": share} | at))


def _at_the_end(job: dict[str, Any]) -> KafkaConsumer:
    consumer = KafkaConsumer(
        bootstrap_servers=job["bootstrap"],
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="OAUTHBEARER",
        sasl_oauth_token_provider=Provider(job["token"]),
        isolation_level="read_committed",
        enable_auto_commit=False,
    )
    topic = job["topic"]
    parts = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
    if not parts:
        raise SystemExit(f"the broker shows this agency no topic {topic}")
    consumer.assign(parts)
    consumer.seek_to_end(*parts)
    for part in parts:
        consumer.position(part)
    return consumer


if __name__ == "__main__":
    main()
