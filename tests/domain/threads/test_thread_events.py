"""Every event of a thread, as agencies read it, fits its published schema; with its words and without."""

from __future__ import annotations

from typing import Any

import pytest

from hub.domain.events import THREAD_EVENTS, Fact
from hub.domain.rendering import cloud_event
from hub.domain.threads.commands import (
    AddParticipant,
    ChangeCommitment,
    Conclude,
    EditMessage,
    FulfilCommitment,
    MakeCommitment,
    OpenThread,
    PostMessage,
    RemoveParticipant,
    ReopenThread,
    WithdrawMessage,
)
from schemas.registry import Registry
from tests.domain.casework import uuid
from tests.domain.threads.roomwork import BALAI, BRIDGE, FLOOD, KOTIM, PUPR, THREAD_ID, Roomwork

MESSAGE, COMMITMENT = uuid(0x31), uuid(0x41)
FILE = {"sha256": "a" * 64, "media_type": "image/png", "size": 9}


def life() -> list[tuple[Fact, dict[str, Any]]]:
    work = Roomwork()
    work.open(OpenThread(THREAD_ID, "Banjir di perbatasan", (FLOOD, BRIDGE), (BALAI,)))
    work.act(AddParticipant(THREAD_ID, (FLOOD, BRIDGE), PUPR, "from_now", ("Rina Wulandari",)), KOTIM)
    posted = PostMessage(
        THREAD_ID, MESSAGE, "Petugas datang besok.", "reporter", "Budi Santoso", uuid(0x9000), (BALAI,),
        (FLOOD,), (FILE,), ("Air.png",),
    )  # fmt: skip
    work.act(posted, KOTIM)
    work.act(EditMessage(THREAD_ID, MESSAGE, "Petugas datang lusa."), KOTIM)
    work.act(WithdrawMessage(THREAD_ID, MESSAGE), KOTIM)
    work.act(MakeCommitment(THREAD_ID, COMMITMENT, BALAI, "Membuka pintu air", "2025-03-18", "Andi"), PUPR)
    work.wait(days=10)
    work.act(ChangeCommitment(THREAD_ID, COMMITMENT, "2025-03-28", "Pompa belum tiba."), BALAI)
    work.act(FulfilCommitment(THREAD_ID, COMMITMENT, "Pintu air dibuka."), BALAI)
    work.act(RemoveParticipant(THREAD_ID, (FLOOD, BRIDGE), PUPR), PUPR)
    work.act(Conclude(THREAD_ID, "Air sudah surut."), BALAI)
    work.act(ReopenThread(THREAD_ID), KOTIM)
    return work.log


LIFE = life()


@pytest.fixture(scope="module")
def schemas() -> Registry:
    return Registry.load()


def test_the_life_has_every_event() -> None:
    assert {fact.type for fact, _ in LIFE} == set(THREAD_EVENTS)


@pytest.mark.parametrize(("fact", "texts"), LIFE, ids=lambda value: getattr(value, "type", ""))
def test_every_event_fits_its_schema(fact: Fact, texts: dict[str, Any], schemas: Registry) -> None:
    for given in (texts, None) if texts else (texts,):
        event = cloud_event(fact, given, source="https://simpul.contoh.go.id")
        assert schemas.validate(fact.type, event["data"]) == [], event["data"]
        assert schemas.validate("event", event) == []
        assert event["subject"] == THREAD_ID
