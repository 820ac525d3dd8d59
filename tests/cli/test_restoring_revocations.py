"""A restore from an older backup gives nobody back what was taken away since."""

from __future__ import annotations

import json
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from auth.passwords import hash_password
from hub.app_access import accounts, secret_box
from hub.app_core import Core, open_core
from hub.cli.main import main
from hub.delivery.settings import DeliverySettings
from hub.delivery.targets import Targets
from hub.delivery.webhook_desk import WebhookDesk
from hub.errors import NotFound, StoreUnavailable, Unavailable
from hub.ports.accounts import OfficerRow
from hub.service.requests import ChangeAgency
from hub.settings import Settings
from hub.store.deliveries import DeliveryTable
from hub.store.writing import Transaction
from hub.vault.revocations import RevocationFile

Simpul = Callable[..., Any]
OFFICERS = ("siti", "budi", "tari", "wawan")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "var")


@pytest.fixture
def simpul(settings: Settings) -> Simpul:
    environment = {"SIMPUL_DATA_DIR": str(settings.data_dir), "SIMPUL_LOG_LEVEL": "warning"}

    def run(*arguments: str) -> Any:
        result = CliRunner(env=environment).invoke(main, arguments)
        assert result.exit_code == 0, result.output + result.stderr
        return [json.loads(line) for line in result.stdout.splitlines()]

    return run


@pytest.fixture
def backup(simpul: Simpul, settings: Settings, tmp_path: Path) -> str:
    """Of a hub where nothing was taken away yet; everybody has a password."""
    for name in ("dinas-a", "dinas-b"):
        simpul("agency", "add", name, "--name", f"Dinas {name[-1].upper()}", "--kind", "agency")
    for name in OFFICERS:
        simpul("officer", "add", "dinas-a", "--email", f"{name}@a.go.id", "--name", name, "--role", "liaison")
    for name in OFFICERS:
        change_password(settings, name)
    file = str(tmp_path / "before.backup")
    simpul("backup", file)
    return file


def change_password(settings: Settings, name: str) -> None:
    """As the route does it: the journal first."""
    with open_core(settings) as core:
        desk, row = accounts(core), found(settings, name)
        now = desk.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        assert desk.store.set_password(row, hash_password(f"kata sandi {now}"), now)


def found(settings: Settings, name: str) -> OfficerRow:
    with open_core(settings) as core:
        row = accounts(core).store.officer_of(f"{name}@a.go.id")
    assert row is not None
    return row


def lose_the_database(settings: Settings) -> None:
    """What the journal does not say is gone."""
    for path in settings.data_dir.glob(settings.database_path.name + "*"):
        path.unlink()


@pytest.mark.parametrize("is_lost", [True, False])
def test_what_was_taken_away_stays_away(
    simpul: Simpul, settings: Settings, backup: str, is_lost: bool
) -> None:
    (kept,) = simpul("client", "add", "dinas-a")
    (gone,) = simpul("client", "add", "dinas-a")
    simpul("backup", backup + "2")
    simpul("client", "revoke", gone["client_id"])
    simpul("officer", "disable", "siti@a.go.id")
    simpul("officer", "disable", "budi@a.go.id")
    (reset,) = simpul("officer", "reset", "budi@a.go.id")
    simpul("agency", "deactivate", "dinas-b")
    if is_lost:
        lose_the_database(settings)
    (done,) = simpul("restore", backup + "2")
    clients = {each["client_id"]: each["revoked_at"] for each in simpul("client", "list")}
    assert clients[gone["client_id"]] is not None
    assert clients[kept["client_id"]] is None
    assert [each["id"] for each in simpul("agency", "list") if not each["active"]] == ["dinas-b"]
    assert found(settings, "siti").disabled_at is not None
    budi = found(settings, "budi")
    assert (budi.disabled_at, budi.password_hash) == (None, None), "enabled, and the old password is void"
    assert found(settings, "tari").password_hash is not None
    assert done["officers_to_reset"] == ["budi@a.go.id"]
    assert reset["officer_id"] == budi.id
    simpul("rebuild", "--check")
    simpul("officer", "reset", "budi@a.go.id")
    assert simpul("restore", backup + "2")[0]["officers_to_reset"] == ["budi@a.go.id"], (
        "again, as it was again"
    )


def test_who_came_back_before_the_backup_stays(simpul: Simpul, settings: Settings, backup: str) -> None:
    simpul("agency", "deactivate", "dinas-b")
    simpul("officer", "disable", "siti@a.go.id")
    simpul("officer", "reset", "siti@a.go.id")
    with open_core(settings) as core:
        core.operate(ChangeAgency("dinas-b", {"active": True}))
    simpul("backup", backup + "2")
    lose_the_database(settings)
    (done,) = simpul("restore", backup + "2")
    assert all(each["active"] for each in simpul("agency", "list"))
    siti = found(settings, "siti")
    assert (siti.disabled_at, siti.one_time_hash is not None) == (None, True)
    assert done["officers_to_reset"] == []


