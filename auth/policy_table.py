"""The policy as the documentation shows it, made from the table in `policy.py` alone."""

from __future__ import annotations

from typing import Final

from auth.policy import TABLE, Action, Relation, allowed
from auth.roles import Role

LETTERS: Final = {
    Relation.SOURCE: "S",
    Relation.OWNER: "O",
    Relation.HANDLER: "H",
    Relation.PARTICIPANT: "P",
    Relation.CONSULTED: "C",
    Relation.SENDER: "N",
    Relation.FORMER: "F",
    Relation.FORMER_OWNER: "W",
    Relation.OVERSEER: "V",
    Relation.ABOVE: "A",
}
WORDS: Final = {
    Relation.SOURCE: "source",
    Relation.OWNER: "owner",
    Relation.HANDLER: "handler (of that very forwarding)",
    Relation.PARTICIPANT: "participant through another forwarding, consultation or a thread",
    Relation.CONSULTED: "consulted (by that very consultation)",
    Relation.SENDER: "sender of that very forwarding",
    Relation.FORMER: "former handler, who sees what stood when it left",
    Relation.FORMER_OWNER: "former owner",
    Relation.OVERSEER: "oversight to which the case was escalated",
    Relation.ABOVE: "above, in the hierarchy, an agency that takes part",
}
NO: Final = "-"
YES: Final = "yes"


def policy_markdown() -> str:
    """The block that stands in ARCHITECTURE.md between its markers."""
    legend = "; ".join(f"{letter} {WORDS[relation]}" for relation, letter in LETTERS.items())
    head = ["action", "scope", *(f"`{role}`" for role in Role)]
    rows = [head, ["---"] * len(head), *(_row(action) for action in TABLE)]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(
        [
            f"What an agency is to the case: {legend}. `{YES}`: no case is involved. An agency that is "
            "nothing to a case gets a 404, whatever its role; a role that lacks the right, 403.",
            "",
            *lines,
        ]
    )


def _row(action: Action) -> list[str]:
    return [str(action), f"`{TABLE[action].scope}`", *(_cell(role, action) for role in Role)]


def _cell(role: Role, action: Action) -> str:
    if TABLE[action].relations is None:
        return YES if allowed(role, action, None) else NO
    found = [letter for relation, letter in LETTERS.items() if allowed(role, action, relation)]
    return " ".join(found) or NO
