"""Who takes part in a thread, what of it an agency may see, and who therefore gets an event."""

from __future__ import annotations

from collections.abc import Container, Iterable

from hub.domain.threads.thread import (
    INTERNAL,
    REPORTER,
    Commitment,
    Message,
    MessageState,
    ThreadState,
)

PARTICIPANT = "participant"
SOURCE = "source"
"""The relation of a case's source that carries a message to the reporter and takes no part in the thread."""


def sees_message(state: ThreadState, message: MessageState, agency: str) -> bool:
    """Whether the agency may read the message at all: it took part when the message was posted (or was shown
    what went before), and an internal one is its own."""
    if message.scope == INTERNAL and message.author != agency:
        return False
    found = state.participant(agency)
    return found is not None and found.sees(message.sequence)


def shown_versions(state: ThreadState, message: MessageState, agency: str) -> list[int]:
    """The numbers of the versions (0 is the first) that the agency may read, of a message that it sees: not
    what was written while it was away, unless it was shown everything when it came again."""
    found = state.participant(agency)
    edits = enumerate(message.edits, 1)
    return [0, *(number for number, (sequence, _) in edits if found is None or found.sees(sequence))]


def sees_commitment(state: ThreadState, commitment: Commitment, agency: str) -> bool:
    """Whether the agency may know of the commitment: it saw it made, or owes it."""
    found = state.participant(agency)
    return found is not None and (commitment.agency == agency or found.sees(commitment.sequence))


def readers_of_message(state: ThreadState, message: MessageState) -> dict[str, str]:
    """agency -> relation, for everyone who gets an event about the message: who takes part now and may read
    it, and the sources that carry it to their reporters."""
    names = dict.fromkeys(
        (each for each in state.present() if sees_message(state, message, each)), PARTICIPANT
    )
    return dict(sorted((dict.fromkeys(carriers(state, message), SOURCE) | names).items()))


def carriers(state: ThreadState, message: MessageState) -> set[str]:
    """The sources through which the message goes out to its cases' reporters."""
    return {state.sources[case_id] for case_id in message.cases} if message.scope == REPORTER else set()


def readers_of_commitment(state: ThreadState, commitment: Commitment) -> dict[str, str]:
    return _participants(each for each in state.present() if sees_commitment(state, commitment, each))


def readers(before: ThreadState | None, after: ThreadState) -> dict[str, str]:
    """Of any other event: who takes part before or after it."""
    return _participants({*after.present(), *(before.present() if before else ())})


def only_for(message: MessageState, erased: Container[str]) -> bool:
    """Whether the message is meant for reporters of erased cases alone: it goes with the last of them, though
    other cases keep its thread."""
    return message.scope == REPORTER and bool(message.cases) and all(each in erased for each in message.cases)


def names_file(messages: Iterable[Message], state: ThreadState, agency: str, sha256: str) -> bool:
    """Whether a message that the agency may read, or carries to a reporter, names the file."""
    return any(
        (sees_message(state, each.state, agency) or agency in carriers(state, each.state))
        and each.state.withdrawn_at is None
        and any(file["sha256"] == sha256 for file in each.state.attachments)
        for each in messages
    )


def _participants(names: Iterable[str]) -> dict[str, str]:
    return dict.fromkeys(sorted(names), PARTICIPANT)
