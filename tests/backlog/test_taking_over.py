"""An old case comes with its states, its answer and its dates, in the past; what is done with it from then on
is like any other's."""

from __future__ import annotations

import pytest

from hub.domain.commands import Forward, Recipient, Reopen, Verify
from hub.domain.rendering import cloud_event
from hub.domain.timekeeping import is_overdue, next_wake_of
from hub.ports.store import CaseFilter
from hub.service.requests import Outcome, Request
from tests.backlog.backlogwork import MAPPING, Importer, open_row, row
from tests.service.hubworld import KOTIM, PUPR, principal


def test_a_closed_case_has_its_whole_history(importer: Importer) -> None:
    said = importer.take(row())
    assert (said.status, said.refused) == (0, [])
    assert said.sums == {"rows": 1, "taken": 1, "there_already": 0, "refused": 0}
    with importer.core() as core:
        state = importer.case("LAMA-1", core).state
        assert (state.status, state.owner, state.historical, state.legs) == ("closed", KOTIM, True, ())
        assert (state.created_at, state.closed_at) == ("2019-03-04T02:15:00.000Z", "2019-03-19T17:00:00.000Z")
        events = importer.events("LAMA-1", core)
        assert [(fact.type, fact.time) for fact, _ in events] == [
            ("complaint.submitted", "2019-03-04T02:15:00.000Z"),
            ("complaint.verified", "2019-03-05T01:00:00.000Z"),
            ("complaint.answered", "2019-03-08T07:30:00.000Z"),
            ("complaint.closed", "2019-03-19T17:00:00.000Z"),
        ]
        assert all(fact.recipients.keys() == {KOTIM} for fact, _ in events)
        assert events[2][1] == {"text": "Lampu sudah diganti oleh petugas kami."}
        rendered = cloud_event(*events[2], source="https://hub.example")["data"]["answer"]
        assert rendered == {"agency": KOTIM, "text": "Lampu sudah diganti oleh petugas kami."}
        assert [(clock.stage, clock.state) for clock in state.clocks] == [
            ("verification", "historical"),
            ("closure", "historical"),
        ]
        assert importer.difference(core) is None


def test_it_changed_when_it_last_did_and_is_listed_as_new_since_it_was_taken_over(importer: Importer) -> None:
    """The case says when something last happened; who asks for what changed since yesterday finds it."""
    importer.take(row())
    with importer.core() as core, core.store.read() as session:
        state = importer.case("LAMA-1", core).state
        assert state.updated_at == state.closed_at == "2019-03-19T17:00:00.000Z"
        taken = state.taken_over_at
        assert taken is not None and taken > "2026"
        ((cursor, found),) = session.cases(KOTIM, CaseFilter(updated_since=taken), None, 10)
        assert (found.state.id, cursor) == (state.id, (taken, state.id))
        assert not session.cases(KOTIM, CaseFilter(updated_since="2199-01-01T00:00:00.000Z"), None, 10)
        assert importer.difference(core) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "Baru"},
        {"status": "Proses", "tgl_verifikasi": "05/03/2019"},
        {"status": "Dijawab", "tgl_jawab": "08/03/2019", "jawaban": "Sudah kami tangani."},
    ],
)
def test_an_open_one_never_wakes_and_is_never_late(importer: Importer, changes: dict[str, str]) -> None:
    assert importer.take(open_row(**changes)).status == 0
    with importer.core() as core:
        state = importer.case("LAMA-1", core).state
        assert [clock.state for clock in state.clocks if clock.is_open] == ["historical"]
        assert next_wake_of(state) is None and not is_overdue(state)
        with core.store.read() as session:
            assert session.to_wake("2199-01-01T00:00:00.000Z", 10) == []


