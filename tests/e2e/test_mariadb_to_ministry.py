"""A real MariaDB, filled by its own dump and joined by the shipped configuration alone, through the hub, to a
ministry's signed webhook; and the answers back into its tables, once, whatever is killed meanwhile."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from tests.connectors.apps import App, mysql_app
from tests.connectors.office import configure_example
from tests.connectors.processes import ConnectorProcess, ForkedConnector, eventually
from tests.parts.caller import Caller
from tests.parts.hub import HubProcess
from tests.parts.local_server import PartMissing, skip_or_fail
from tests.parts.mariadb import mariadb_url

SOURCE, MINISTRY = "kab-kotawaringin-timur", "kemen-pu"
ROWS = 1000


class Ministry:
    """A case system of its own: verifies each webhook, keeps the first copy of each event."""

    def __init__(self) -> None:
        self.secret = ""
        self.seen: dict[str, dict[str, object]] = {}
        self.deliveries = 0
        self.lock = threading.Lock()
        ministry = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                event = Webhook(ministry.secret).verify(body, dict(self.headers))
                assert event["id"] == self.headers["webhook-id"]
                with ministry.lock:
                    ministry.deliveries += 1
                    ministry.seen.setdefault(event["id"], event)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing: pytest shows what matters."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/simpul"

    def forwarded(self) -> list[dict[str, dict[str, dict[str, str]]]]:
        with self.lock:
            events = list(self.seen.values())
        return [event["data"] for event in events if event["type"] == "id.simpul.forwarding.sent.v1"]  # type: ignore[misc]


@pytest.fixture
def ministry() -> Iterator[Ministry]:
    made = Ministry()
    yield made
    made.server.shutdown()


@pytest.fixture
def app() -> Iterator[App]:
    try:
        with mariadb_url() as url, mysql_app(url, "myisam", dump=True) as made:
            yield made
    except PartMissing as missing:
        skip_or_fail(missing)


@pytest.fixture
def connector(tmp_path: Path) -> Iterator[ConnectorProcess]:
    made = ForkedConnector(tmp_path)
    yield made
    made.kill()


def answer(ministry: Ministry, caller: Caller, limit: int) -> int:
    for number, data in enumerate(ministry.forwarded()[:limit]):
        leg = data["forwarding"]["id"]
        assert caller.call("POST", f"/v1/forwardings/{leg}/acceptance", {})[0] == 200
        text = f"Sudah kami tangani, urutan {number}."
        assert caller.call("POST", f"/v1/forwardings/{leg}/answer", {"text": text})[0] == 200
    return limit


@pytest.mark.mariadb
@pytest.mark.timeout(300)
def test_1000_rows_arrive_once_and_answers_come_back_once(
    hub: HubProcess, app: App, ministry: Ministry, connector: ConnectorProcess, tmp_path: Path
) -> None:
    source = hub.agency(SOURCE, "regency", "--region", "62.02")
    caller = hub.agency(MINISTRY, "ministry")
    hook = {"url": ministry.url, "event_types": ["*"]}
    ministry.secret = caller.call("PUT", "/v1/webhook", hook)[1]["secret"]
    (tmp_path / "foto").mkdir()
    texts = [(f"Laporan {n}: parit tersumbat di RT {n % 30}.", "6202051507880003") for n in range(ROWS)]
    app.many(
        "INSERT INTO pengaduan (tgl_pengaduan, isi_laporan, nik, foto) VALUES ('2026-02-02', ?, ?, '')", texts
    )
    configure_example(connector, hub.url, source, MINISTRY, tmp_path / "foto", app.url)
    connector.start()
    _kill_while_sending(connector, hub, ministry)
    arrived = ROWS + 5  # the dump's own six rows, but for the one without a text
    eventually(lambda: len(ministry.forwarded()) >= arrived, "every report reaches the ministry", 120)
    references = Counter(d["complaint"]["source"]["reference"] for d in ministry.forwarded())
    assert (len(references), set(references.values())) == (arrived, {1})
    answered = answer(ministry, caller, 60)
    written = "SELECT id_pengaduan, count(*) FROM tanggapan WHERE id_tanggapan > 1 GROUP BY 1"
    for count in (1, 25):
        eventually(lambda count=count: len(app.run(written)) >= count, "answers are being written", 60)  # type: ignore[misc]
        connector.restart()
    eventually(lambda: len(app.run(written)) == answered, "answers are in tanggapan", 60)
    assert {row[1] for row in app.run(written)} == {1}
    done = "SELECT count(*) FROM pengaduan WHERE status = 'selesai'"
    eventually(lambda: app.run(done)[0][0] >= answered, "statuses are written", 30)
    connector.kill()
    page = json.dumps(ministry.forwarded())
    for personal in ("6202051507880003", "081255510031", "Siti Aminah"):
        assert personal not in page
    hub.cli("rebuild", "--check")


def _kill_while_sending(connector: ConnectorProcess, hub: HubProcess, ministry: Ministry) -> None:
    """Five times, each time after more reports have arrived; the hub is away for ten seconds meanwhile."""
    for number in range(5):
        seen = len(ministry.forwarded())
        eventually(lambda seen=seen: len(ministry.forwarded()) >= seen + 60, "reports travel", 60)  # type: ignore[misc]
        connector.kill()
        if number == 2:
            hub.stop()
            connector.start()
            time.sleep(10)
            hub.start()
        else:
            connector.start()
    assert len(ministry.forwarded()) < ROWS, "all had arrived before the last kill"
