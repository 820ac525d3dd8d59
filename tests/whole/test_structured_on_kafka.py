"""Small records that no hub can take, many at once: their sender is told what a body by HTTP is told, and no
other agency waits for it."""

from __future__ import annotations

import json

from kafka import KafkaProducer

from tests.parts.caller import complaint
from tests.whole.topics import AgencyAtBroker, answers
from tests.whole.wholework import Whole

COUNT = 60
DEEP = "[" * 300 + "]" * 300


def test_records_nested_too_deep_are_refused_and_hold_up_nobody(big: Whole) -> None:
    rude = big.agency("pemda-dalam", "regency", "--region", "62.02", "--kafka")
    other = big.agency("kemen-lain", "ministry", "--kafka")
    assert big.node is not None
    app, office = (AgencyAtBroker(big.node, big.prefix, caller) for caller in (rude, other))
    event = {"specversion": "1.0", "source": "urn:uji", "type": "id.simpul.command.complaint.v1"}
    headers = [("content-type", b"application/cloudevents+json")]
    producer = KafkaProducer(**app._options, max_block_ms=8000)
    try:
        for number in range(COUNT):
            text = json.dumps(event | {"id": f"dalam-{number}"})[:-1] + f',"data":{DEEP}}}'
            mark = ("correlation-id", f"dalam-{number}".encode())
            producer.send(f"{big.prefix}inbound.{rude.agency}", text.encode(), headers=[*headers, mark])
    finally:
        producer.close(10)
    answer = office.ask("complaint", complaint(other.agency, "K-1"), event_id="biasa")
    assert answer["status"] == 201
    found = answers(app.read(lambda found: len(answers(found)) == COUNT))
    assert {said["status"] for said in found.values()} == {400}
    assert "nested deeper" in str(found["dalam-0"])
    (backstage,) = big.others
    assert "inbound_record_crashed" not in backstage.log.read_text()
    letters = [json.loads(line) for line in big.desk.cli("dead-letter", "list").stdout.splitlines()]
    (letter, *_) = [each for each in letters if each["agency"] == rude.agency]
    done = big.desk.cli("dead-letter", "redrive", letter["id"], status=1)
    assert "nested deeper" in done.stderr.splitlines()[-1] and "Traceback" not in done.stderr