def test_clocks_of_what_happens_from_now_on_run(importer: Importer) -> None:
    """The verification that began in 2019 raises nothing, ever; a forwarding of today has its deadlines."""
    importer.take(open_row())
    with importer.core() as core:
        case_id = importer.case("LAMA-1", core).state.id

        def do(command: object) -> Outcome:
            (result,), _ = core.runner.run([Request(principal(KOTIM), command)])  # type: ignore[arg-type]
            assert isinstance(result, Outcome), result
            return result

        do(Verify(case_id, "accept"))
        assert next_wake_of(importer.case("LAMA-1", core).state) is None
        do(Forward(case_id, (Recipient(core.ids.new(), PUPR, "lead"),)))
        state = importer.case("LAMA-1", core).state
        assert [(c.stage, c.state, c.is_open) for c in state.clocks] == [
            ("verification", "historical", False),
            ("acceptance", "running", True),
            ("follow_up", "running", True),
            ("follow_up", "running", True),
        ]
        assert next_wake_of(state) is not None
        assert importer.difference(core) is None


def test_a_rejected_one_says_why(importer: Importer) -> None:
    importer.take(open_row(status="Ditolak", tgl_tolak="06/03/2019", alasan="Bukan kewenangan kami."))
    with importer.core() as core:
        fact, texts = importer.events("LAMA-1", core)[-1]
        assert (fact.type, texts) == ("complaint.rejected", {"reason": "Bukan kewenangan kami."})
        assert importer.case("LAMA-1", core).state.clocks[0].is_open is False


def test_a_reopened_old_case_goes_on(importer: Importer) -> None:
    importer.take(open_row(status="Dijawab", tgl_jawab="08/03/2019", jawaban="Sudah kami tangani."))
    with importer.core() as core:
        case_id = importer.case("LAMA-1", core).state.id
        core.runner.run([Request(principal(KOTIM), Reopen(case_id, "Padam lagi."))])
        state = importer.case("LAMA-1", core).state
        assert state.status == "verified"
        assert [c.state for c in state.clocks if c.is_open] == ["running"]
        assert importer.difference(core) is None


@pytest.mark.parametrize(
    ("changes", "column", "words"),
    [
        ({"tgl_masuk": "04/03/2199 09:15"}, "tgl_masuk", "ahead"),
        ({"tgl_tutup": "04/03/2199"}, "tgl_tutup", "has not come yet"),
        ({"tgl_verifikasi": "03/03/2019 23:00"}, "tgl_verifikasi", "before submitted_at"),
        ({"tgl_jawab": "04/03/2019"}, "tgl_jawab", "before verified_at"),
        ({"tgl_tutup": "31/02/2019"}, "tgl_tutup", "no date"),
        ({"tgl_tutup": ""}, "tgl_tutup", "the case is closed"),
        ({"jawaban": ""}, "jawaban", "is empty"),
        ({"status": "Proses"}, "tgl_jawab", "by its status the case is verified"),
        ({"status": "Lenyap"}, "status", "(Lenyap)"),
        ({"tgl_tolak": "06/03/2019", "alasan": "Salah alamat."}, "tgl_tolak", "not both"),
        ({"tgl_masuk": ""}, "tgl_masuk", "is empty"),
        ({"no_tiket": ""}, "no_tiket", "missing"),
        ({"no_tiket": "6202014107890001"}, "no_tiket", "NIK"),
        ({"nik": "620201410789000"}, "nik", "16 digits"),
        ({"nik": "6,20201E+15"}, "nik", "power of ten"),
        ({"hp": "6.28125E+11"}, "hp", "power of ten"),
        ({"jawaban": "x" * 20_001}, "jawaban", "20,000"),
    ],
)
def test_what_cannot_be_is_refused_at_its_column(
    importer: Importer, changes: dict[str, str], column: str, words: str
) -> None:
    file = importer.csv([row(), row("LAMA-2", **changes), row("LAMA-3")])
    for options in (["--dry-run"], []):
        said = importer.run(file, *options)
        taken = said.sums["would_take" if options else "taken"]
        assert said.status == 1 and said.sums["refused"] == 1 and taken == 2
        assert said.told.keys() == {3} and column in said.told[3], said.refused
        assert words in said.told[3][column], said.told
        assert not any("6202014107890001" in str(value) for value in said.refused)


def test_a_day_without_a_time_is_not_before_the_hour_of_the_same_day(importer: Importer) -> None:
    importer.take(row(tgl_verifikasi="04/03/2019", tgl_jawab="04/03/2019 10:00", tgl_tutup="04/03/2019"))
    with importer.core() as core:
        times = [fact.time for fact, _ in importer.events("LAMA-1", core)]
        assert times == [f"2019-03-04T0{t}.000Z" for t in ("2:15:00", "2:15:00", "3:00:00", "3:00:00")]


