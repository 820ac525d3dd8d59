"""What officers write is masked on entry: NIK, phones, e-mails, and whatever would name a reporter. Words
that are looked through in a moment are masked in the transaction, which has the case at hand; the others on
a reader's thread before it (`Hub.mask_text`), since the writer's time is everybody's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from hub.domain.case import CaseState
from hub.domain.commands import (
    Advise,
    Answer,
    Close,
    Consult,
    Escalate,
    Forward,
    Progress,
    Reconsider,
    Reopen,
    Reply,
    Return,
    Verify,
    Withdraw,
)
from hub.domain.privacy import is_plain, mask_all
from hub.domain.threads.commands import PostMessage
from hub.ports.sealing import Sealing
from hub.service.acts import Body, words_of
from hub.service.identities import opened, values_naming
from hub.service.overlay import Overlay
from hub.service.requests import Request
from hub.service.staging import Recorder

MOST: Final = 4_000
"""Characters together: the reporter's own values are looked for in them in some 30 us."""
MASKED: Final = (PostMessage, Verify, Forward, Consult, Advise, Return, Progress, Answer, Withdraw,
                 Reconsider, Close, Reopen, Reply, Escalate)  # fmt: skip
"""The commands whose words the transaction may be left to mask."""
C = TypeVar("C", bound=Any)


def left_to_mask(body: Body, members: Sequence[str]) -> tuple[str, ...]:
    """The members of the command made from `body` that the transaction may mask: all of these and the files'
    names if their words are short and surely hold nothing that the long scan looks for (it may take 600 us),
    else none."""
    texts = words_of(body, members)
    if not texts or sum(map(len, texts)) > MOST or not all(is_plain(text) for text in texts):
        return ()
    return (*members, "names") if body.get("attachments") else tuple(members)


def require_maskable(request: Request) -> None:
    """No words are kept as they were written: TypeError for a command that nobody would mask."""
    if request.words and not isinstance(request.command, MASKED):
        raise TypeError(f"the words of {type(request.command).__name__} must be masked before")


class OfficersWords:
    """Of the commands whose `Request.words` are still as they were written."""

    def __init__(self, sealing: Sealing, recorder: Recorder) -> None:
        self._sealing = sealing
        self._recorder = recorder

    def masked(
        self, request: Request, command: C, states: Iterable[CaseState], overlay: Overlay
    ) -> tuple[C, tuple[str, ...]]:
        """The command as it may be kept, and the kinds of what was masked. Call it when the writer's right is
        decided: the identities of these cases are opened, for as long as this takes."""
        if not request.words:
            return command, ()
        own = [value for state in states for value in self._own_values(state, overlay)]
        return masked(command, request.words, own)

    def _own_values(self, state: CaseState, overlay: Overlay) -> list[str]:
        identity, key = overlay.identities.get(state.id), self._recorder.key(state.id, overlay)
        if identity is None or key is None:
            return []
        return values_naming(opened(self._sealing, key, identity, state.id), state)


def masked(command: C, members: Sequence[str], own: Sequence[str]) -> tuple[C, tuple[str, ...]]:
    """The command with the words in these members masked (each None, a text, or several), and the kinds of
    what was found, in their order."""
    kinds: set[str] = set()
    changed: dict[str, Any] = {}
    for name in members:
        held = getattr(command, name)
        texts, found = mask_all([held] if isinstance(held, str) else held or (), own)
        kinds.update(found)
        if held:
            changed[name] = texts[0] if isinstance(held, str) else tuple(texts)
    return (replace(command, **changed) if kinds else command), tuple(sorted(kinds))
