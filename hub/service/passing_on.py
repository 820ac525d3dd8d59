"""What waits for a deactivated agency passes on, over the overlay."""

from __future__ import annotations

from collections.abc import Callable

from hub.domain.agency import HUB
from hub.domain.case import Case
from hub.domain.commands import PassOn
from hub.domain.decide import decide
from hub.domain.decisions import Around
from hub.domain.events import By
from hub.service.overlay import Overlay
from hub.service.requests import Outcome
from hub.service.rights import there
from hub.service.staging import Recorder


def pass_on(
    command: PassOn,
    recorder: Recorder,
    woken: Callable[[Case, Overlay, str], Case],
    around: Around,
    overlay: Overlay,
) -> Outcome:
    """Step by step, after what time has made of the case; replayed where nothing waits for the agency."""
    known = there(overlay.cases.get(command.case_id))
    case = woken(known, overlay, around.now)
    staged = recorder.staged(case.state.id, case, overlay)
    while drafts := decide(command, there(staged.case), around):
        recorder.record(staged, drafts, By(HUB, around.now), overlay)
    if staged.events:
        overlay.adopt(staged)
    case = there(staged.case)
    return Outcome(200, "case", (case.state.id,), case=case, replayed=case is known)
