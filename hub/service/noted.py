"""What must be on the disk, beside the master key, before a transaction commits: erasures, and what was taken
away from officers and agencies. A restore must never know less than the database did."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from hub.errors import OutcomeUnknown, SimpulError
from hub.ports.erasures import ErasureJournal, ErasureLine, NoJournal
from hub.ports.revocations import (
    AGENCY_ACTIVATED,
    AGENCY_DEACTIVATED,
    OFFICER_DISABLED,
    NoRevocations,
    RevocationJournal,
    RevocationLine,
    Revoked,
)
from hub.service.overlay import Overlay


@dataclass(frozen=True, slots=True)
class Journals:
    """Both, as one batch writes them. Without journals, a batch that would need them is a TypeError."""

    erasures: ErasureJournal = field(default_factory=NoJournal)
    revocations: RevocationJournal = field(default_factory=NoRevocations)

    @contextmanager
    def noted(self, overlay: Overlay, now: str) -> Iterator[None]:
        """Around the commit. StoreUnavailable before it where a journal cannot be written."""
        with self._revoked(overlay, now), self._erased(overlay):
            yield

    @contextmanager
    def _erased(self, overlay: Overlay) -> Iterator[None]:
        """Taken back if the transaction surely took no effect."""
        if not overlay.destroyed:
            yield
            return
        lines = _erasure_lines(overlay)
        self.erasures.add(lines)
        try:
            yield
        except OutcomeUnknown:
            raise
        except SimpulError:
            self.erasures.take_back(lines)
            raise

    @contextmanager
    def _revoked(self, overlay: Overlay, now: str) -> Iterator[None]:
        """What was given back, and perhaps was not, is taken away again: a restore may only err on that
        side."""
        lines = self._revocation_lines(overlay, now)
        if lines:
            self.revocations.add(lines)
        given_back = [line for line in lines if line.what == AGENCY_ACTIVATED]
        try:
            yield
        except SimpulError:
            if given_back:
                self.revocations.add([replace(line, what=AGENCY_DEACTIVATED) for line in given_back])
            raise

    def _revocation_lines(self, overlay: Overlay, now: str) -> list[RevocationLine]:
        """Who leaves with a handover, agencies whose part ends, and, returned, whose part begins again."""
        lines = [RevocationLine(OFFICER_DISABLED, each.officer, each.at) for each in overlay.departed]
        if not overlay.changed_agencies:
            return lines
        ended = Revoked.of(self.revocations.lines()).agencies
        for name in sorted(overlay.changed_agencies):
            if (active := overlay.agencies[name].active) == (name in ended):
                lines.append(RevocationLine(AGENCY_ACTIVATED if active else AGENCY_DEACTIVATED, name, now))
        return lines


def _erasure_lines(overlay: Overlay) -> list[ErasureLine]:
    erased = [
        (name, overlay.cases[name].state.erasure) for name in overlay.destroyed if name in overlay.cases
    ]
    return [ErasureLine(name, done.by, done.erased_at) for name, done in erased if done is not None]
