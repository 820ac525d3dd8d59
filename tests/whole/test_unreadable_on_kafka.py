"""An agency's producer sends what cannot be opened: it hears why, and its next command is carried out."""

from __future__ import annotations

from kafka import KafkaProducer

from tests.parts.caller import complaint
from tests.whole.topics import AgencyAtBroker, answers
from tests.whole.wholework import Whole

TOO_MUCH = 80 * 1024 * 1024


def test_a_batch_that_unpacks_to_much_is_answered_and_passed(big: Whole) -> None:
    assert big.node is not None
    caller = big.agency("pemda-kotim", "regency", "--region", "62.02", "--kafka")
    app = AgencyAtBroker(big.node, big.prefix, caller, None)
    assert app.ask("complaint", complaint(caller.agency, "K-1"), event_id="sebelum")["status"] == 201
    more = {"max_request_size": 1 << 30, "compression_type": "zstd"}
    producer = KafkaProducer(**(app._options | more))
    topic = f"{big.prefix}inbound.{caller.agency}"
    sent = producer.send(topic, b" " * TOO_MUCH, partition=0).get(20)
    producer.close()
    place = f"{topic}/0/{sent.offset}"
    found = answers(app.read(lambda events: place in answers(events)))[place]
    assert found["status"] == 413 and "unpacks to more than" in found["problem"]["detail"]
    assert app.ask("complaint", complaint(caller.agency, "K-2"), event_id="sesudah")["status"] == 201
    letters = big.desk.cli("dead-letter", "list").stdout
    assert letters.count("unpacks to more than") == 1 and "partition 0" in letters
