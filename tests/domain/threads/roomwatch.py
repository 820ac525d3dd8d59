"""What must hold after each step of a thread's life: every page, event and file is for whom the rights say,
and the thread is what its log says."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import Any

import orjson

from hub.domain.events import Fact
from hub.domain.threads.audience import names_file, sees_commitment, sees_message
from hub.domain.threads.evolution import evolve_thread
from hub.domain.threads.thread import MessageState, Thread, ThreadState, ThreadTexts
from hub.domain.threads.views import commitments_view, message_view
from schemas.registry import Registry
from tests.domain.threads.roomrights import Rights, words_in
from tests.domain.threads.roomwork import REGISTRY, Roomwork


class Watch:
    """Looks at everything after each step; remembers each agency's page from the step before."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.present: set[str] = set()

    def look(self, work: Roomwork, rights: Rights, facts: list[Fact]) -> None:
        assert set(work.state.present()) == rights.here
        assert work.thread is not None and work.thread.texts is not None
        assert work.thread.texts.conclusion == rights.conclusion
        pages = {each.agency: work.page(each.agency) for each in work.state.participants}
        for agency, page in pages.items():
            assert words_in(page) == rights.page(agency), agency
            self._messages(work, rights, agency)
            self._commitments(work, rights, agency)
        self._others_unmoved(pages, rights, facts)
        self._files(work, rights)
        self.pages, self.present = pages, set(rights.here)
        assert ThreadState.from_document(orjson.loads(orjson.dumps(work.state))) == work.state

    def _messages(self, work: Roomwork, rights: Rights, agency: str) -> None:
        for name, message in work.messages.items():
            knows = name in rights.heard.get(agency, {})
            assert sees_message(work.state, message.state, agency) == knows, (agency, name)
            if not knows:
                continue
            view, heard = message_view(message, work.state, agency), rights.heard[agency][name]
            told = [*(each["text"] for each in view.get("earlier", [])), view["text"]]
            assert told == (heard or [None]), (agency, name)
            assert view.get("withdrawn", False) == rights.notes[name].withdrawn

    def _commitments(self, work: Roomwork, rights: Rights, agency: str) -> None:
        state, told = work.state, rights.told.get(agency, set())
        assert {each.id for each in state.commitments if sees_commitment(state, each, agency)} == told
        if agency in rights.here:
            shown = {each["id"]: each["status"] for each in commitments_view(work.thread, agency)}  # type: ignore[arg-type]
            assert shown == {name: rights.promises[name].status for name in told}

    def _others_unmoved(self, pages: dict[str, bytes], rights: Rights, facts: list[Fact]) -> None:
        """Byte for byte: an internal message changes nothing for anybody else, and nothing at all changes for
        who has left, but that a message may be taken back."""
        inward = all(fact.data.get("message", {}).get("scope") == "internal" for fact in facts)
        authors = {fact.actor for fact in facts} if inward else set()
        back = any(fact.type == "thread.message_withdrawn" for fact in facts)
        for agency, page in pages.items():
            away = agency not in rights.here and agency not in self.present and not back
            if agency in self.pages and (away or (inward and agency not in authors)):
                assert page == self.pages[agency], agency

    def _files(self, work: Roomwork, rights: Rights) -> None:
        for sha256 in {note.file[0] for note in rights.notes.values() if note.file}:
            for agency in REGISTRY:
                allowed = names_file(work.messages.values(), work.state, agency, sha256)
                assert allowed == rights.may_fetch(agency, sha256), agency


def told_to_the_right_ones(
    work: Roomwork, rights: Rights, fact: Fact, texts: dict[str, Any], late: bool
) -> None:
    """Each fact as it happens. `late`: more has happened since, so that words may have gone by now."""
    kind = fact.type.removeprefix("thread.")
    assert set(fact.recipients) == rights.readers(kind, fact.data), kind
    said = words_in(work.event(fact, texts))
    for agency in fact.recipients:
        assert said <= rights.event_words(agency, fact.data), (kind, agency)
    if kind.startswith("message_") and kind != "message_withdrawn":
        newest = rights.notes[fact.data["message"]["id"]].words[-1]
        assert newest in said or late
    assert not words_in(fact.to_bytes()), "no words in the clear header"
    assert not words_in(work.event(fact, None)), "nor in an event that cannot be opened"


def the_log_is_the_truth(work: Roomwork) -> None:
    """The fold from the start is the thread; documents come back as they were; erased, no word is left."""
    thread, messages = work.folded()
    assert (thread, messages) == (work.thread, work.messages)
    assert thread is not None
    texts = ThreadTexts.from_document(orjson.loads(orjson.dumps(thread.texts)))
    assert texts == thread.texts
    for message in messages.values():
        assert MessageState.from_document(orjson.loads(orjson.dumps(message.state))) == message.state
    unreadable = evolve_thread(thread, work.log[-1][0], None)
    assert unreadable.texts is None and unreadable.state.erased, "one key is all words' key"
    gone = Roomwork(at=work.at + timedelta(days=400), log=work.log)
    gone.thread, gone.messages = work.folded(erased=True)
    assert gone.state.erased and gone.state.next_wake() is None and not gone.pass_time()
    for agency in gone.state.present():
        assert not words_in(gone.page(agency))
    for now in (work, gone):
        it_fits_its_schemas(now, None if now is gone else thread)


def it_fits_its_schemas(work: Roomwork, readable: Thread | None) -> None:
    """Every page and every event, with its words and without."""
    for agency in work.state.present() if readable is None else [p.agency for p in work.state.participants]:
        room, messages = orjson.loads(work.page(agency))
        assert schemas().validate("thread", room) == [], room
        for message in messages:
            assert schemas().validate("message", message) == [], message
        for commitment in room["commitments"]:
            assert schemas().validate("commitment", commitment) == [], commitment
    for fact, texts in work.log:
        data = orjson.loads(work.event(fact, texts if readable is not None else None))
        assert schemas().validate(fact.type, data) == [], data


@lru_cache(1)
def schemas() -> Registry:
    return Registry.load()
