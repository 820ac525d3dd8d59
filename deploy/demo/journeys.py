"""Complaints on their way, told from the events of the source agencies' mailboxes. Pure: no I/O here."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from deploy.demo.api import Event, short_type
from deploy.demo.layout import APPS, SHORT

LEG_WORDS = {
    "forwarding.sent": "dikirim",
    "forwarding.accepted": "diterima",
    "forwarding.progressed": "dikerjakan",
    "forwarding.answered": "dijawab",
    "forwarding.returned": "dikembalikan",
    "forwarding.withdrawn": "ditarik",
}
CASE_WORDS = {
    "complaint.submitted": "masuk hub",
    "complaint.verified": "diverifikasi",
    "complaint.replied": "pelapor membalas",
    "complaint.reopened": "belum tuntas, dibuka lagi",
    "complaint.closed": "diselesaikan pemda",
}
MISSED = "tenggat terlewat"
GIVEN_BACK = (["dikembalikan"], ["ditarik"])
"""The last words of a leg that handles the complaint no longer."""
VERDICTS = {"ours": "kewenangannya", "partly": "sebagian kewenangannya", "not_ours": "bukan kewenangannya"}
HOME = "kembali"
"""How the words begin for an answer that stands in the app's own table."""
LEFT_OUT = "…"
KEPT = 500
Key = tuple[str, str]
"""(app, its own number of the complaint)."""
Part = tuple[str, str, int]
"""Of a path: (what joins it to the part before, its words, its rank); where room is short, the lowest
rank goes first."""


@dataclass
class Journey:
    """One complaint. `legs` maps a forwarding to its agency, the words of its steps in their
    order, and whether it supports."""

    app: str
    reference: str
    title: str
    began_s: float
    asked: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    legs: dict[str, tuple[str, list[str], bool]] = field(default_factory=dict)
    home_s: float | None = None
    reopened: bool = False

    @property
    def key(self) -> Key:
        return self.app, self.reference

    @property
    def label(self) -> str:
        return f"{self.app} #{self.reference}"

    @property
    def handlers(self) -> list[str]:
        """Who handles it, the lead first; not whoever gave it back."""
        kept = [(supports, agency) for agency, words, supports in self.legs.values()
                if words[-1:] not in GIVEN_BACK]  # fmt: skip
        return [agency for _, agency in sorted(kept, key=lambda leg: leg[0])]

    @property
    def lead(self) -> str | None:
        """The forwarding that leads, if one does."""
        kept = (leg for leg, (_, words, supports) in self.legs.items()
                if not supports and words[-1:] not in GIVEN_BACK)  # fmt: skip
        return next(kept, None)

    def note(self, words: str, leg: str | None) -> None:
        """Among the steps of a forwarding, or the case's own where it concerns none."""
        (self.legs[leg][1] if leg in self.legs else self.steps).append(words)

    def path(self, whole: bool = False) -> str:
        """hub → Kementerian PU: dijawab → …; `whole` names every step of a leg instead of its last."""
        return _joined(self._parts(whole))

    def path_within(self, width: int) -> str:
        """`path` in at most so many signs. The last part, where the complaint is now, stays; what everybody
        knows or what is long past goes first."""
        parts = self._parts()
        if len(path := _joined(parts)) <= width:
            return path
        parts = [(joint, HOME if words.startswith(HOME) else words, rank) for joint, words, rank in parts]
        for at in sorted(range(len(parts) - 1), key=lambda at: parts[at][2]):
            if len(path := _joined(parts)) <= width:
                return path
            parts[at] = (parts[at][0], LEFT_OUT, parts[at][2])
        path = _joined(parts)
        return path if len(path) <= width else LEFT_OUT + path[len(path) - width + 1 :]

    def _parts(self, whole: bool = False) -> list[Part]:
        parts: list[Part] = [("", "hub", 0), *((" → ", asked, 1) for asked in self.asked)]
        for agency, words, supports in list(self.legs.values()):  # drawn while another thread adds to them
            shown = [word for word in words if word != "dikirim"] if whole else words[-1:]
            rank = 1 if words[-1:] in GIVEN_BACK else 2 if supports else 4
            joint = " + " if supports else " → "
            parts.append((joint, f"{agency}: {', '.join(shown) or 'dikirim'}", rank))
        return parts + [(" → ", step, 3) for step in self.steps]


def _joined(parts: Sequence[Part]) -> str:
    """One … for whatever is left out in a row; none for the hub, where every path begins."""
    text = ""
    for at, (joint, words, _) in enumerate(parts):
        if words != LEFT_OUT or not (at == 0 or text.endswith(LEFT_OUT)):
            text += f"{joint if text else ''}{words}"
    return text


