"""The mapping: what it refuses, that no cell breaks it, that the three formats say the same, and that no
history which it lets through runs backwards."""

from __future__ import annotations

import csv
import io
import json
import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.history import STATUSES, STEPS, History, Moment, flaws_of, steps_of
from hub.errors import CommandRefused
from hub.service.backlog.files import rows_of
from hub.service.backlog.mapping import COMPLAINT, HISTORY, read_mapping
from hub.service.backlog.rows import OldCase, RowReader
from tests.backlog.backlogwork import MAPPING, ROW
from tests.backlog.sheetwork import make_sheet

RUNBOOK = Path(__file__).parents[2] / "deploy" / "RUNBOOK.md"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def mapping(text: str = MAPPING, suffix: str = ".csv") -> Any:
    return read_mapping(tomllib.loads(text), suffix)


def test_the_runbook_has_a_mapping_that_is_read_and_every_key() -> None:
    section = RUNBOOK.read_text("utf-8").partition("\n## Old cases\n")[2].partition("\n## ")[0]
    sample = section.split("```")[1]
    read = mapping(sample)
    assert (read.layout.delimiter, read.layout.header_row) == (",", 1)
    commented = mapping(re.sub(r"^# (delimiter|header_row)", r"\1", sample, flags=re.MULTILINE))
    assert (commented.layout.delimiter, commented.layout.header_row) == (";", 3)
    with pytest.raises(CommandRefused) as told:
        mapping("[import]\nkolom = 1")
    known = re.findall(r"\w+", str(told.value).partition("There are ")[2])
    assert sorted(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == sorted(known)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[import]", "[import]\nkolom = 1", r"import.kolom: is not known here. There are agency, format"),
        ("[defaults]", "[lain]\n[defaults]", r"lain: is not known here. There are import, columns"),
        ('agency = "pemkab-kotim"', "", "import.agency: is needed"),
        ("[import]", '[import]\nencoding = "utf-99"', "import.encoding: is not known. Write"),
        ("[import]", '[import]\ntime_zone = "WIB"', "Asia/Jakarta"),
        ("[import]", '[import]\ndelimiter = ";;"', "is one character"),
        ("[import]", '[import]\nformat = "xls"', "Write one of csv, xlsx, ndjson"),
        ("[import]", "[import]\nheader_row = 0", "number of the row"),
        ('"%d/%m/%Y"]', '"%d/%m"]', "does not name day, month and year"),
        ('reference = "no_tiket"', "", "columns.reference: is needed"),
        ('reference = "no_tiket"', "reference = 7", "is a column's name in quotes"),
        ("reporter.name", "reporter.nama", "columns.reporter.nama: is no member"),
        ('closed_at = "tgl_tutup"', 'finished_at = "tgl_tutup"', "columns.finished_at: is no member"),
        ("[values.status]", "[values.channel]\n'a' = 'web'\n[values.status]", r"does not name. Add channel"),
        ('category = "jenis"', "", "columns.category: is needed"),
        (
            'answer = "jawaban"',
            'answer = "jawaban"\nlocation.latitude = "lat"',
            "both latitude and longitude",
        ),
    ],
)
def test_what_a_mapping_does_not_know_it_refuses(old: str, new: str, words: str) -> None:
    assert MAPPING.count(old) == 1
    with pytest.raises(CommandRefused, match=words):
        mapping(MAPPING.replace(old, new))


WORD = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufeff"), max_size=30
)
CELL = st.one_of(
    WORD,
    st.text(max_size=30),
    st.sampled_from([*map(str, ROW.values()), "Baru", "Proses", "0000-00-00", "NULL", "6.2E+15", "ya", "-1"]),
    st.dates().map(str),
    st.integers().map(str),
)
ROWS = st.fixed_dictionaries(dict.fromkeys(ROW, CELL))


