"""A token is renewed at four fifths of its life; until it ends it serves, though no new one is to be had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import pytest

from connectors.config import Hub
from connectors.errors import HubAway
from connectors.hub_client import HubClient

LIFE_S = 1000.0
Answer = tuple[int, bytes, Mapping[str, str]]


class Endpoint(HubClient):
    """A client whose calls end here: the token endpoint answers with `status`, 0 for no answer; everything
    else is well."""

    def __init__(self) -> None:
        self.now_s, self.status, self.asked, self.after_s = 0.0, 200, 0, ""
        self.tokens_seen: list[str] = []
        self.case_status = 200
        super().__init__(Hub(url="http://127.0.0.1:9"), "kab", lambda: self.now_s)

    async def _http(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], timeout_s: float | None
    ) -> Answer:
        if not url.endswith("/oauth/token"):
            self.tokens_seen.append(headers["Authorization"].removeprefix("Bearer "))
            return self.case_status, b"{}", {}
        self.asked += 1
        if self.status == 0:
            raise HubAway("does not answer")
        token: dict[str, Any] = {
            "access_token": f"t{self.asked}",
            "expires_in": LIFE_S,
            "token_type": "Bearer",
        }
        headers = {"Retry-After": self.after_s} if self.after_s else {}
        return self.status, orjson.dumps(token if self.status == 200 else {}), headers


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    monkeypatch.setenv("SIMPUL_CLIENT_ID", "x")
    monkeypatch.setenv("SIMPUL_CLIENT_SECRET", "y")
    yield Endpoint()


FAILING = [0, 408, 425, 429, 500, 502, 503]


@pytest.mark.parametrize("status", FAILING)
async def test_a_good_token_serves_while_no_new_one_is_to_be_had(hub: Endpoint, status: int) -> None:
    await hub.get("/v1/x")
    hub.now_s, hub.status = 0.85 * LIFE_S, status
    await hub.get("/v1/x")
    assert hub.tokens_seen == ["t1", "t1"]
    hub.now_s, hub.status = 0.95 * LIFE_S, 200
    await hub.get("/v1/x")
    assert hub.tokens_seen[-1] == f"t{hub.asked}" != "t1"


@pytest.mark.parametrize("status", FAILING)
async def test_without_a_good_token_the_hub_is_away(hub: Endpoint, status: int) -> None:
    await hub.get("/v1/x")
    hub.now_s, hub.status = LIFE_S, status
    with pytest.raises(HubAway):
        await hub.get("/v1/x")
    assert hub.tokens_seen == ["t1"]


@pytest.mark.parametrize("status", FAILING)
async def test_a_token_that_the_hub_did_not_take_serves_no_more(hub: Endpoint, status: int) -> None:
    await hub.get("/v1/x")
    hub.status, hub.case_status = status, 401
    with pytest.raises(HubAway):
        await hub.get("/v1/x")
    assert hub.tokens_seen == ["t1", "t1"]
    hub.status, hub.case_status = 200, 200
    await hub.get("/v1/x")  # asked for at once
    assert len(hub.tokens_seen) == 3


@pytest.mark.parametrize("status", FAILING)
async def test_an_endpoint_that_gives_none_is_not_asked_at_every_call(hub: Endpoint, status: int) -> None:
    await hub.get("/v1/x")
    hub.now_s, hub.status = 0.85 * LIFE_S, status
    for _ in range(20):
        await hub.get("/v1/x")
    assert hub.asked == 2
    hub.now_s += 10.0
    await hub.get("/v1/x")
    assert hub.asked == 3


async def test_the_pause_that_the_endpoint_asks_for_is_kept_while_the_token_lasts(hub: Endpoint) -> None:
    await hub.get("/v1/x")
    hub.now_s, hub.status, hub.after_s = 0.85 * LIFE_S, 429, "60"
    await hub.get("/v1/x")
    hub.now_s += 59.0
    await hub.get("/v1/x")
    assert hub.asked == 2
    hub.now_s, hub.status = LIFE_S, 200
    await hub.get("/v1/x")
    assert (hub.asked, hub.tokens_seen[-1]) == (3, "t3")
