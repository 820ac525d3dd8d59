"""What an agency reads of a thread, one case after the other; all of them together live in
`test_thread_machine.py`."""

from __future__ import annotations

from typing import Any

import orjson

from hub.domain.threads.audience import names_file
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
from hub.domain.threads.views import message_view
from tests.domain.casework import uuid
from tests.domain.threads.roomwork import (
    BALAI,
    BANJAR,
    BRIDGE,
    FLOOD,
    KOTIM,
    OFFICERS,
    PAPUA,
    PUPR,
    REGISTRY,
    THREAD_ID,
    Roomwork,
)

FILE = {"sha256": "ab" * 32, "media_type": "image/jpeg", "size": 284113}
ACCOUNT = next(account for account, agency in OFFICERS.items() if agency == KOTIM)


def room(cases: tuple[str, ...] = (FLOOD,), others: tuple[str, ...] = (PUPR, BALAI)) -> Roomwork:
    work = Roomwork()
    work.open(OpenThread(THREAD_ID, "Banjir di batas", cases, others), KOTIM)
    return work


def say(work: Roomwork, number: int, text: str, actor: str = KOTIM, **more: Any) -> str:
    scope = more.pop("scope", "agencies")
    work.act(PostMessage(THREAD_ID, uuid(number), text, scope, **more), actor)
    return uuid(number)


def come(work: Roomwork, agency: str, history: str) -> None:
    work.act(AddParticipant(THREAD_ID, tuple(work.state.cases), agency, history), KOTIM)


def go(work: Roomwork, agency: str) -> None:
    work.act(RemoveParticipant(THREAD_ID, tuple(work.state.cases), agency), agency)


