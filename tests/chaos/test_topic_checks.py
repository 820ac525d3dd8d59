"""The reckoning over topics can fail: each kind of loss or disorder is found when it is there."""

from __future__ import annotations

from tests.chaos.checks import Entry
from tests.chaos.cluster.topics import REPLY, Record, contiguous, firsts, order, replies, same_as_mailbox


def _record(
    offset: int, event: str, subject: str, sequence: int, position: int, partition: int = 0
) -> Record:
    kind = "id.simpul.complaint.verified.v1"
    return Record(partition, offset, event, kind, subject, f"{sequence:010d}", position, None, None)


ONE, TWO, THREE = _record(0, "e1", "k1", 1, 1), _record(1, "e2", "k2", 1, 2), _record(2, "e3", "k1", 2, 3)
WHOLE = [ONE, TWO, THREE]
BOX = [Entry(position, {"id": f"e{position}"}) for position in (1, 2, 3)]


def test_a_whole_topic_has_no_flaw() -> None:
    assert list(order("t", WHOLE)) == []
    assert list(same_as_mailbox("t", WHOLE, BOX)) == []
    assert list(contiguous("t", WHOLE, 3)) == []


def test_a_repeat_with_the_same_id_is_counted_and_harms_nothing() -> None:
    again = [*WHOLE, _record(3, "e1", "k1", 1, 1)]
    assert list(order("t", again)) == []
    assert firsts(again)[1] == 1


def test_a_repeat_with_another_position_is_found() -> None:
    again = [*WHOLE, _record(3, "e1", "k1", 1, 4)]
    assert list(order("t", again)) == ["t: event e1 came with two positions"]


def test_a_lost_record_is_found() -> None:
    assert len(list(same_as_mailbox("t", [ONE, THREE], BOX))) == 1
    assert len(list(contiguous("t", [ONE, THREE], 3))) == 1
    assert len(list(contiguous("t", WHOLE, 4))) == 1


def test_what_is_in_no_mailbox_is_found() -> None:
    assert len(list(same_as_mailbox("t", WHOLE, BOX[:2]))) == 1


def test_disorder_within_a_subject_and_within_a_partition_is_found() -> None:
    swapped = [_record(0, "e3", "k1", 2, 3), _record(1, "e1", "k1", 1, 1)]
    assert len(list(order("t", swapped))) == 2
    scattered = [ONE, _record(0, "e3", "k1", 2, 3, partition=1)]
    assert list(order("t", scattered)) == ["t: k1 lies in two partitions"]


def test_answers_are_found_by_what_they_answer() -> None:
    answer = Record(0, 9, "x/0/1", REPLY, "kirim-1", "", None, "kirim-1", {"status": 201})
    assert replies([*WHOLE, answer]) == {"kirim-1": [{"status": 201}]}
    assert firsts([answer]) == ([], 0)
