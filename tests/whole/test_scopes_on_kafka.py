"""What a client may not do by HTTP it may not do by topic."""

from __future__ import annotations

import pytest
from kafka.errors import KafkaError, TopicAuthorizationFailedError

from tests.parts.caller import complaint
from tests.whole.topics import AgencyAtBroker
from tests.whole.wholework import Whole, eventually


def test_a_client_of_few_scopes_does_no_more_by_topic(big: Whole) -> None:
    """A record does not say which of the agency's clients wrote it: only one that may do all that a record
    may ask for may write, and only one that may read the mailbox reads the topic."""
    assert big.node is not None
    pemda = big.agency("pemda-kotim", "regency", "--region", "62.02", "--kafka")
    app = AgencyAtBroker(big.node, big.prefix, pemda)
    assert app.ask("complaint", complaint(pemda.agency, "S-1"), event_id="kirim-1")["status"] == 201
    for scope, reads in (("mailbox:read", True), ("complaints:write", False)):
        few = big.desk.caller(big.desk.client(pemda.agency, "--scope", scope))
        few.url = big.apis[0].url
        limited = AgencyAtBroker(big.node, big.prefix, few)
        big.desk.run("topics", "apply")  # else nothing would be refused yet for want of a scope
        if reads:
            eventually(lambda limited=limited: _reads(limited))  # type: ignore[misc]
        with pytest.raises(KafkaError):
            limited.send("complaint", complaint(pemda.agency, "S-2"), event_id=f"kirim-{scope}")
        assert _reads(limited) == reads
    assert len(pemda.cases()) == 1


def _reads(client: AgencyAtBroker) -> bool:
    try:
        return bool(client.read(bool, within_s=5.0))
    except TopicAuthorizationFailedError:
        return False