def page(work: Roomwork, agency: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    thread, messages = orjson.loads(work.page(agency))
    return thread, messages


def texts(work: Roomwork, agency: str) -> list[str | None]:
    return [each["text"] for each in page(work, agency)[1]]


def view(work: Roomwork, name: str, agency: str) -> dict[str, Any]:
    return message_view(work.messages[name], work.state, agency)


def test_an_internal_note_is_its_agencys_alone_and_moves_nothing_for_others() -> None:
    work = room()
    before = {agency: work.page(agency) for agency in (PUPR, BALAI)}
    note = say(work, 1, "Jangan janji dulu.", scope="internal", mentions=(KOTIM, ACCOUNT))
    work.act(EditMessage(THREAD_ID, note, "Jangan janji apa pun."), KOTIM)
    work.act(WithdrawMessage(THREAD_ID, note), KOTIM)
    assert {agency: work.page(agency) for agency in (PUPR, BALAI)} == before
    assert texts(work, KOTIM) == ["Jangan janji apa pun."]
    assert [set(fact.recipients) for fact, _ in work.log[1:]] == [{KOTIM}] * 3


def test_who_comes_from_now_on_sees_nothing_from_before_and_who_is_shown_all_sees_it() -> None:
    work = room(others=(PUPR,))
    say(work, 1, "Sebelum.")
    say(work, 2, "Rahasia.", scope="internal")
    come(work, BALAI, "from_now")
    come(work, PAPUA, "all")
    say(work, 3, "Sesudah.")
    assert texts(work, BALAI) == ["Sesudah."]
    assert texts(work, PAPUA) == ["Sebelum.", "Sesudah."]
    shown = {each["agency"]: each["history"] for each in page(work, BALAI)[0]["participants"]}
    assert shown == {KOTIM: "all", PUPR: "all", BALAI: "from_now", PAPUA: "all"}


def test_an_edit_of_what_one_never_saw_is_not_seen_either() -> None:
    work = room(others=(PUPR,))
    old = say(work, 1, "Sebelum.")
    come(work, BALAI, "from_now")
    (edited,) = work.act(EditMessage(THREAD_ID, old, "Sebelum, diperbaiki."), KOTIM)
    assert texts(work, BALAI) == [] and set(edited.recipients) == {KOTIM, PUPR}


def test_who_leaves_keeps_the_words_of_that_time() -> None:
    work = room()
    first = say(work, 1, "Satu.")
    work.act(EditMessage(THREAD_ID, first, "Satu, lebih jelas."), KOTIM)
    go(work, BALAI)
    left = work.page(BALAI)
    work.act(EditMessage(THREAD_ID, first, "Satu, sama sekali lain."), KOTIM)
    say(work, 2, "Dua.")
    work.act(MakeCommitment(THREAD_ID, uuid(9), PUPR, "Pompa.", "2025-03-20"), KOTIM)
    work.act(Conclude(THREAD_ID, "Surut.", despite_open_commitments=True), KOTIM)
    assert work.page(BALAI) == left
    assert texts(work, BALAI) == ["Satu, lebih jelas."]
    assert page(work, BALAI)[0]["status"] == "open"


def test_what_was_written_while_one_was_away_stays_unread_unless_all_is_shown() -> None:
    """Who comes again from now on reads a later edit, but not the one that fell in between, either as the
    message's words or among the earlier ones; nor does it once it has left again."""
    work = room()
    first = say(work, 1, "Awal.")
    go(work, BALAI)
    work.act(EditMessage(THREAD_ID, first, "Saat pergi."), KOTIM)
    come(work, BALAI, "from_now")
    assert (view(work, first, BALAI)["text"], "earlier" in view(work, first, BALAI)) == ("Awal.", False)
    assert "edited_at" not in view(work, first, BALAI)
    work.act(EditMessage(THREAD_ID, first, "Setelah kembali."), KOTIM)
    seen = view(work, first, BALAI)
    assert (seen["text"], [each["text"] for each in seen["earlier"]]) == ("Setelah kembali.", ["Awal."])
    go(work, BALAI)
    assert view(work, first, BALAI) == seen
    come(work, BALAI, "all")
    assert [each["text"] for each in view(work, first, BALAI)["earlier"]] == ["Awal.", "Saat pergi."]


def test_what_is_withdrawn_its_author_alone_still_reads() -> None:
    work = room()
    name = say(work, 1, "Salah kirim.", attachments=(FILE,), names=("pompa.jpg",))
    go(work, BALAI)
    work.act(EditMessage(THREAD_ID, name, "Salah kirim, maaf."), KOTIM)
    (fact,) = work.act(WithdrawMessage(THREAD_ID, name), KOTIM)
    assert [view(work, name, agency)["text"] for agency in (KOTIM, PUPR, BALAI)] == [
        "Salah kirim, maaf.", None, None
    ]  # fmt: skip
    assert "Salah kirim" not in str(page(work, PUPR)) and "pompa.jpg" not in str(page(work, PUPR))
    assert [each["text"] for each in view(work, name, KOTIM)["earlier"]] == ["Salah kirim."]
    assert orjson.loads(work.event(fact, {}))["message"]["withdrawn"] is True
    assert b"pompa" not in work.event(fact, {}) and b"abab" not in work.event(fact, {})
    assert not any(names_file(work.messages.values(), work.state, who, FILE["sha256"]) for who in REGISTRY)


def test_a_file_is_for_who_reads_what_names_it_and_for_who_carries_it_to_the_reporter() -> None:
    work = room((FLOOD, BRIDGE), (PUPR,))
    readers = []
    for number, scope in enumerate(("internal", "agencies", "reporter")):
        sha256 = f"{number:064x}"
        more: dict[str, Any] = {"attachments": ({**FILE, "sha256": sha256},), "names": ("a.jpg",)}
        say(work, number, "Foto.", PUPR, scope=scope, **more)
        readers.append(
            {who for who in REGISTRY if names_file(work.messages.values(), work.state, who, sha256)}
        )
    assert readers == [{PUPR}, {KOTIM, PUPR}, {KOTIM, PUPR, BANJAR}]


def test_a_reporter_message_goes_to_the_sources_of_the_cases_meant() -> None:
    work = room((FLOOD, BRIDGE), (PUPR,))
    say(work, 1, "Pompa datang besok.", PUPR, scope="reporter")
    say(work, 2, "Khusus jembatan.", PUPR, scope="reporter", cases=(BRIDGE,))
    go(work, KOTIM)
    work.act(EditMessage(THREAD_ID, uuid(1), "Pompa datang lusa."), PUPR)
    told = [fact.recipients for fact, _ in work.log if "message" in fact.data]
    assert told == [
        {BANJAR: "source", KOTIM: "participant", PUPR: "participant"},
        {BANJAR: "source", KOTIM: "participant", PUPR: "participant"},
        {BANJAR: "source", KOTIM: "source", PUPR: "participant"},
    ]
    assert work.messages[uuid(1)].state.cases == (FLOOD, BRIDGE)


def test_a_commitment_is_known_to_who_saw_it_made_and_as_it_stands() -> None:
    work = room(others=(PUPR,))
    work.act(MakeCommitment(THREAD_ID, uuid(1), PUPR, "Pompa.", "2025-03-20", "Bu Rina"), KOTIM)
    come(work, BALAI, "from_now")
    come(work, PAPUA, "all")
    (changed,) = work.act(ChangeCommitment(THREAD_ID, uuid(1), "2025-03-21", "Jalan putus."), PUPR)
    (kept,) = work.act(FulfilCommitment(THREAD_ID, uuid(1), "Terpasang."), KOTIM)
    assert set(changed.recipients) == set(kept.recipients) == {KOTIM, PUPR, PAPUA}
    assert page(work, BALAI)[0]["commitments"] == []
    (shown,) = page(work, PAPUA)[0]["commitments"]
    assert (shown["text"], shown["officer"], shown["due_on"]) == ("Pompa.", "Bu Rina", "2025-03-21")
    assert [(each["agency"], each["reason"]) for each in shown["changes"]] == [(PUPR, "Jalan putus.")]
    assert (shown["fulfilment"]["agency"], shown["fulfilment"]["text"]) == (KOTIM, "Terpasang.")


def test_a_conclusion_stands_until_the_thread_is_reopened() -> None:
    work = room()
    work.act(Conclude(THREAD_ID, "Air sudah surut."), PUPR)
    shown = page(work, BALAI)[0]
    assert (shown["status"], shown["conclusion"]["agency"]) == ("concluded", PUPR)
    assert shown["conclusion"]["text"] == "Air sudah surut."
    work.act(ReopenThread(THREAD_ID), BALAI)
    assert page(work, BALAI)[0]["status"] == "open" and "conclusion" not in page(work, BALAI)[0]


def test_who_wrote_it_is_the_agency_and_its_officer_by_name_or_account() -> None:
    work = room()
    named = say(work, 1, "Halo.", officer="Pak Budi", mentions=(PUPR,))
    by_account = say(work, 2, "Halo.", officer_id=ACCOUNT)
    work.act(EditMessage(THREAD_ID, named, "Halo semua."), KOTIM)
    assert view(work, named, PUPR)["author"] == {"agency": KOTIM, "officer": "Pak Budi"}
    assert view(work, by_account, PUPR)["author"] == {"agency": KOTIM, "officer": ACCOUNT}
    fact, words = work.log[-1]
    assert orjson.loads(work.event(fact, words))["message"]["author"]["officer"] == "Pak Budi"
    assert "Pak Budi" not in str(fact.data), "a name is a text"
