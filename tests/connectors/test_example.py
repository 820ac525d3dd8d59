"""The shipped example joins the widespread schema, filled by its own dump, with addresses and paths alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.connectors.apps import mysql_app
from tests.connectors.office import Office, configure_example
from tests.connectors.processes import ConnectorProcess, eventually


@pytest.mark.mariadb
def test_a_dump_with_its_zero_dates_and_photos_is_joined_by_the_example(
    mariadb: str, office: Office, connector: ConnectorProcess, tmp_path: Path
) -> None:
    photos = tmp_path / "foto"
    photos.mkdir()
    (photos / "jalan1.jpg").write_bytes(b"\xff\xd8\xff\xe0 gambar")
    with mysql_app(mariadb, "myisam", dump=True) as app:
        configure_example(connector, office.hub.url, office.source, office.ministry.agency, photos, app.url)
        connector.start()
        eventually(lambda: len(office.legs()) == 5, "all but the empty report are forwarded")
        found = office.complaints()
        assert sorted(found) == ["1", "2", "3", "4", "6"]
        (photo,) = found["1"]["attachments"]
        assert (photo["name"], photo["media_type"]) == ("jalan1.jpg", "image/jpeg")
        extensions = found["3"]["extensions"][office.source.agency]
        assert extensions == {"photos": ["hilang.jpg"], "submitted_at_unknown": True}
        assert "\r" not in found["6"]["description"]
        assert office.answer_all() == 5
        written = "SELECT id_pengaduan, count(*) FROM tanggapan WHERE id_tanggapan > 1 GROUP BY 1 ORDER BY 1"
        eventually(lambda: len(app.run(written)) == 5, "the answers are in the app")
        assert [tuple(row) for row in app.run(written)] == [(key, 1) for key in (1, 2, 3, 4, 6)]
        done = "SELECT id_pengaduan FROM pengaduan WHERE status = 'selesai' ORDER BY 1"
        eventually(lambda: len(app.run(done)) == 5, "the statuses are in the app")
        connector.kill()
        assert "5 (refused): /title:" in connector.run("check").stdout