def test_run_again_nothing_is_taken_twice_and_a_changed_row_is_told(importer: Importer) -> None:
    assert importer.take(row(), row("LAMA-2")).sums["taken"] == 2
    with importer.core() as core, core.store.read() as session:
        before = session.last_position()
    again = importer.csv([row(), row("LAMA-2", jawaban="Jawaban lain."), row("LAMA-3"), row("LAMA-3")])
    dry = importer.run(again, "--dry-run")
    said = importer.run(again)
    assert said.sums == {"rows": 4, "taken": 1, "there_already": 2, "refused": 1}
    assert dry.sums == {"dry_run": True, "rows": 4, "would_take": 1, "there_already": 2, "refused": 1}
    assert dry.refused == said.refused and said.refused[0]["reference"] == "LAMA-2"
    assert "other content" in said.told[3]["no_tiket"]
    with importer.core() as core, core.store.read() as session:
        assert session.last_position() == before + 4


def test_the_dry_run_writes_nothing_and_finds_doubles(importer: Importer) -> None:
    file = importer.csv([row(), row(jenis="Lain"), row("LAMA-2", status="Lenyap"), row("LAMA-2")])
    said = importer.run(file, "--dry-run")
    assert said.sums == {"dry_run": True, "rows": 4, "would_take": 2, "there_already": 0, "refused": 2}
    assert "stands in the file before" in said.told[3]["no_tiket"]
    with importer.core() as core, core.store.read() as session:
        assert session.reference(KOTIM, "LAMA-1") is None
        assert session.last_position() == max(e.position for e in session.events_after(0, 1000))


@pytest.mark.parametrize(("delimiter", "line"), [(";", 'delimiter = ";"'), ("\t", r'delimiter = "\t"')])
def test_a_file_with_another_delimiter_is_told_the_line_that_reads_it(
    importer: Importer, delimiter: str, line: str
) -> None:
    file = importer.csv([row()], delimiter=delimiter)
    said = importer.refused(file, "--dry-run")
    assert said.endswith(f"Add to the mapping, under [import]: {line}") and "no_tiket" in said
    mapping = MAPPING.replace("[columns]", f"{line}\n\n[columns]")
    assert importer.run(file, "--dry-run", mapping=mapping).sums["would_take"] == 1


def test_every_column_that_is_missing_is_told_at_once(importer: Importer) -> None:
    file = importer.write("lama.csv", b"No Tiket,isi;uraian,nama,nama\nA1,a,b,c\n")
    said = importer.refused(file)
    assert (
        "there are no columns 'no_tiket', 'isi', 'jenis', 'tgl_masuk', 'hp'" in said
        and "delimiter =" not in said
    )
    assert "'nama'," not in said.partition("There are:")[0]


def test_unknown_codes_and_agencies_are_found_by_the_dry_run(importer: Importer) -> None:
    mapping = MAPPING.replace('"*" = "other"', '"Hantu" = "hantu"').replace(
        "[defaults]", 'location.region = "alasan"\naddressed_to = "tgl_tolak"\n[defaults]'
    ).replace('rejected_at = "tgl_tolak"\nrejection_reason = "alasan"\n', "")  # fmt: skip
    file = importer.csv([row(jenis="Hantu"), row("B", alasan="99.99"), row("C", tgl_tolak="antah-berantah"),
                         row("D", jenis="Entah")])  # fmt: skip
    dry, said = (importer.run(file, *options, mapping=mapping) for options in (["--dry-run"], []))
    assert dry.refused == said.refused
    told = said.told
    assert "hantu" in told[2]["jenis"] and "Kemendagri" in told[3]["alasan"]
    assert "antah-berantah" in told[4]["tgl_tolak"] and "(Entah)" in told[5]["jenis"]


def test_an_agency_that_is_not_there(importer: Importer) -> None:
    line = importer.refused(importer.csv([row()]), mapping=MAPPING.replace("pemkab-kotim", "pemkab-entah"))
    assert "no active agency 'pemkab-entah'" in line
