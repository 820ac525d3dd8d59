"""An Idempotency-Key is used again by an agency that has left the case since: it is shown what it may see."""

from __future__ import annotations

from tests.api.conftest import Caller, House, forwarded
from tests.api.deadlines.conftest import act


async def test_a_replay_shows_no_more_than_who_asks_may_see_now(
    house: House, app: Caller, ministry: Caller
) -> None:
    unit = await house.caller("bbws")
    case_id, leg = await forwarded(app)
    await act(ministry, f"/v1/forwardings/{leg}/acceptance", {})
    body, key = {"to": [{"agency": "bbws", "role": "support"}]}, {"Idempotency-Key": "terus-1"}
    first = await act(ministry, f"/v1/cases/{case_id}/forwardings", body, 201, headers=key)
    (onward,) = first.json["items"]
    await act(ministry, f"/v1/forwardings/{leg}/return", {"reason": "not_ours"})
    said = {"reason": "other", "text": "Bukan wilayah kami.", "suggested_agency": "kab-kotim"}
    await act(unit, f"/v1/forwardings/{onward['id']}/return", said)
    (again,) = (await act(ministry, f"/v1/cases/{case_id}/forwardings", body, 201, headers=key)).json["items"]
    assert (again["id"], again["status"]) == (onward["id"], "sent"), "as it stood when it left"
    assert "suggested_agency" not in again
