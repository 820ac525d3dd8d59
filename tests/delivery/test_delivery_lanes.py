"""The lanes against a model: whatever the endpoint does and whenever the process dies, a subject's order
holds, nothing is skipped, and the cursor never passes what is neither delivered nor kept as a row."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hub.delivery.lanes import Lanes, Parcel, Place

SUBJECTS = ("kasus-a", "kasus-b", "kasus-c")


@dataclass
class Row:
    """What the database holds of one position."""

    parcel: Parcel
    state: str


class LanesAgainstModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.mailbox: list[str] = []
        """Subjects, by position - 1."""
        self.now = 1000.0
        self.saved_cursor = 0
        self.saved: dict[int, Row] = {}
        self.unsaved: dict[int, Row] = {}
        self.under_way: list[Parcel] = []
        self.delivered: list[int] = []
        self.ended: set[int] = set()
        self.apart: set[int] = set()

    @initialize()
    def begin(self) -> None:
        self.lanes = Lanes(0)

    @rule(subject=st.sampled_from(SUBJECTS))
    def an_event_arrives(self, subject: str) -> None:
        self.mailbox.append(subject)

    @rule(count=st.integers(1, 5), passed_over=st.booleans())
    def a_page_is_read(self, count: int, passed_over: bool) -> None:
        for _ in range(count):
            position = self.lanes.read_to + 1
            if position > len(self.mailbox):
                return
            if self.lanes.knows(position):
                self.lanes.pass_over(position)
            elif passed_over and position not in self.saved and position not in self.unsaved:
                self.lanes.pass_over(position)
                self.ended.add(position)
            else:
                assert position not in self.saved and position not in self.unsaved, "it would go twice"
                parcel = Parcel(position, f"event-{position}", self.mailbox[position - 1], "t", b"{}")
                if self.lanes.add(parcel):
                    self._keep(parcel)

    @rule()
    def one_is_taken(self) -> None:
        parcel = self.lanes.take(self.now)
        if parcel is not None:
            assert parcel.due <= self.now
            self._takes(parcel)

    @rule()
    def a_probe_is_taken(self) -> None:
        parcel = self.lanes.take_probe(self.now)
        if parcel is not None:
            self._takes(parcel)

    def _takes(self, parcel: Parcel) -> None:
        assert all(other.lane != parcel.lane for other in self.under_way)
        if not parcel.apart:
            earlier = range(1, parcel.position)
            same = [p for p in earlier if self.mailbox[p - 1] == parcel.subject and p not in self.apart]
            assert all(p in self.ended for p in same), "an earlier event of the subject has not ended"
        self.under_way.append(parcel)

    @rule(data=st.data(), outcome=st.sampled_from(["delivered", "dead", "retry", "own failure"]))
    def an_attempt_ends(self, data: st.DataObject, outcome: str) -> None:
        if not self.under_way:
            return
        parcel = self.under_way.pop(data.draw(st.integers(0, len(self.under_way) - 1)))
        if outcome in ("delivered", "dead"):
            self.lanes.finished(parcel)
            if outcome == "delivered":
                self.delivered.append(parcel.position)
            self.ended.add(parcel.position)
            self.unsaved[parcel.position] = Row(parcel, "done" if outcome == "delivered" else "dead")
        elif outcome == "retry":
            for waiting in self.lanes.retry_at(parcel, self.now + data.draw(st.floats(0, 100))):
                self._keep(waiting)
            self.unsaved[parcel.position] = Row(parcel, "pending")
        else:
            self.lanes.put_back(parcel, self.now + 5)

    def _keep(self, parcel: Parcel) -> None:
        self.lanes.park(parcel, f"row-{parcel.position}")
        self.unsaved[parcel.position] = Row(parcel, "pending")

    @rule(seconds=st.floats(0, 200))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def results_are_saved(self) -> None:
        copies = {p: Row(replace(row.parcel, body=None), row.state) for p, row in self.unsaved.items()}
        self.saved |= copies
        self.unsaved = {}
        self.saved_cursor = self.lanes.cursor

    @rule(data=st.data())
    def one_is_asked_for_again(self, data: st.DataObject) -> None:
        finished = [p for p, row in self.saved.items() if row.state != "pending" and p not in self.unsaved]
        if finished:
            position = data.draw(st.sampled_from(finished))
            again = Parcel(
                position, f"event-{position}", self.mailbox[position - 1], "t", row_id="r", apart=True
            )
            self.saved[position] = Row(again, "pending")
            self.apart.add(position)
            self.lanes.add_apart(replace(again))

    @rule()
    def the_endpoint_is_back(self) -> None:
        self.lanes.hasten_down(self.now)

    @rule()
    def the_process_dies(self) -> None:
        """What was not saved is lost, and what was under way may be sent again."""
        self.unsaved, self.under_way = {}, []
        self.lanes = Lanes(self.saved_cursor)
        pending = sorted((row.parcel for row in self.saved.values() if row.state == "pending"), key=_position)
        settled = [p for p, row in self.saved.items() if row.state != "pending" and p > self.saved_cursor]
        self.lanes.restore([replace(p, row_id=f"row-{p.position}") for p in pending], settled)
        unfinished = {p.position for p in pending if not p.apart}
        self.ended = {p for p in self.ended if p <= self.saved_cursor or p in settled} - unfinished

    @invariant()
    def the_cursor_passes_nothing_that_is_not_settled(self) -> None:
        if not hasattr(self, "lanes"):
            return
        rows = self.saved.keys() | self.unsaved.keys()
        assert all(p in self.ended or p in rows for p in range(1, self.lanes.cursor + 1))
        assert self.lanes.cursor <= self.lanes.read_to <= len(self.mailbox)
        assert all(p in self.ended or p in self.saved for p in range(1, self.saved_cursor + 1))

    @invariant()
    def what_waits_behind_a_retry_is_kept_as_rows(self) -> None:
        """Else one stuck subject would hold the cursor, and with it the whole agency."""
        for lane in self.lanes._lanes.values() if hasattr(self, "lanes") else ():
            if lane.place is Place.TIMED and lane.queue[0].row_id is not None:
                assert all(parcel.row_id is not None for parcel in lane.queue)

    def teardown(self) -> None:
        """With an endpoint that takes all, everything ends, each subject in its order."""
        if not hasattr(self, "lanes"):
            return
        self.the_process_dies()
        done: dict[str, list[int]] = defaultdict(list)
        while True:
            self.now += 1000.0
            self.a_page_is_read(5, False)
            while (parcel := self.lanes.take(self.now)) is not None:
                self._takes(parcel)
                self.under_way.remove(parcel)
                self.lanes.finished(parcel)
                self.ended.add(parcel.position)
                if not parcel.apart:
                    done[parcel.subject].append(parcel.position)
            if self.lanes.is_empty() and self.lanes.read_to == len(self.mailbox):
                break
        assert self.lanes.cursor == len(self.mailbox)
        assert self.ended >= set(range(1, len(self.mailbox) + 1))
        assert (self.lanes.in_memory, self.lanes.in_rows, self.lanes.busy) == (0, 0, 0)
        assert all(positions == sorted(positions) for positions in done.values())


def _position(parcel: Parcel) -> int:
    return parcel.position


TestLanes = LanesAgainstModel.TestCase
TestLanes.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
