"""A photo that is not in the folder is named with its reason, at `check` and while it runs."""

from __future__ import annotations

from pathlib import Path

from tests.connectors.apps import App
from tests.connectors.office import Office, sql_config
from tests.connectors.processes import ConnectorProcess, eventually

LOST = "photo not sent; the complaint goes without it"


def with_photos(folder: Path) -> str:
    return f'[photos]\ncolumn = "foto"\nfolder = "{folder}"\n'


def test_a_missing_photo_is_counted_by_check_and_named_once_in_the_log(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    folder = connector.folder / "foto"
    folder.mkdir()
    (folder / "ada.jpg").write_bytes(b"\xff\xd8\xff\xe0 sebuah foto")
    (folder / "kosong.jpg").touch()
    sqlite.report("Jembatan rusak.", photo="hilang.jpg,ada.jpg,kosong.jpg")
    sqlite.report("Lampu mati.", photo="ada.jpg")
    sqlite.report("Parit tersumbat.", photo="lenyap.png")
    sql_config(sqlite, office, connector, with_photos(folder))
    checked = connector.run("check")
    assert "2 of the 3 rows looked at name a photo that cannot be sent" in checked.stdout
    assert f"the first is hilang.jpg of 1: it is not in photos.folder {folder}" in checked.stdout
    assert checked.returncode == 0
    connector.start()
    eventually(lambda: len(office.complaints()) == 3, "all arrive")
    lost = {line["reference"]: line["photos"] for line in connector.logged() if line["event"] == LOST}
    assert set(lost) == {"1", "3"}
    assert lost["1"].startswith(f"hilang.jpg: it is not in photos.folder {folder}; kosong.jpg: it is empty")
    assert sum(line["event"] == LOST for line in connector.logged()) == 2
    assert [file["name"] for file in office.complaints()["1"]["attachments"]] == ["ada.jpg"]


def test_a_photo_that_goes_missing_before_it_is_sent_is_named_too(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    folder = connector.folder / "foto"
    folder.mkdir()
    (folder / "ada.jpg").write_bytes(b"\xff\xd8\xff\xe0 sebuah foto")
    sqlite.report("Jembatan rusak.", photo="ada.jpg")
    address, office.url = office.url, "http://127.0.0.1:9"
    sql_config(sqlite, office, connector, with_photos(folder))
    connector.start()
    eventually(lambda: any("hub is away" in event for event in connector.events()), "it waits in the spool")
    eventually(lambda: b"ada.jpg" in connector.on_disk(), "it waits with its photo")
    connector.kill()
    (folder / "ada.jpg").unlink()
    office.url = address
    sql_config(sqlite, office, connector, with_photos(folder))
    connector.start()
    eventually(office.complaints, "it arrives without it")
    (line,) = [line for line in connector.logged() if line["event"] == LOST]
    assert (line["reference"], line["photos"]) == ("1", f"ada.jpg: it is not in photos.folder {folder}")


def test_a_folder_that_is_not_there_stands_in_the_way(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sqlite.report("Jembatan rusak.", photo="hilang.jpg")
    sql_config(sqlite, office, connector, with_photos(connector.folder / "tidak-ada"))
    checked = connector.run("check")
    assert checked.returncode == 1
    assert "WRONG  photos.folder: " in checked.stdout
    assert "1 thing to mend" in checked.stdout
