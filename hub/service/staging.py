"""What a decision drafts becomes events: header, recipients, clocks, seal, chain. Nothing is adopted here."""

from __future__ import annotations

from collections.abc import Iterable

from hub.domain.agency import HUB, evolve_agency
from hub.domain.audience import LINKED, offered_to, told
from hub.domain.case import Case
from hub.domain.clocks import Clock
from hub.domain.copies import but
from hub.domain.dated_facts import dated_facts
from hub.domain.events import (
    RULE_EVENTS,
    By,
    Draft,
    Fact,
    chain,
    fact_of,
    is_agency_stream,
    texts_document,
)
from hub.domain.evolution import evolve, with_changed
from hub.domain.timekeeping import follow, with_clocks
from hub.errors import StateConflict
from hub.ports.effects import Head
from hub.ports.files import FileHolding
from hub.ports.sealing import Sealing, StreamKey
from hub.service.ids import Ids
from hub.service.overlay import Appended, Overlay, Staged
from hub.service.requests import Request
from hub.service.rulebook import InForce, Rulebook


class Recorder:
    """Pure but for fresh ids and sealing."""

    def __init__(self, sealing: Sealing, ids: Ids, rulebook: Rulebook) -> None:
        self._sealing = sealing
        self._ids = ids
        self._rulebook = rulebook

    def staged(
        self, stream: str, case: Case | None, overlay: Overlay, key: StreamKey | None = None
    ) -> Staged:
        return Staged(stream, overlay.head(stream), case=case, key=key or overlay.keys.get(stream))

    def record(self, staged: Staged, drafts: Iterable[Draft], by: By, overlay: Overlay) -> None:
        for draft in drafts:
            self._append(staged, draft, by, overlay)

    def hold_files(self, staged: Staged, request: Request, overlay: Overlay) -> None:
        """The case or thread that names a file holds the file's key from now on."""
        for named in request.files:
            sha256, wrapped = named.sha256, overlay.files[named.sha256, request.principal.agency].key
            key = staged.key or self.key(staged.stream, overlay)
            if key is None:
                raise StateConflict("The case was erased; nothing can be added to it.")
            file_key = self._sealing.unwrap_file_key(wrapped.stream, sha256, wrapped)
            staged.holders.append(
                FileHolding(sha256, staged.stream, self._sealing.wrap_file_key(key, sha256, file_key))
            )

    def _append(self, staged: Staged, draft: Draft, by: By, overlay: Overlay) -> None:
        name, number = draft.id or self._ids.new(), staged.head.sequence + 1
        fact = fact_of(draft, name, staged.stream, number, by)
        if draft.type in RULE_EVENTS:
            staged.dated_facts += dated_facts(fact)
            fact = but(fact, recipients={HUB: "agency"})
        elif is_agency_stream(staged.stream):
            staged.agency = evolve_agency(draft.facts)
            fact = but(fact, recipients=dict.fromkeys(sorted({by.agency, HUB, fact.subject}), "agency"))
        else:
            fact, staged.case = self._moved(staged.case, fact, draft, overlay)
        self.append(staged, fact, draft, overlay)

    def append(self, staged: Staged, fact: Fact, draft: Draft, overlay: Overlay) -> None:
        """The finished fact as the stream's next event: sealed, and a link of its chain."""
        sealed = draft.sealed or self._seal(staged, fact.id, draft, overlay)
        header = fact.to_bytes()
        link = chain(staged.head.chain, header, sealed)
        staged.events.append(
            Appended(fact.stream, fact.sequence, fact.id, header, sealed, link, tuple(fact.recipients))
        )
        staged.head = Head(fact.sequence, link)

    def _moved(self, case: Case | None, fact: Fact, draft: Draft, overlay: Overlay) -> tuple[Fact, Case]:
        """The event with its recipients and the clocks that it changes, and the case after it."""
        after, before, data = evolve(case, fact, draft.texts), case.state if case else None, fact.data
        rules = InForce(self._rulebook, overlay.agencies)
        clocks: list[Clock] = []
        if not self._rulebook.is_empty:
            clocks = follow(after.state, fact, rules, passes_on=draft.passes_on)
        if clocks:
            data = with_clocks(data, clocks)
            after = Case(with_changed(after.state, clocks), after.texts)
        readers = dict.fromkeys(offered_to(after.state, fact, overlay.owner_of), LINKED)
        readers |= told(before, after.state, fact)
        return but(fact, data=data, recipients=readers), after

    def _seal(self, staged: Staged, event_id: str, draft: Draft, overlay: Overlay) -> bytes | None:
        if not draft.texts:
            return None
        if staged.key is None:
            staged.key = self.key(staged.stream, overlay)
        if staged.key is None:
            raise StateConflict("The case was erased; nothing can be added to it.")
        return self._sealing.seal_event(staged.key, event_id, {"masked": texts_document(draft.texts)})

    def key(self, stream: str, overlay: Overlay) -> StreamKey | None:
        if stream not in overlay.keys and stream in overlay.wrapped:
            overlay.keys[stream] = self._sealing.open_stream_key(overlay.wrapped[stream])
        return overlay.keys.get(stream)
