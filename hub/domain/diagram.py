"""The state diagrams of the documentation (Mermaid, and rows for a table), made from the tables in
`transitions.py` alone."""

from __future__ import annotations

from collections.abc import Iterable

from hub.domain.transitions import (
    BY_LEGS,
    BY_TIME,
    CASE,
    CONSULTATION,
    LEG,
    LEG_BY_CASE,
    WHEN,
    WHEN_LEGS,
    WHEN_TIME,
    Conditions,
    leg_moves,
)

Arrow = tuple[str, str, str]
"""(from, to, action)."""
Between = dict[tuple[str, str], list[str]]
"""(from, to) -> all the actions that lead along this way."""


def case_moves() -> Between:
    """What owner and source do, and where a forwarding's moves and the passing of time take the case."""
    owners = [(at, to, action) for at, moves in CASE.items() for action, ends in moves.items() for to in ends]
    legs = [
        (at, to, f"forwarding {action}")
        for at, moves in BY_LEGS.items()
        for action, ends in moves.items()
        for to in ends
    ]
    time = [(at, to, why) for at, moves in BY_TIME.items() for why, ends in moves.items() for to in ends]
    return _between([*owners, *legs, *time])


def leg_moves_shown() -> Between:
    """A forwarding; `reconsider`, once, in place of `return` where the case was returned too often."""
    plain = [(at, to, action) for at, moves in LEG.items() for action, to in moves.items()]
    bound = [(at, to, action) for at in LEG for action, to in leg_moves(at, binding=True).items()]
    case = [(at, to, f"case {action}") for at, moves in LEG_BY_CASE.items() for action, to in moves.items()]
    return _between(dict.fromkeys([*plain, *bound, *case]))


def consultation_moves() -> Between:
    return _between([(at, to, act) for at, moves in CONSULTATION.items() for act, to in moves.items()])


def conditions() -> dict[str, Conditions]:
    """Heading -> (from, action, to) -> when; actions as `moves` names them. What has none leads one way."""
    legs = {(at, f"forwarding {action}", to): when for (at, action, to), when in WHEN_LEGS.items()}
    return {"A case": {**WHEN, **legs, **WHEN_TIME}}


def moves() -> dict[str, tuple[str, Between]]:
    """Heading -> the first state, and what leads from state to state."""
    return {
        "A case": ("submitted", case_moves()),
        "A forwarding": ("sent", leg_moves_shown()),
        "A consultation": ("open", consultation_moves()),
    }


def diagrams() -> dict[str, str]:
    """Heading -> diagram."""
    return {name: _diagram(first, between) for name, (first, between) in moves().items()}


def diagrams_markdown() -> str:
    """The block that stands in ARCHITECTURE.md between its markers."""
    return "\n\n".join(f"{name}:\n\n```mermaid\n{text}\n```" for name, text in diagrams().items())


def _between(arrows: Iterable[Arrow]) -> Between:
    found: Between = {}
    for at, to, action in arrows:
        found.setdefault((at, to), []).append(action)
    return found


def _diagram(first: str, between: Between) -> str:
    """One arrow for each pair of states."""
    lines = ["stateDiagram-v2", f"    [*] --> {first}"]
    lines += [f"    {at} --> {to}: {', '.join(actions)}" for (at, to), actions in between.items()]
    ends = {to for _, to in between} - {at for at, _ in between}
    return "\n".join([*lines, *(f"    {end} --> [*]" for end in sorted(ends))])
