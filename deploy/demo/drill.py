"""The drill: one classification has a deadline in minutes, so that a missed one can be watched. Everything
else keeps the policies of the hub."""

from __future__ import annotations

import json
from typing import Final

LATE_S: Final = 75.0
"""So long the ministry leaves what it accepted in a drill: longer than the policy allows."""
DRILLED: Final = "Usul "
"""How the title of what is handled late begins."""
DRILL: Final = {
    "id": "latihan-1-menit",
    "classification": "aspiration",
    "stage": "follow_up",
    "amount": 1,
    "unit": "minutes",
    "valid_from": "2000-01-01",
    "source": "latihan: hanya untuk demo ini, bukan aturan",
    "assumption": True,
    "escalates": True,
}


def policies_file(listed: str) -> str:
    """What `simpul policy set` takes: the rows that `simpul policy list` printed, and the drill's."""
    rows = [json.loads(line) for line in listed.splitlines()]
    rows = [row for row in rows if row["id"] != DRILL["id"]]
    return "".join(_table(row) for row in [*rows, DRILL])


def _table(row: dict[str, object]) -> str:
    """JSON's texts, numbers and flags are TOML's too."""
    return "[[policy]]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in row.items())
