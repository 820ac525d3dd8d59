"""What all clients together know, read from their journals after the run."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.journal import entries


@dataclass
class Knowledge:
    """`cases`: acknowledged reference -> every case id that the hub ever named for it."""

    sent: set[str] = field(default_factory=set)
    unanswered: set[str] = field(default_factory=set)
    cases: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    created: Counter[str] = field(default_factory=Counter)
    acts: Counter[tuple[str, str]] = field(default_factory=Counter)
    tried: set[tuple[str, str]] = field(default_factory=set)
    seen: dict[str, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    surprises: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path, pattern: str = "*.journal") -> Knowledge:
        known = cls()
        for entry in entries(folder, pattern):
            match entry["kind"]:
                case "sent":
                    known.sent.add(entry["reference"])
                case "unanswered":
                    known.unanswered.add(entry["reference"])
                case "ack":
                    known.cases[entry["reference"]].add(entry["case"])
                    known.created[entry["reference"]] += entry["status"] == 201
                case "act":
                    known.acts[entry["case"], entry["type"]] += 1
                case "trying":
                    known.tried.add((entry["case"], entry["type"]))
                case "seen":
                    known._saw(entry["agency"], entry["position"], entry["event"])
                case "surprise":
                    known.surprises.append(f"{entry['role']}: {entry['what']}: {entry['said']}")
        return known

    def _saw(self, agency: str, position: int, event: str) -> None:
        if self.seen[agency].setdefault(position, event) != event:
            self.surprises.append(f"{agency}: position {position} held two events")
