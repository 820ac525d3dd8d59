"""A hub on either engine, told things that must be gone afterwards; and what is looked through for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from hub.app_core import open_core
from hub.domain.commands import Accept, Answer, ConfirmErasure, Erase, Progress, Verify
from hub.domain.threads.commands import MakeCommitment, OpenThread, PostMessage
from hub.ports.erasures import ErasureLine
from hub.ports.files import FileRow
from hub.service.intake import ComplaintCodes, ComplaintDesk
from hub.service.requests import Outcome
from hub.settings import Settings
from hub.store.files import FileTables
from hub.vault.attachments import AttachmentStore
from tests.evidence.evidencework import EvidenceWorld
from tests.service.hubworld import KOTIM, PLN, PUPR, REPORTER, START, TurnedClock

REASON = "Permintaan pelapor menurut UU 27/2022."
TITLE = "Gorong-gorong Pelabuhan Baamang ambrol"
STORY = "Truk tangki terperosok sampai subuh di simpang kelenteng."
ADDRESS = "Simpang kelenteng Baamang"
NOTE = "Titipan disposisi lewat rapat dengan balai."
PROGRESS = "Regu sudah memasang pagar bambu kuning."
ANSWER = "Gorong-gorong diganti beton pracetak."
SUBJECT = "Urusan bersama gorong-gorong Baamang"
SAID = "Siapa membawa ekskavator hari Kamis?"
PROMISED = "Meminjamkan ekskavator kuning"
MASKED = (TITLE, STORY, ADDRESS, NOTE, ANSWER, SUBJECT, SAID, PROMISED)
"""Every word that the tables keep: masked, so readable on the disk until it is erased."""
SEALED = (PROGRESS,)
"""In the log alone."""
IDENTITY = tuple(str(REPORTER[name]) for name in ("name", "phone", "email", "national_id"))
PHOTO = b"\x89PNG\r\n\x1a\n" + b"foto gorong-gorong dari pelapor " * 50


@dataclass
class ErasureWorld(EvidenceWorld):
    @property
    def settings(self) -> Settings:
        return self.core.settings

    # --- a case that leaves traces everywhere ---------------------------------------------------------

    def told(self, reference: str = "PGD-1", **changes: Any) -> str:
        """A case with words in each place that holds any: complaint, leg, progress, answer."""
        case_id = self.submitted(
            reference, title=TITLE, description=STORY, tags=[reference],
            location={"region": "62.02", "address": ADDRESS}, **changes,
        )  # fmt: skip
        self.do(self.request(Verify(case_id, "accept")))
        sent = self.forwarding(case_id, (PUPR, "lead"), note=NOTE)
        leg = sent.to[0].leg_id
        self.do(self.request(sent))
        self.do(self.request(Accept(case_id, leg), PUPR))
        self.do(self.request(Progress(case_id, leg, PROGRESS), PUPR))
        self.do(self.request(Answer(case_id, leg, ANSWER), PUPR))
        return case_id

    def room(self, *cases: str, message: str = SAID) -> str:
        """A thread about the cases with a message and a commitment."""
        name = self.legs.new()
        self.do(self.request(OpenThread(name, SUBJECT, cases, (PUPR,))))
        self.do(self.request(PostMessage(name, self.legs.new(), message, "agencies")))
        self.do(self.request(MakeCommitment(name, self.legs.new(), PUPR, PROMISED, "2025-06-02")))
        return name

    def uploaded(self, content: bytes = PHOTO) -> dict[str, Any]:
        """As a complaint names it."""
        store = AttachmentStore(self.folder / "attachments", self.core.sealer)
        stored = store.put([content], 1 << 20)
        wrapped = self.core.sealer.wrap_file_key(f"uploader:{KOTIM}", stored.sha256, stored.file_key)
        FileTables(self.core.store).put(
            FileRow(
                stored.sha256, KOTIM, "image/png", stored.size, wrapped, stored.location,
                "2025-03-14T02:00:00.000Z",
            )
        )  # fmt: skip
        return {
            "sha256": stored.sha256, "media_type": "image/png", "name": "gorong.png", "size": stored.size
        }  # fmt: skip

    # --- erasing --------------------------------------------------------------------------------------

    def erase(self, case_id: str, agency: str = KOTIM, reason: str = REASON) -> Outcome:
        return self.do(self.request(Erase(case_id, reason), agency))

    def confirm(self, case_id: str, agency: str) -> Outcome:
        return self.do(self.request(ConfirmErasure(case_id), agency))

    def lines(self) -> list[ErasureLine]:
        return self.core.journal.lines()

    def count(self, table: str, column: str, value: str) -> int:
        with self.core.store.connection() as connection:
            (found,) = connection.execute(
                f"SELECT count(*) FROM {table} WHERE {column} = ?", (value,)
            ).fetchone()
        return int(found)

    def message_words(self, thread_id: str) -> list[bytes | None]:
        with self.core.store.connection() as connection:
            rows = connection.execute(
                "SELECT texts FROM messages WHERE thread_id = ?", (thread_id,)
            ).fetchall()
        return [row[0] for row in rows]

    # --- looking --------------------------------------------------------------------------------------

    def found(self, words: tuple[str, ...]) -> set[str]:
        """Those of the words that lie readable in the data folder or in the database's own files."""
        return words_in(self.files(), words)

    def files(self) -> Iterator[Path]:
        yield from (path for path in self.folder.rglob("*") if path.is_file())
        if self.settings.on_postgres:
            yield from heap_files(str(self.settings.database))


def words_in(files: Iterator[Path], words: tuple[str, ...]) -> set[str]:
    left, seen = set(words), set[str]()
    for path in files:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue
        seen |= {word for word in left if word.encode() in data}
        left -= seen
    return seen


def heap_files(url: str) -> list[Path]:
    """The server's files of this database: tables, their overflow, indexes. What the server still holds in
    memory is written out first."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        row = connection.execute(
            "SELECT current_setting('data_directory'), oid FROM pg_database "
            "WHERE datname = current_database()"
        ).fetchone()
    assert row is not None
    return [path for path in (Path(row[0]) / "base" / str(row[1])).iterdir() if path.is_file()]


@contextmanager
def erasure_world(
    settings: Settings, codes: ComplaintCodes, clock: TurnedClock | None = None
) -> Iterator[ErasureWorld]:
    clock = clock or TurnedClock(START)
    with open_core(settings, clock) as core:
        core.registry.refresh()
        desk = ComplaintDesk(
            codes=codes, agencies=core.registry.agencies, sealing=core.sealer, ids=core.ids, clock=clock
        )
        yield ErasureWorld(core, clock, desk)


__all__ = ["KOTIM", "PLN", "PUPR"]
