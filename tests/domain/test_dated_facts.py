"""What the hub's own stream says of calendars and policies, as facts that the tables keep."""

from __future__ import annotations

from typing import Any

import orjson

from hub.domain.dated_facts import DatedFact, dated_facts
from hub.domain.events import Fact
from hub.domain.policies import DEFAULTS
from hub.domain.working_time import Calendar, for_agency
from tests.domain import decrees

ZONES = ["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"]


def said(kind: str, data: dict[str, Any], sequence: int = 7) -> list[DatedFact]:
    """Through the log and back: what is folded is what was stored."""
    fact = Fact("e-1", kind, "2025-03-14T02:00:00.000Z", "agency/hub", sequence, "hub", {}, data)
    return dated_facts(Fact.from_bytes(fact.to_bytes()))


def test_a_calendar_is_kept_for_each_zone_under_its_version() -> None:
    official = decrees.calendar()
    found = said("calendar.changed", {"calendar": official.document(), "zones": ZONES, "agency": None})
    calendars = [for_agency(official, zone) for zone in ZONES]
    assert [fact.name for fact in found] == [calendar.version for calendar in calendars]
    assert {(fact.kind, fact.sequence) for fact in found} == {("calendar", 7)}
    documents = [orjson.loads(fact.document) for fact in found]
    assert [Calendar.from_document(document) for document in documents] == calendars
    assert [document["zone"] for document in documents] == ZONES
    assert {document["agency"] for document in documents} == {None}


def test_agencies_with_the_same_days_off_have_a_calendar_each() -> None:
    own = for_agency(decrees.calendar(), "Asia/Makassar", {"2025-05-23": "Hari jadi daerah"})
    names = []
    for agency in ("pemkab-kotim", "dinas-pu-kotim"):
        data = {"calendar": own.document(), "zones": ["Asia/Makassar"], "agency": agency}
        (fact,) = said("calendar.changed", data)
        assert orjson.loads(fact.document) == own.document() | {"agency": agency}
        names.append(fact.name)
    assert names == [f"{own.version}/pemkab-kotim", f"{own.version}/dinas-pu-kotim"]


def test_a_calendar_without_zones_is_kept_in_its_own() -> None:
    (fact,) = said("calendar.changed", {"calendar": decrees.calendar("Asia/Makassar").document()})
    assert fact.name == decrees.calendar("Asia/Makassar").version


def test_policies_are_kept_as_a_whole() -> None:
    rows = [row.document() for row in DEFAULTS]
    assert said("policy.changed", {"policies": rows}, 9) == [
        DatedFact("policies", "hub", 9, orjson.dumps(rows))
    ]


def test_other_events_make_nothing() -> None:
    assert said("agency.registered", {"agency": {"id": "pln"}}) == []
    assert said("complaint.verified", {"status": "verified"}) == []
