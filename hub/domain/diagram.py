"""The state diagrams of the documentation (Mermaid), made from the tables in `transitions.py` alone."""

from __future__ import annotations

from collections.abc import Iterable

from hub.domain.transitions import BY_LEGS, BY_TIME, CASE, CONSULTATION, LEG, LEG_BY_CASE, leg_moves

Arrow = tuple[str, str, str]
"""(from, to, action)."""


def case_diagram() -> str:
    """What owner and source do, and where a forwarding's moves and the passing of time take the case."""
    owners = [(at, to, action) for at, moves in CASE.items() for action, ends in moves.items() for to in ends]
    legs = [
        (at, to, f"forwarding {action}")
        for at, moves in BY_LEGS.items()
        for action, ends in moves.items()
        for to in ends
    ]
    time = [(at, to, why) for at, moves in BY_TIME.items() for why, ends in moves.items() for to in ends]
    return _diagram("submitted", [*owners, *legs, *time])


def leg_diagram() -> str:
    """A forwarding; `reconsider`, once, in place of `return` where the case was returned too often."""
    plain = [(at, to, action) for at, moves in LEG.items() for action, to in moves.items()]
    bound = [(at, to, action) for at in LEG for action, to in leg_moves(at, binding=True).items()]
    case = [(at, to, f"case {action}") for at, moves in LEG_BY_CASE.items() for action, to in moves.items()]
    return _diagram("sent", dict.fromkeys([*plain, *bound, *case]))


def consultation_diagram() -> str:
    return _diagram(
        "open", [(at, to, act) for at, moves in CONSULTATION.items() for act, to in moves.items()]
    )


def diagrams() -> dict[str, str]:
    """Heading -> diagram."""
    return {"A case": case_diagram(), "A forwarding": leg_diagram(), "A consultation": consultation_diagram()}


def diagrams_markdown() -> str:
    """The block that stands in ARCHITECTURE.md between its markers."""
    return "\n\n".join(f"{name}:\n\n```mermaid\n{text}\n```" for name, text in diagrams().items())


def _diagram(first: str, arrows: Iterable[Arrow]) -> str:
    """One arrow for each pair of statuses, with all the actions that lead along it."""
    between: dict[tuple[str, str], list[str]] = {}
    for at, to, action in arrows:
        between.setdefault((at, to), []).append(action)
    lines = ["stateDiagram-v2", f"    [*] --> {first}"]
    lines += [f"    {at} --> {to}: {', '.join(actions)}" for (at, to), actions in between.items()]
    ends = {to for _, to in between} - {at for at, _ in between}
    return "\n".join([*lines, *(f"    {end} --> [*]" for end in sorted(ends))])
