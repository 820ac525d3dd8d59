"""`check` notes a region's code that is taken, and written otherwise than on the hub's list."""

from __future__ import annotations

import pytest

from tests.connectors.apps import App
from tests.connectors.office import Office, sql_config
from tests.connectors.processes import ConnectorProcess


def noted(app: App, office: Office, connector: ConnectorProcess, region: str, words: str) -> list[str]:
    """The lines with these words of a `check` that finds nothing wrong, where every row is in `region`."""
    title = f'title = {{ of = "isi_laporan", first = 80 }}\nlocation.region = {{ value = "{region}" }}'
    sql_config(app, office, connector, title=title)
    ended = connector.run("check")
    assert ended.returncode == 0, ended.stdout
    return [line for line in ended.stdout.splitlines() if words in line]


@pytest.mark.parametrize(
    ("written", "listed"), [("6202", "62.02 (Kabupaten Kotawaringin Timur)"), ("62.02", "")]
)
def test_a_code_without_its_dot_is_noted_with_the_form_of_the_list(
    sqlite: App, office: Office, connector: ConnectorProcess, written: str, listed: str
) -> None:
    sqlite.reports(2)
    notes = noted(sqlite, office, connector, written, "location.region")
    assert len(notes) == bool(listed)
    assert all("note" in line and f"the hub's list writes {listed}" in line for line in notes)


@pytest.mark.parametrize(
    ("written", "is_noted"),
    [("62.06", True), ("11", True), ("62.02.01", False), ("6202", False), ("62", False)],
)
def test_the_same_region_for_every_row_is_where_the_agency_is_at_home(
    sqlite: App, office: Office, connector: ConnectorProcess, written: str, is_noted: bool
) -> None:
    """The example's region, left as it is, would file every complaint in another regency."""
    sqlite.reports(1)
    notes = noted(sqlite, office, connector, written, "stands in every complaint")
    assert len(notes) == is_noted
    assert all('is at home in "62.02"' in line for line in notes)
