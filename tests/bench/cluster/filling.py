"""Fills an agency's inbound topic with complaints of 1.5 kB as CloudEvents, each with its reference as id and
key. Job on standard input: `bootstrap`, `topic`, `count`, `prefix` of the references."""

from __future__ import annotations

import sys
import time

import orjson
from kafka import KafkaProducer

from tests.bench.bodies import halves, reference


def main() -> None:
    job = orjson.loads(sys.stdin.buffer.read())
    producer = KafkaProducer(
        bootstrap_servers=job["bootstrap"], acks="all", linger_ms=5, batch_size=128 * 1024
    )
    before, after = halves()
    began, futures = time.monotonic(), []
    for number in range(job["count"]):
        named = reference(job["prefix"], number, 0)
        headers = [
            ("ce_specversion", b"1.0"),
            ("ce_id", named),
            ("ce_source", b"urn:banding"),
            ("ce_type", b"id.simpul.command.complaint.v1"),
            ("content-type", b"application/json"),
        ]
        futures.append(producer.send(job["topic"], before + named + after, key=named, headers=headers))
    producer.flush(60)
    if not all(future.succeeded() for future in futures):
        raise SystemExit("the broker did not take every record")
    seconds = time.monotonic() - began
    producer.close(5)
    sys.stdout.buffer.write(orjson.dumps({"good": len(futures), "rate": len(futures) / seconds}))


if __name__ == "__main__":
    main()
