"""A national ID number as the key: it names a person, so the row does not leave, and no line shows it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectors.national_ids import holds_national_id
from hub.domain.privacy.references import names_a_nik
from tests.connectors.apps import NIK, App
from tests.connectors.office import Office, sql_config
from tests.connectors.processes import ConnectorProcess, eventually

DIGITS = st.text(alphabet="0123456789.- ABx", max_size=24)


@given(DIGITS | st.tuples(DIGITS, DIGITS).map(NIK.join) | st.from_regex(r"[1-9]\d{15}", fullmatch=True))
def test_what_the_hub_takes_for_a_national_id_is_taken_for_one_here(reference: str) -> None:
    assert holds_national_id(reference) == names_a_nik(reference)


def test_check_says_it_and_nothing_of_it_is_sent(
    app: App, office: Office, connector: ConnectorProcess
) -> None:
    app.report("Jalan rusak.")
    source = (
        'table = "pengaduan"\nkey = "nik"\ncursor = "id_pengaduan"\n'
        "every_s = 0.1\nrescan_every_s = 1\nrescan_pause_s = 0.05"
    )
    sql_config(app, office, connector, source=source, reporter="")
    checked = connector.run("check")
    (line,) = [line for line in checked.stdout.splitlines() if "[source] key = nik" in line]
    assert line.startswith("  WRONG")
    assert "national ID number" in line
    assert "primary key" in line
    assert (checked.returncode, NIK in checked.stdout) == (1, False)
    connector.start()
    told = "row refused; the others go on"
    eventually(lambda: told in connector.events(), "it is refused here")
    app.run("INSERT INTO pengaduan (tgl_pengaduan, nik, isi_laporan) VALUES ('2026-02-03', '7', 'Parit.')")
    eventually(lambda: "7" in office.complaints(), "the others go on")
    connector.restart()
    app.run("INSERT INTO pengaduan (tgl_pengaduan, nik, isi_laporan) VALUES ('2026-02-03', '8', 'Pagar.')")
    eventually(lambda: "8" in office.complaints(), "and again after a start")
    assert connector.events().count(told) == 1
    assert list(office.complaints()) == ["7", "8"]
    assert NIK not in connector.log.read_text()
    said = connector.run("check").stdout
    assert "refused so far" in said
    assert NIK not in said