def test_an_activation_that_failed_gives_nobody_back(
    simpul: Simpul, settings: Settings, backup: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    simpul("agency", "deactivate", "dinas-b")

    def fails(transaction: Transaction) -> None:
        raise StoreUnavailable("the disk is full")

    with open_core(settings) as core:
        with core.store.begin() as transaction:
            monkeypatch.setattr(type(transaction), "commit", fails)
        with pytest.raises(Unavailable, match="nothing was accepted"):
            core.operate(ChangeAgency("dinas-b", {"active": True}))
        monkeypatch.undo()
    lose_the_database(settings)
    simpul("restore", backup)
    assert [each["id"] for each in simpul("agency", "list") if not each["active"]] == ["dinas-b"]


def test_a_password_that_was_changed_since_is_void(simpul: Simpul, settings: Settings, backup: str) -> None:
    """Here the replaced database says it; where it is lost, the journal (the routes' own test)."""
    change_password(settings, "wawan")
    (done,) = simpul("restore", backup)
    assert done["officers_to_reset"] == ["wawan@a.go.id"]
    assert found(settings, "wawan").password_hash is None


@pytest.mark.parametrize("is_lost", [True, False])
def test_nobody_signs_in_with_a_role_that_was_taken_away(
    simpul: Simpul, settings: Settings, backup: str, is_lost: bool
) -> None:
    """Until somebody has looked at it: the backup knows the old role alone."""
    simpul("officer", "role", "tari@a.go.id", "monitor")
    if is_lost:
        lose_the_database(settings)
    (done,) = simpul("restore", backup)
    assert done["officers_to_reset"] == ["tari@a.go.id"]
    assert (found(settings, "tari").role, found(settings, "tari").password_hash) == ("liaison", None)


def desk_of(core: Core) -> WebhookDesk:
    """As the API has it, over a writer that works at once."""
    settings, secrets = DeliverySettings(allowed_networks=(ip_network("127.0.0.0/8"),)), secret_box(core)

    async def changed() -> None:
        pass

    return WebhookDesk(
        store=DeliveryTable(core.store),
        readers=AtOnce(None),  # type: ignore[arg-type]
        writer=AtOnce(),  # type: ignore[arg-type]
        targets=Targets(settings, core.clock),
        secrets=secrets,
        ids=core.ids,
        clock=core.clock,
        settings=settings,
        revocations=core.revocations,
        changed=changed,
    )


class AtOnce:
    def __init__(self, *given: Any) -> None:
        self.given = given

    async def run(self, job: Callable[..., Any]) -> Any:
        return job(*self.given)

    async def call(self, job: Callable[[], Any]) -> Any:
        return job()


@pytest.mark.parametrize("is_lost", [True, False])
async def test_no_webhook_comes_back_that_was_deleted_or_pointed_elsewhere(
    simpul: Simpul, settings: Settings, backup: str, is_lost: bool
) -> None:
    simpul("agency", "add", "dinas-c", "--name", "Dinas C", "--kind", "agency")
    old, new = "http://127.0.0.1:9/lama", "http://127.0.0.1:9/baru"
    with open_core(settings) as core:
        for agency in ("dinas-a", "dinas-b", "dinas-c"):
            await desk_of(core).put(agency, old, ["*"], None)
    simpul("backup", backup + "2")
    with open_core(settings) as core:
        desk = desk_of(core)
        await desk.delete("dinas-a")
        await desk.put("dinas-a", new, ["*"], None)
        await desk.delete("dinas-a")
        await desk.put("dinas-b", new, ["*"], None)
        await desk.put("dinas-c", old, ["id.simpul.complaint.answered.v1"], None)
    journal = RevocationFile(settings.key_path).path.read_text()
    assert "127.0.0.1" not in journal and journal.count("dinas-a") == 2
    if is_lost:
        lose_the_database(settings)
    (done,) = simpul("restore", backup + "2")
    assert (done["webhooks_to_put"], done["nothing_known_of"]) == (["dinas-b"], [] if not is_lost else [
        "erasures.ndjson"])  # fmt: skip
    with open_core(settings) as core:
        desk = desk_of(core)
        with pytest.raises(NotFound):
            await desk.get("dinas-a")
        assert [(await desk.get(name))["active"] for name in ("dinas-b", "dinas-c")] == [False, True]
        assert (await desk.put("dinas-b", new, ["*"], None))["active"]
    simpul("backup", backup + "3")
    assert simpul("restore", backup + "3")[0]["webhooks_to_put"] in ([], ["dinas-b"])


def test_it_says_so_where_nothing_is_known_of_what_was_since(
    simpul: Simpul, settings: Settings, backup: str
) -> None:
    simpul("officer", "disable", "siti@a.go.id")
    lose_the_database(settings)
    RevocationFile(settings.key_path).path.unlink()
    environment = {"SIMPUL_DATA_DIR": str(settings.data_dir), "SIMPUL_LOG_LEVEL": "warning"}
    result = CliRunner(env=environment).invoke(main, ["restore", backup])
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["nothing_known_of"] == ["erasures.ndjson", "revocations.ndjson"]
    assert "nothing is known of what was erased or revoked since" in result.stderr
    assert simpul("restore", backup)[0]["nothing_known_of"] == [], "the database that it replaces knows"


def test_a_line_holds_ids_only_and_a_torn_one_is_none(
    simpul: Simpul, settings: Settings, backup: str
) -> None:
    simpul("officer", "disable", "siti@a.go.id")
    journal = RevocationFile(settings.key_path)
    assert journal.path.stat().st_mode & 0o777 == 0o600
    (line,) = journal.path.read_text().splitlines()
    assert set(json.loads(line)) == {"what", "id", "at"}
    assert json.loads(line)["id"] == found(settings, "siti").id
    with journal.path.open("ab") as file:
        file.write(b'{"what": "client.rev')
    assert len(journal.lines()) == 1
    journal.add(journal.lines())
    assert len(journal.lines()) == 2


def test_without_its_line_nothing_is_revoked(
    simpul: Simpul, settings: Settings, backup: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hub.errors import StoreUnavailable

    def full(*_: Any) -> None:
        raise StoreUnavailable("no space")

    with open_core(settings) as core:
        monkeypatch.setattr(RevocationFile, "add", full)
        with pytest.raises(StoreUnavailable):
            accounts(core).disable("siti@a.go.id")
    assert found(settings, "siti").disabled_at is None
