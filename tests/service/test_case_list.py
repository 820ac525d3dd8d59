"""A list of cases is what its cases are one by one, and is read in as many statements however long it is."""

from __future__ import annotations

from typing import Any

import pytest

from hub.domain.commands import Accept, Progress, Return, Withdraw
from hub.ports.store import CaseFilter
from hub.store.reading import Session
from tests.service.hubworld import KOTIM, PLN, PUPR, REPORTER, HubWorld, principal


def mixed(world: HubWorld) -> None:
    """Cases seen whole and frozen, with and without a name, a key and words."""
    world.submitted("L-1")
    world.submitted("L-2", reporter=REPORTER | {"anonymous": True})
    world.submitted("L-3", confidential=True)
    world.submitted("L-4", reporter=REPORTER | {"name": "Rahmat Hidayat"})
    world.forwarded((PUPR, "lead"), reference="L-5")
    erased = world.submitted("L-6")
    world.sql("DELETE FROM stream_keys WHERE stream = ?", erased)
    bare = world.submitted("L-7")
    world.sql("DELETE FROM identities WHERE case_id = ?", bare)
    returned, mine, other = world.forwarded((PUPR, "lead"), (PLN, "support"), reference="L-8")
    world.do(world.request(Return(returned, mine, "not_ours", "Bukan kami."), PUPR))
    world.do(world.request(Accept(returned, other), PLN))
    world.do(world.request(Progress(returned, other, "Kabel diganti."), PLN))
    withdrawn, leg, _ = world.forwarded((PLN, "lead"), (PUPR, "support"), reference="L-9")
    world.do(world.request(Withdraw(withdrawn, leg, "Salah alamat.")))


@pytest.mark.parametrize("agency", [KOTIM, PUPR, PLN])
async def test_a_list_is_its_cases_one_by_one(world: HubWorld, agency: str) -> None:
    mixed(world)
    async with world.serving() as hub:
        items, more = await hub.reading.cases(principal(agency), CaseFilter(), None, 50)
        assert more is None
        assert items == [await hub.reading.case(principal(agency), item["id"]) for item in items]
    names = [item["complaint"]["reporter"].get("name") for item in items]
    if agency == KOTIM:
        assert [bool(name) for name in names] == [True, True, False, False, True, True, False, False, True]
        assert names[5] == "Rahmat Hidayat", "each has its own reporter's name"
    else:
        assert None in names, "who left sees no name"


async def test_a_longer_list_takes_no_more_statements(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of whole cases; one that is seen frozen is folded from its own events."""
    asked: list[str] = []
    for name in ("case", "cases", "keys", "identities", "stream"):
        _count(monkeypatch, name, asked)
    async with world.serving() as hub:
        for count in (1, 12):
            for number in range(count):
                world.submitted(f"M-{count}-{number}")
            asked.clear()
            items, _ = await hub.reading.cases(principal(KOTIM), CaseFilter(), None, 50)
            assert asked == ["cases", "keys", "identities"]
    assert len(items) == 13


def _count(monkeypatch: pytest.MonkeyPatch, name: str, asked: list[str]) -> None:
    real = getattr(Session, name)

    def counted(self: Session, *arguments: Any) -> Any:
        asked.append(name)
        return real(self, *arguments)

    monkeypatch.setattr(Session, name, counted)