@given(ROWS)
def test_no_cell_breaks_the_reading(cells: dict[str, str]) -> None:
    """A case, or what is wrong with members that there are; never a crash, never half a case."""
    read = RowReader(mapping()).read(cells)
    if isinstance(read, OldCase):
        assert {"submitted_at", "classification", "channel", "reporter", "source"} <= read.document.keys()
        assert read.submitted.at.tzinfo is not None
        assert all(part and part == part.strip() for part in read.history.texts.values())
        return
    assert read and {member for member, _ in read} <= {*COMPLAINT, *HISTORY}
    assert len(read) == len({member for member, _ in read})


@contextmanager
def each_format(rows: list[dict[str, str]]) -> Iterator[list[Path]]:
    """The same rows, written in each format."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(ROW))
        writer.writeheader()
        writer.writerows(rows)
        (folder / "a.csv").write_bytes(text.getvalue().encode())
        (folder / "a.ndjson").write_bytes("\n".join(json.dumps(each) for each in rows).encode())
        cells = [list(ROW), *([each[name] for name in ROW] for each in rows)]
        make_sheet(folder / "a.xlsx", dict(enumerate(cells, 1)))
        yield [folder / "a.csv", folder / "a.ndjson", folder / "a.xlsx"]


PLAIN = WORD.filter(lambda text: "_x" not in text)
WORDY = st.fixed_dictionaries(
    {"isi": PLAIN.map("Jalan. ".__add__), "jawaban": PLAIN.map("Yth. ".__add__), "nama": PLAIN, "hp": PLAIN},
    optional={"status": PLAIN, "tgl_masuk": PLAIN, "alasan": PLAIN},
)


@settings(deadline=None)  # three files are written each time
@given(st.lists(WORDY.map(ROW.__or__), max_size=3))
def test_the_three_formats_say_the_same(rows: list[dict[str, str]]) -> None:
    with each_format(rows) as files:
        found = []
        for file in files:
            plan = mapping(suffix=file.suffix)
            found.append([RowReader(plan).read(row.cells) for row in rows_of(file, plan)])
    assert found[0] == found[1] == found[2] and len(found[0]) == len(rows)
    for row, read in zip(rows, found[0], strict=True):
        assert not isinstance(read, OldCase) or read.document["description"] == row["isi"].strip()


MOMENT = st.builds(
    lambda days, hours: Moment(datetime(2019, 1, 1, tzinfo=UTC) + timedelta(days, hours=hours), hours == 0),
    st.integers(0, 4),
    st.integers(0, 23),
)
HISTORIES = st.builds(
    History,
    st.none() | st.sampled_from(STATUSES),
    st.dictionaries(st.sampled_from(STEPS), MOMENT),
    st.dictionaries(st.sampled_from(["answer", "rejection_reason", "closing_text"]), st.just("Kata.")),
    st.none() | st.just("archived"),
)


@given(HISTORIES, MOMENT)
def test_no_history_that_passes_runs_backwards(history: History, submitted: Moment) -> None:
    flaws = flaws_of(history, submitted, NOW)
    assert {member for member, _ in flaws} <= {*HISTORY, "submitted_at"}
    assert len(flaws) == len({member for member, _ in flaws})
    if flaws:
        return
    steps = steps_of(history, submitted)
    times = [submitted.at, *(datetime.fromisoformat(step.at) for step in steps)]
    assert times == sorted(times) and times[-1] <= NOW
    names = [step.name for step in steps]
    assert names == [step for step in STEPS if step in names] and set(names) >= history.moments.keys()
    assert (names[-1] if names else "submitted") == (history.status or (names[-1] if names else "submitted"))
    assert set(history.texts) <= {member for step in steps for member in _words(step.name)}


def _words(step: str) -> list[str]:
    return {"answered": ["answer"], "rejected": ["rejection_reason"], "closed": ["closing_text"]}.get(
        step, []
    )


def test_a_day_that_is_not_over_yet_in_the_east_is_not_in_the_future() -> None:
    """Midnight in the file's zone, not in the hub's."""
    plan = mapping(MAPPING.replace("[import]", '[import]\ntime_zone = "Asia/Jayapura"'))
    read = RowReader(plan).read(ROW | {"tgl_masuk": "01/01/2026"})
    assert isinstance(read, OldCase)
    assert read.submitted == Moment(datetime(2025, 12, 31, 15, tzinfo=UTC), True)
