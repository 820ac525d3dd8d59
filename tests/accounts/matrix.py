"""The policy once more, written by hand from the rules and not from the code; and how each action is tried
through HTTP without changing anything: a version that no case has, so that what is allowed is a 412."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

COLUMNS: Final = (
    *("source", "owner", "handler", "participant", "sender", "former", "consulted"),
    *("former_owner", "overseer", "above", "none"),
)
# y: allowed; 3: sees the case and may not; 4: as if there were no such case.
# What a system may, by column; then the roles of officers that may do it too.
CASE_ROWS: Final = {
    "read": ("yyyy4yyyy44", "LCAMOH"),
    "history": ("yyyy4yyyy44", "LCAMOH"),
    "evidence": ("yyyy4yyyy44", "CAO"),
    "verify": ("3y33433" + "3344", "C"),
    "consult": ("3y33433" + "3344", "C"),
    "advise": ("333343y" + "3344", "LC"),
    "forward": ("3yy3433" + "y344", "C"),
    "accept": ("33y3433" + "3344", "LC"),
    "return": ("33y3433" + "3344", "LC"),
    "progress": ("33y3433" + "3344", "LC"),
    "answer": ("33y3433" + "3344", "LC"),
    "withdraw": ("3y33y33" + "3344", "C"),
    "reconsider": ("33y3433" + "3344", "LC"),
    "close": ("3y33433" + "3344", "C"),
    "reopen": ("yy33433" + "3344", "C"),
    "reply": ("y333433" + "3344", "C"),
    "link": ("3yy3433" + "3344", "C"),
    "escalate": ("yy33433" + "3344", "C"),
    "identity": ("yy33433" + "3344", "C"),
    "erase": ("yy33433" + "3344", "C"),
    "confirm_erasure": ("yyyy4yyyy44", "CA"),
}
OTHER_ROWS: Final = {
    "submit": "C",
    "attach": "LC",
    "thread": "LC",
    "mailbox": "A",
    "stream": "LCAMOH",
    "webhook": "A",
    "deliveries": "A",
    "register": "H",
    "handover": "AH",
}
LETTERS: Final = {
    "liaison": "L",
    "coordinator": "C",
    "administrator": "A",
    "monitor": "M",
    "ombudsman": "O",
    "hub_administrator": "H",
}
READING: Final = ("read", "history")


def expected(role: str, action: str, relation: str) -> str:
    """One cell: y, 3 or 4."""
    row, roles = CASE_ROWS[action]
    cell = row[COLUMNS.index(relation)]
    if relation == "above" and role == "monitor":
        return "y" if action in READING else "3"
    if role == "system" or cell == "4":
        return cell
    return cell if LETTERS[role] in roles else "3"


def expected_anywhere(role: str, action: str) -> bool:
    return role == "system" or LETTERS[role] in OTHER_ROWS[action]


@dataclass(frozen=True)
class Try:
    """One request. `allowed`: the statuses that mean that rights were no obstacle."""

    method: str
    path: str
    body: Any = None
    allowed: tuple[int, ...] = (412,)
    headers: dict[str, str] = field(default_factory=lambda: {"If-Match": '"999"'})


def case_tries(case: str, other: str, leg: str, consultation: str) -> dict[str, Try]:
    c, f = f"/v1/cases/{case}", f"/v1/forwardings/{leg}"
    text = {"text": "Sedang kami kerjakan."}
    because = {"reason": "Belum tuntas menurut pelapor."}
    to = [{"agency": "bbws", "role": "support"}]
    return {
        "read": Try("GET", c, allowed=(200,)),
        "history": Try("GET", f"{c}/history", allowed=(200,)),
        "evidence": Try("GET", f"{c}/evidence", allowed=(200,)),
        "identity": Try("GET", f"{c}/reporter", allowed=(422,)),
        "erase": Try("POST", f"{c}/erasure", because),
        "confirm_erasure": Try("POST", f"{c}/erasure/receipts", {}),
        "verify": Try("POST", f"{c}/verification", {"decision": "accept"}),
        "consult": Try("POST", f"{c}/consultations", {"agency": "bbws", "question": "Milik siapa?"}),
        "advise": Try("POST", f"/v1/consultations/{consultation}/answer", {"verdict": "ours"}),
        "forward": Try("POST", f"{c}/forwardings", {"to": to}),
        "accept": Try("POST", f"{f}/acceptance", {}),
        "return": Try("POST", f"{f}/return", {"reason": "not_ours"}),
        "progress": Try("POST", f"{f}/progress", text),
        "answer": Try("POST", f"{f}/answer", text),
        "withdraw": Try("POST", f"{f}/withdrawal", because),
        "reconsider": Try("POST", f"{f}/reconsideration", because),
        "close": Try("POST", f"{c}/closure", {"reason": "resolved"}),
        "reopen": Try("POST", f"{c}/reopening", because),
        "reply": Try("POST", f"{c}/replies", text),
        "link": Try("POST", f"{c}/links", {"case": other, "relation": "related"}),
        "escalate": Try("POST", f"{c}/escalation", because | {"reporter_agrees": True}),
    }


OTHER_TRIES: Final = {
    "submit": Try("POST", "/v1/complaints", {}, (422,), {}),
    "attach": Try("POST", "/v1/attachments", b"catatan", (201,), {"Content-Type": "text/plain"}),
    "thread": Try("POST", "/v1/threads", {}, (422,), {}),
    "mailbox": Try("GET", "/v1/mailbox", None, (200,), {}),
    "stream": Try("GET", "/v1/stream", None, (422,), {"Last-Event-ID": "x"}),
    "webhook": Try("GET", "/v1/webhook", None, (404,), {}),
    "deliveries": Try("GET", "/v1/deliveries", None, (200,), {}),
    "register": Try("POST", "/v1/agencies", {}, (422,), {}),
    "handover": Try("POST", "/v1/agencies/instansi-none/handover", {}, (422,), {}),
}
