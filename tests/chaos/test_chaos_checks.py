"""The reckoning itself can fail: each kind of loss that a chaos run looks for is found when it is there."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.checks import Entry, acknowledged_once, acts_once, delivered
from tests.chaos.journal import Journal
from tests.chaos.knowledge import Knowledge

SUBMITTED, VERIFIED = "id.simpul.complaint.submitted.v1", "id.simpul.complaint.verified.v1"


def _entry(position: int, kind: str, case: str, sequence: int, reference: str = "") -> Entry:
    event = {"id": f"e{position}", "type": kind, "subject": case, "sequence": f"{sequence:010d}"}
    return Entry(position, event | {"data": {"complaint": {"source": {"reference": reference}}}})


BOX = (
    _entry(1, SUBMITTED, "k1", 1, "a"),
    _entry(2, SUBMITTED, "k2", 1, "b"),
    _entry(3, VERIFIED, "k1", 2),
)


def _known(path: Path, *entries: tuple[str, dict[str, object]]) -> Knowledge:
    journal = Journal(path / "x.journal")
    for reference in ("a", "b", "c"):
        journal.note("sent", reference=reference)
    for kind, members in entries:
        journal.note(kind, **members)
    journal.close()
    return Knowledge.read(path)


def _ack(reference: str, case: str, status: int = 201) -> tuple[str, dict[str, object]]:
    return "ack", {"reference": reference, "case": case, "status": status}


def test_what_is_there_once_has_no_flaw(tmp_path: Path) -> None:
    known = _known(tmp_path, _ack("a", "k1"), _ack("a", "k1", 200), _ack("b", "k2"))
    assert acknowledged_once(known, BOX) == ({"a": "k1", "b": "k2"}, [])


def test_a_lost_complaint_is_found(tmp_path: Path) -> None:
    _, flaws = acknowledged_once(_known(tmp_path, _ack("c", "k3")), BOX)
    assert flaws == ["c: acknowledged, but lost"]


def test_a_doubled_complaint_is_found(tmp_path: Path) -> None:
    known = _known(tmp_path, _ack("a", "k1"), _ack("a", "k9"))
    _, flaws = acknowledged_once(known, (*BOX, _entry(4, SUBMITTED, "k9", 1, "a")))
    assert "a: there 2 times" in flaws and "a: answered 201 2 times" in flaws


def test_another_case_for_a_repeated_reference_is_found(tmp_path: Path) -> None:
    _, flaws = acknowledged_once(_known(tmp_path, _ack("a", "k2")), BOX)
    assert flaws == ["a: acknowledged as ['k2'], but is ['k1']"]


def test_an_act_that_is_lost_or_doubled_is_found(tmp_path: Path) -> None:
    act: dict[str, object] = {"case": "k1", "type": "complaint.verified"}
    known = _known(tmp_path, ("trying", act), ("act", act))
    assert list(acts_once(known, BOX)) == []
    assert len(list(acts_once(known, BOX[:2]))) == 1
    assert len(list(acts_once(known, (*BOX, _entry(4, VERIFIED, "k1", 3))))) == 2


def test_webhooks_lost_repeated_and_out_of_order_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "received.txt"
    first, second, third = "/x e1 k1 0000000001", "/x e2 k2 0000000001", "/x e3 k1 0000000002"
    path.write_text("\n".join((first, first, second, third)))
    assert delivered("x", BOX, path) == (1, [])
    path.write_text("\n".join((first, third)))
    assert delivered("x", BOX, path) == (0, ["x: e2 never came by webhook"])
    path.write_text("\n".join((third, first, second)))
    assert delivered("x", BOX, path) == (0, ["x: k1 came out of order at 0000000001"])
