"""What a case may gather, by HTTP: the bounds as they are told, with a problem type of their own. The bounds
are made small here; `tests/domain/test_bounds.py` reaches the real ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.domain import bounds
from tests.api.checking import Reply
from tests.api.conftest import Caller, forwarded
from tests.api.deadlines.conftest import act

MINISTRY = "kementerian-pupr"
DUE_ON = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
CASE_FULL, THREAD_FULL = "urn:simpul:problem:case-full", "urn:simpul:problem:thread-full"


def shrink(monkeypatch: pytest.MonkeyPatch, name: str, room: str, most: int = 2) -> None:
    """Where it is counted, and in the sentence."""
    monkeypatch.setattr(bounds, name, most)
    monkeypatch.setattr(f"hub.domain.{room}.{name}", most)


def told(answer: Reply, kind: str, *words: str) -> list[str]:
    """What is possible, of a 409 by a bound that says all these words."""
    assert (answer.status, answer.json["type"]) == (409, kind), answer.text
    for word in words:
        assert word in answer.json["detail"]
    possible: list[str] = answer.json["possible"]
    return possible


async def test_links_on_either_side(app: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch, "MOST_LINKS", "links")
    full, *others = [(await app.submit())["id"] for _ in range(4)]
    for other in others[:2]:
        await act(app, f"/v1/cases/{other}/links", {"case": full, "relation": "duplicate"})
    here = await app.post(f"/v1/cases/{full}/links", {"case": others[2], "relation": "related"})
    told(here, CASE_FULL, "This case has 2 links", "at most 2", "Undo")
    there = await app.post(f"/v1/cases/{others[2]}/links", {"case": full, "relation": "duplicate"})
    told(there, CASE_FULL, "The other case has 2 links", "primary of further duplicates")
    removed = await app.send("DELETE", f"/v1/cases/{full}/links/{others[0]}")
    assert removed.status == 200
    await act(app, f"/v1/cases/{others[2]}/links", {"case": full, "relation": "duplicate"})


async def test_forwardings_and_consultations(app: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch, "MOST_LEGS", "recipients")
    shrink(monkeypatch, "MOST_CONSULTATIONS", "consultation", 1)
    case, leg = await forwarded(app)
    ask = {"agency": MINISTRY, "question": "Ruas jalan ini milik siapa?"}
    await act(app, f"/v1/cases/{case}/consultations", ask, 201)
    assert "consult" not in (await app.get(f"/v1/cases/{case}")).json["actions"]
    again = ask | {"agency": "bbws"}
    possible = told(await app.post(f"/v1/cases/{case}/consultations", again), CASE_FULL, "At most 1")
    assert "consult" not in possible and "forward" in possible
    path = f"/v1/cases/{case}/forwardings"
    to = {"to": [{"agency": MINISTRY, "role": "lead"}]}
    await act(app, f"/v1/forwardings/{leg}/withdrawal", {"reason": "Salah alamat."})
    await act(app, path, to, 201)
    second = (await app.get(f"/v1/cases/{case}")).json["forwardings"][-1]["id"]
    await act(app, f"/v1/forwardings/{second}/withdrawal", {"reason": "Salah alamat."})
    shown = (await app.get(f"/v1/cases/{case}")).json
    possible = told(await app.post(path, to), CASE_FULL, "at most 2 forwardings", "may add 0", "close it")
    assert "forward" not in possible and possible == [each for each in shown["actions"] if each != "link"]


async def test_threads_and_their_commitments(app: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch, "MOST_ROOMS", "threads.rooms", 1)
    monkeypatch.setattr("hub.domain.threads.around.MOST_PROMISED", 1)
    monkeypatch.setattr("hub.domain.threads.commitments.MOST_PROMISED", 1)
    case, _ = await forwarded(app)
    opened = await app.post("/v1/threads", {"subject": "Lampu", "cases": [case]})
    assert opened.status == 201, opened.text
    told(await app.post("/v1/threads", {"subject": "Lampu", "cases": [case]}), CASE_FULL, "at most 1", case)
    path = f"/v1/threads/{opened.json['id']}/commitments"
    promise = {"agency": opened.json["opened_by"], "text": "Lampu diganti.", "due_on": DUE_ON}
    assert (await app.post(path, promise)).status == 201
    assert "commit" not in told(await app.post(path, promise), THREAD_FULL, "at most 1", "Conclude it")