@dataclass
class Journeys:
    """The latest journeys by case, and what happened in this run. Its figures count complaints, each once,
    however often one is answered and whatever is told again: home <= answered <= filed."""

    by_case: OrderedDict[str, Journey] = field(default_factory=OrderedDict)
    _filed: set[Key] = field(default_factory=set)
    _answered: set[Key] = field(default_factory=set)
    _returned: set[Key] = field(default_factory=set)
    _home: set[Key] = field(default_factory=set)

    @property
    def filed(self) -> int:
        """Complaints that reached the hub in this run."""
        return len(self._filed)

    @property
    def answered(self) -> int:
        """Of those filed: answered by whoever it was; what stands in the app is an answer too, even where the
        hub has not yet said so."""
        return len(self._filed & (self._answered | self._home))

    @property
    def returned(self) -> int:
        """Of those filed: sent back by an agency at least once."""
        return len(self._filed & self._returned)

    @property
    def home(self) -> int:
        """Of those filed: an answer stands in the app's own table."""
        return len(self._filed & self._home)

    @property
    def earlier(self) -> int:
        """Complaints of earlier runs to which an answer came back in this one."""
        return len(self._home - self._filed)

    def knows(self, event: Event) -> bool:
        """Whether the case has been seen, begins with this event, or is not what the event is about."""
        known = event["subject"] in self.by_case or short_type(event) == "complaint.submitted"
        return known or "case_id" not in event["data"]

    def begin(self, case_id: str, complaint: dict[str, Any], now_s: float) -> Journey:
        """A complaint that is new to this run, from its first event or, when on the way, from its case."""
        source = complaint["source"]
        journey = Journey(APPS[source["agency"]], source["reference"], complaint.get("title", ""), now_s)
        self.by_case[case_id] = journey
        while len(self.by_case) > KEPT:
            self.by_case.popitem(last=False)
        return journey

    def take(self, event: Event, now_s: float) -> tuple[Journey, str] | None:
        """The journey and a sentence for this step; None for what says nothing to a spectator."""
        kind, data = short_type(event), event["data"]
        if data.get("withheld") or "case_id" not in data:
            return None
        if kind == "complaint.submitted":
            self._filed.add(self.begin(data["case_id"], data["complaint"], now_s).key)
        journey = self.by_case[data["case_id"]]
        if kind in LEG_WORDS:
            return journey, self._leg_step(journey, kind, data["forwarding"])
        if kind == "complaint.answered" or (kind == "complaint.closed" and data.get("text")):
            self._answered.add(journey.key)
        words = self._case_step(journey, kind, data)
        return (journey, words) if words else None

    def _case_step(self, journey: Journey, kind: str, data: dict[str, Any]) -> str:
        if kind == "consultation.answered":
            asked = data["consultation"]
            journey.asked.append(f"tanya {name_of(asked['agency'])}: {VERDICTS[asked['verdict']]}")
            return journey.asked[-1]
        if kind == "deadline.missed":
            journey.note(MISSED, data.get("forwarding_id"))
            return f"{name_of(data['responsible_agency'])}: {MISSED}"
        if kind == "complaint.escalated":
            words = f"naik ke {name_of(data['to'])}"
            journey.note(words, journey.lead)
            return words
        if kind == "complaint.reopened":
            journey.reopened, journey.home_s, journey.steps = True, None, []
            journey.note("belum tuntas", journey.lead)
        if kind == "complaint.closed":
            journey.steps.append("ditutup" if journey.legs else CASE_WORDS[kind])
            return journey.steps[-1]
        return CASE_WORDS.get(kind, "")

    def _leg_step(self, journey: Journey, kind: str, leg: dict[str, Any]) -> str:
        agency = name_of(leg["to"])
        supports = leg["role"] == "support"
        _, words, _ = journey.legs.setdefault(leg["id"], (agency, [], supports))
        words.append(LEG_WORDS[kind])
        support = " (pendukung)" if supports else ""
        if kind == "forwarding.returned":
            self._returned.add(journey.key)
            suggested = name_of(leg.get("suggested_agency") or "-")
            return f"{agency}: dikembalikan, bukan kewenangannya; saran: {suggested}"
        return f"{agency}{support}: {words[-1]}"

    def arrive(self, app: str, reference: str, where: str, now_s: float) -> tuple[Journey, str] | None:
        """An answer stands in the app's own table."""
        self._home.add((app, reference))
        found = (j for j in reversed(self.by_case.values()) if j.key == (app, reference))
        journey = next(found, None)
        if journey is None:
            return None
        if where not in journey.steps:
            journey.steps.append(where)
        journey.home_s = journey.home_s or now_s - journey.began_s
        return journey, where


def name_of(agency: str) -> str:
    """As the terminal says it."""
    return SHORT.get(agency, agency)
