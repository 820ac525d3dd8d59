"""Which messages to reporters stand in the app, and by which event: what a message that was set aside must
not undo when it comes late."""

from __future__ import annotations

from connectors.spool import Spool


class Shown:
    """The messages table of the spool, by message and report. No words are kept here."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def sequence(self, message_id: str, reference: str) -> int | None:
        """The place in its thread of the event whose words stand in the app; None where none do."""
        row = self._spool.connection.execute(
            "SELECT sequence FROM messages WHERE message_id = ? AND reference = ?", (message_id, reference)
        ).fetchone()
        return None if row is None else int(row[0])

    def note(self, message_id: str, reference: str, sequence: int) -> None:
        with self._spool.transaction() as connection:
            connection.execute(
                "INSERT INTO messages VALUES (?, ?, ?) "
                "ON CONFLICT (message_id, reference) DO UPDATE SET sequence = excluded.sequence",
                (message_id, reference, sequence),
            )

    def references(self, message_id: str) -> list[str]:
        """The reports of this app under which the message stands."""
        rows = self._spool.connection.execute(
            "SELECT reference FROM messages WHERE message_id = ? AND reference <> '' ORDER BY reference",
            (message_id,),
        )
        return [str(row[0]) for row in rows]

    def note_withdrawn(self, message_id: str) -> None:
        """From now on it is never shown again."""
        self.note(message_id, "", 0)

    def is_withdrawn(self, message_id: str) -> bool:
        return self.sequence(message_id, "") is not None

    def is_told_now(self, message_id: str) -> bool:
        """True the first time: somebody is told once that the message is not shown."""
        name = f"not shown {message_id}"
        if self._spool.get(name):
            return False
        self._spool.put(name, "told")
        return True

    def forget_sequences(self) -> None:
        """The hub was restored: its threads count their events anew from the backup on."""
        with self._spool.transaction() as connection:
            connection.execute("UPDATE messages SET sequence = 0 WHERE sequence > 0")
