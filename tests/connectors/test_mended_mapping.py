"""Whoever mends the mapping expects it to count for all that the hub does not have yet."""

from __future__ import annotations

from typing import Any

import pytest

from tests.connectors.apps import App
from tests.connectors.faulty_proxy import Fault, FaultyProxy
from tests.connectors.office import Office, sql_config
from tests.connectors.processes import ConnectorProcess, eventually

PATH = "/v1/complaints"
MENDED = 'title = { value = "Laporan warga" }'
NO_RESCAN = 'table = "pengaduan"\nkey = "id_pengaduan"\nevery_s = 0.1\nrescan_every_s = 0\nspool_limit = 5'
NO_RESCAN += '\njoin = "LEFT JOIN masyarakat ON masyarakat.nik = pengaduan.nik"'


def titles(office: Office) -> dict[str, str]:
    return {name: complaint["title"] for name, complaint in office.complaints().items()}


@pytest.mark.parametrize("away", ["before the start", "after it"])
@pytest.mark.parametrize("changes", [{}, {"source": NO_RESCAN}], ids=["rescans", "no rescan, small spool"])
def test_what_waits_is_mapped_anew_by_the_mended_mapping(
    sqlite: App,
    office: Office,
    proxy: FaultyProxy,
    connector: ConnectorProcess,
    changes: dict[str, Any],
    away: str,
) -> None:
    """Four were tried and four were not when the connector stopped; the hub has none of them."""
    sqlite.reports(8)
    hub = "batch_limit = 4\nbatch_from = 4\ntimeout_s = 3"
    sql_config(sqlite, office, connector, hub=hub, **changes)
    proxy.faults = [Fault(PATH, 503, lasting=True), Fault("/v1/", 503, lasting=True)]
    connector.start()
    eventually(lambda: proxy.refused_at and "8 pending" in connector.run("check").stdout, "all wait")
    connector.stop()
    sql_config(sqlite, office, connector, hub=hub, title=MENDED, **changes)
    if away == "before the start":
        proxy.faults.clear()
    connector.start()
    if away == "after it":
        tried = len(proxy.refused_at)
        eventually(lambda: len(proxy.refused_at) > tried + 3, "the hub is still away")
        proxy.faults.clear()
    eventually(lambda: len(office.complaints()) == 8, "all arrive")
    assert set(titles(office).values()) == {"Laporan warga"}


def test_what_the_hub_has_already_stays_as_it_was_sent(
    sqlite: App, office: Office, proxy: FaultyProxy, connector: ConnectorProcess
) -> None:
    sqlite.reports(2)
    proxy.faults = [Fault(PATH, cut=True, holding=b'"reference":"1"', lasting=True)]
    sql_config(sqlite, office, connector)
    connector.start()
    eventually(lambda: "1" in office.complaints(), "the first arrived, and its answer was lost")
    connector.stop()
    proxy.faults.clear()
    sqlite.reports(1)
    sql_config(sqlite, office, connector, title=MENDED)
    connector.start()
    eventually(lambda: "3 sent" in connector.run("check").stdout, "all are sent")
    assert titles(office)["1"].startswith("Laporan nomor")
    assert titles(office)["3"] == "Laporan warga"
    assert len(office.accepted()) == 3
