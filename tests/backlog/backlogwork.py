"""What the tests of the import share: a hub's folder, a mapping, rows, and `simpul import`."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from hub.app_core import Core, open_core
from hub.cli.database import fold
from hub.cli.main import main as simpul
from hub.domain.case import Case
from hub.domain.events import Fact
from hub.service.intake import ComplaintCodes, ComplaintDesk
from hub.service.opening import Opener
from hub.settings import Settings
from hub.store.rebuilding import check_rebuild
from schemas.categories import Categories
from schemas.regions import Regions
from schemas.registry import Registry as Schemas
from tests.service.hubworld import KOTIM

MAPPING = """
[import]
agency = "pemkab-kotim"
dates = ["%d/%m/%Y %H:%M", "%d/%m/%Y"]

[columns]
reference = "no_tiket"
title = { column = "isi", first = 80 }
description = "isi"
category = "jenis"
submitted_at = "tgl_masuk"
reporter.name = "nama"
reporter.phone = "hp"
reporter.national_id = "nik"
status = "status"
verified_at = "tgl_verifikasi"
answered_at = "tgl_jawab"
answer = "jawaban"
rejected_at = "tgl_tolak"
rejection_reason = "alasan"
closed_at = "tgl_tutup"

[defaults]
closing_reason = "archived"

[values.status]
"Baru" = "submitted"
"Proses" = "verified"
"Dijawab" = "answered"
"Ditolak" = "rejected"
"Selesai" = "closed"

[values.category]
"Jalan" = "road"
"*" = "other"
"""

ROW: dict[str, Any] = {
    "no_tiket": "LAMA-1",
    "isi": "Lampu jalan di Jalan Tjilik Riwut padam sejak tiga malam.",
    "jenis": "Jalan",
    "tgl_masuk": "04/03/2019 09:15",
    "nama": "Marlina Tundan",
    "hp": "081250000431",
    "nik": "6202014107890001",
    "status": "Selesai",
    "tgl_verifikasi": "05/03/2019 08:00",
    "tgl_jawab": "08/03/2019 14:30",
    "jawaban": "Lampu sudah diganti oleh petugas kami.",
    "tgl_tolak": "",
    "alasan": "",
    "tgl_tutup": "20/03/2019",
}
DATES = ("tgl_verifikasi", "tgl_jawab", "tgl_tolak", "tgl_tutup")


def row(reference: str = "LAMA-1", **changes: Any) -> dict[str, Any]:
    """A case that was closed in 2019."""
    return ROW | {"no_tiket": reference} | changes


def open_row(reference: str = "LAMA-1", **changes: Any) -> dict[str, Any]:
    """One that nobody has done anything about since 2019."""
    return row(reference, **{"status": "Baru", "jawaban": "", **dict.fromkeys(DATES, "")} | changes)


@dataclass
class Said:
    """What `simpul import` said."""

    status: int
    refused: list[dict[str, Any]]
    sums: dict[str, int]
    err: str = ""

    @property
    def told(self) -> dict[int, dict[str, str]]:
        """Row -> column -> what is wrong."""
        return {each["row"]: {e["column"]: e["detail"] for e in each["errors"]} for each in self.refused}


@dataclass
class Importer:
    """`simpul import` in this process, over `folder/var`."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, str | None]:
        inherited: dict[str, str | None] = dict.fromkeys(n for n in os.environ if n.startswith("SIMPUL_"))
        return (
            inherited | {"SIMPUL_DATA_DIR": str(self.folder / "var"), "SIMPUL_LOG_LEVEL": "info"} | self.env
        )

    def mapping(self, text: str = MAPPING) -> Path:
        path = self.folder / "mapping.toml"
        path.write_text(text, "utf-8")
        return path

    def csv(
        self, rows: Sequence[Mapping[str, Any]], *, encoding: str = "utf-8", delimiter: str = ","
    ) -> Path:
        path = self.folder / "lama.csv"
        with path.open("w", encoding=encoding, newline="") as file:
            writer = csv.DictWriter(file, list(ROW), delimiter=delimiter)
            writer.writeheader()
            writer.writerows(rows)
        return path

    def write(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path

    def run(self, file: Path, *options: str, mapping: str = MAPPING) -> Said:
        """Whatever it exits with, 0 or 1 with sums."""
        ended = CliRunner().invoke(
            simpul,
            ["import", str(file), "--mapping", str(self.mapping(mapping)), *options],
            env=self.settings,
        )
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        lines = [json.loads(line) for line in ended.stdout.splitlines()]
        assert lines, ended.output
        return Said(ended.exit_code, lines[:-1], lines[-1], ended.stderr)

    def refused(self, file: Path, *options: str, mapping: str = MAPPING) -> str:
        """The one line with which the whole file was refused."""
        ended = CliRunner().invoke(
            simpul,
            ["import", str(file), "--mapping", str(self.mapping(mapping)), *options],
            env=self.settings,
        )
        assert ended.exit_code == 1 and not ended.stdout, ended.output
        (line,) = ended.stderr.splitlines()
        return line

    def take(self, *rows: Mapping[str, Any], mapping: str = MAPPING) -> Said:
        return self.run(self.csv(rows), mapping=mapping)

    @contextmanager
    def core(self, clock: Any = None) -> Iterator[Core]:
        with open_core(Settings(data_dir=self.folder / "var"), clock) as core:
            yield core

    def case(self, reference: str, core: Core) -> Case:
        with core.store.read() as session:
            found = session.reference(KOTIM, reference)
            assert found is not None, reference
            case = session.case(found.case_id)
        assert case is not None
        return case

    def events(self, reference: str, core: Core) -> list[tuple[Fact, dict[str, Any]]]:
        """The case's events with their masked words."""
        case_id = self.case(reference, core).state.id
        with core.store.read() as session:
            key, opener = session.keys([case_id]).get(case_id), Opener(core.sealer)
            return [(e.fact(), opener.texts(e, key) or {}) for e in session.stream(case_id, 0, 100)]

    def difference(self, core: Core) -> str | None:
        """None when a rebuild would make the same tables."""
        return check_rebuild(core.store, fold(core.sealer))[1]


def desk_of(core: Core) -> ComplaintDesk:
    codes = ComplaintCodes(Schemas.load(), Regions.load(), Categories.load())
    return ComplaintDesk(codes=codes, agencies=core.registry.agencies, sealing=core.sealer, ids=core.ids,
                         clock=core.clock)  # fmt: skip
