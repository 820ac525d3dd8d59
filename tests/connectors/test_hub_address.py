"""hub.url: whoever mistypes it, has not started the hub or has no credentials yet reads which of these."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from connectors.effects import Effect, check_effect
from connectors.errors import ConfigRefused, HubAway
from connectors.inbox import Inbox
from connectors.kinds import load
from connectors.mailbox import MailboxReader
from connectors.main import main
from connectors.spool import open_spool
from connectors.write_back import ANSWER_PARAMETERS
from tests.connectors.apps import App
from tests.connectors.office import EXAMPLE, Office, sql_config
from tests.connectors.processes import ConnectorProcess, eventually
from tests.parts.local_server import free_port


@contextlib.contextmanager
def greeting(said: bytes) -> Iterator[int]:
    """A server that greets and ends, as a database or a mail server does; its port."""

    class Greeting(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(100)
            self.request.sendall(said)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Greeting) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def wrong_lines(connector: ConnectorProcess) -> list[str]:
    return [line for line in connector.run("check").stdout.splitlines() if "WRONG" in line]


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH_9.2\r\n", b"J\x00\x00\x00\n5.5.5-10.11", b""])
def test_a_port_where_no_http_is_spoken_is_named_with_its_key(
    said: bytes, sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    with greeting(said) as port:
        office.url = f"http://127.0.0.1:{port}"
        sql_config(sqlite, office, connector)
        (line,) = wrong_lines(connector)
    assert f"http://127.0.0.1:{port} does not answer (" in line
    assert "mend hub.url" in line
    assert "Error" not in line
    assert "HTTP" in line


def test_a_hub_that_is_not_started_is_told_apart(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    office.url = f"http://127.0.0.1:{free_port()}"
    sql_config(sqlite, office, connector)
    (line,) = wrong_lines(connector)
    assert line.endswith("nothing listens there); start the hub, or mend hub.url")


def test_a_path_before_the_hub_is_no_hub(sqlite: App, office: Office, connector: ConnectorProcess) -> None:
    office.url += "/simpul"
    sql_config(sqlite, office, connector)
    (line,) = wrong_lines(connector)
    assert "/simpul/oauth/token answers 404, which is no hub's answer; mend hub.url" in line
    assert "token endpoint" not in line


@pytest.mark.parametrize("end", ["/v1", "/v1/", "/v1/complaints", "/oauth/token", "?a=b", "#x"])
def test_an_address_with_a_path_of_the_hubs_own_is_refused(end: str, tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(EXAMPLE.read_text(encoding="utf-8").replace("simpul.example.go.id", "x.go.id" + end))
    with pytest.raises(ConfigRefused, match=r"hub\.url: .*write https://x\.go\.id"):
        load(path)


def test_check_says_that_the_hub_was_not_asked_and_why(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sql_config(sqlite, office, connector)
    del connector.env["SIMPUL_CLIENT_SECRET"]
    lines = connector.run("check").stdout.splitlines()
    said = lines[lines.index(f"Hub {office.url}") + 1]
    assert said == "  note   the hub was not asked: SIMPUL_CLIENT_SECRET is not set"
    del connector.env["SIMPUL_CLIENT_ID"]
    lines = connector.run("check").stdout.splitlines()
    said = lines[lines.index(f"Hub {office.url}") + 1]
    assert said == "  note   the hub was not asked: SIMPUL_CLIENT_ID and SIMPUL_CLIENT_SECRET are not set"


async def test_a_hub_that_was_away_is_asked_for_an_answer_at_once(tmp_path: Path) -> None:
    """Else its return is noted only when its long poll ends."""
    waits: list[int] = []

    async def mailbox(after: int, limit: int, wait_s: int) -> dict[str, Any]:
        waits.append(wait_s)
        if len(waits) == 2:
            raise HubAway("does not answer")
        return {"items": [], "next": 0, "incarnation": "x"}

    spool = open_spool(tmp_path / "a.spool")
    hub: Any = SimpleNamespace(mailbox=mailbox)
    reader = MailboxReader(hub, spool, Inbox(spool), lambda event: True, 25)
    await reader.step()
    with pytest.raises(HubAway):
        await reader.step()
    await reader.step()
    await reader.step()
    spool.close()
    assert waits[1:] == [25, 0, 25]


def test_a_wrong_value_is_said_with_its_file(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sql_config(sqlite, office, connector, hub="wait_s = 99")
    for command in ("check", "run"):
        ended = connector.run(command)
        assert ended.returncode == 2
        assert ended.stderr == f"simpul-connector: {connector.config}: hub.wait_s: is 99; 30 is the most\n"


@pytest.mark.parametrize("arguments", [["-h"], ["check", "-h"]])
def test_h_is_help(arguments: list[str]) -> None:
    ended = CliRunner().invoke(main, arguments, prog_name="simpul-connector")
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert ended.stdout.startswith("Usage: simpul-connector")


def test_the_known_parameters_are_named_once_each() -> None:
    with pytest.raises(ConfigRefused, match="known: ") as caught:
        check_effect(Effect(statements=["UPDATE a SET b = :x WHERE c = :key"]), "k", ANSWER_PARAMETERS)
    assert str(caught.value).count("due_at, due_on") == 1


def test_the_return_of_a_hub_is_noted_though_nothing_waits(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sql_config(sqlite, office, connector, hub="wait_s = 25")
    connector.start()
    eventually(lambda: "connector started" in connector.events(), "it runs")
    eventually(lambda: connector.spool.exists() and b"incarnation" in connector.on_disk(), "it polled")
    office.hub.kill()
    away, back = "the hub is away; waiting for it, nothing is lost", "the hub is back; catching up"
    eventually(lambda: away in connector.events(), "it says so")
    office.hub.start()
    eventually(lambda: back in connector.events(), "and its return", within_s=12)
