"""`simpul verify`: exit 0 with a summary, 1 with the first broken link, 2 without keys; no hub is needed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from auth.keys import generate_signing_key
from hub.cli.main import main
from tests.evidence.evidencework import EvidenceWorld
from tests.service.hubworld import KOTIM, START


def simpul(folder: Path, *arguments: object) -> Result:
    given = [str(each) for each in arguments]
    return CliRunner().invoke(main, ["verify", *given], env={"SIMPUL_DATA_DIR": str(folder)})


@pytest.fixture
async def file(plain_world: EvidenceWorld, tmp_path: Path) -> Path:
    case_id = plain_world.long_case(30)
    path = tmp_path / "bukti.json"
    with plain_world.desks() as desks:
        path.write_bytes(await plain_world.export(desks, KOTIM, case_id))
    return path


def test_a_file_that_holds(plain_world: EvidenceWorld, file: Path) -> None:
    done = simpul(plain_world.folder, file)
    assert (done.exit_code, done.stderr) == (0, "")
    said = json.loads(done.stdout)
    assert (said["events"], said["shown"], said["withheld"]) == (30, 30, 0)
    assert said["opened"] > 20
    assert said["kid"] == plain_world.gate.signer().kid
    assert said["checkpoint_at"] == "2025-03-14T02:00:00.000Z"


def test_with_the_published_keys_and_nothing_else(
    plain_world: EvidenceWorld, file: Path, tmp_path: Path
) -> None:
    keys, nowhere = tmp_path / "jwks.json", tmp_path / "kosong"
    keys.write_text(json.dumps(plain_world.gate.jwks()))
    done = simpul(nowhere, file, "--keys", keys)
    assert done.exit_code == 0, done.stderr
    assert not nowhere.exists(), "no hub is made"


def test_without_keys_it_was_used_wrongly(file: Path, tmp_path: Path) -> None:
    nowhere = tmp_path / "kosong"
    done = simpul(nowhere, file)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "--keys" in done.stderr
    assert not nowhere.exists()


@pytest.mark.parametrize("content", ["", "{}", '{"keys": 5}', '{"keys": []}', '{"keys": [{"kty": "EC"}]}'])
def test_keys_that_are_none(plain_world: EvidenceWorld, file: Path, tmp_path: Path, content: str) -> None:
    keys = tmp_path / "kunci.json"
    keys.write_text(content)
    done = simpul(plain_world.folder, file, "--keys", keys)
    assert (done.exit_code, done.stdout) == (2, "")
    assert str(keys) in done.stderr
    assert simpul(plain_world.folder, file, "--keys", tmp_path / "tidak-ada").exit_code == 2


def test_a_touched_file(plain_world: EvidenceWorld, file: Path) -> None:
    data = bytearray(file.read_bytes())
    place = data.index(b'"header":"', 9000) + 40
    data[place] = ord("B") if data[place] == ord("A") else ord("A")  # base64 still
    file.write_bytes(data)
    done = simpul(plain_world.folder, file)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "does not follow from the one before it" in done.stderr
    assert done.stderr.endswith("GET /v1/cases/{id}/evidence, saved with `curl -o FILE`.\n")
    assert "Do not rely on this file" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"bukan bukti", b"{}"])
def test_no_evidence_at_all(plain_world: EvidenceWorld, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lain.json"
    path.write_bytes(content)
    done = simpul(plain_world.folder, path)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("simpul: ")


def test_a_file_that_cannot_be_read(plain_world: EvidenceWorld, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "tidak-ada.json"):
        done = simpul(plain_world.folder, path)
        assert done.exit_code == 1
        assert str(path) in done.stderr


def test_another_hubs_keys(plain_world: EvidenceWorld, file: Path, tmp_path: Path) -> None:
    """Also where they go by the name of this hub's key."""
    (mine,) = json.loads((plain_world.folder / "jwks.json").read_text())["keys"]
    other = generate_signing_key(START).jwk() | {"kid": mine["kid"]}
    path = tmp_path / "lain.json"
    path.write_text(json.dumps({"keys": [other]}))
    done = simpul(plain_world.folder, file, "--keys", path)
    assert done.exit_code == 1
    assert "not among the hub's keys" in done.stderr


@pytest.mark.parametrize("added", [b"\n", b"\r\n", b" \n\n"])
def test_a_line_break_after_the_end_is_called_that(
    plain_world: EvidenceWorld, file: Path, added: bytes
) -> None:
    data = file.read_bytes()
    file.write_bytes(data + added)
    refused = simpul(plain_world.folder, file)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "after its end" in refused.stderr
    assert "nothing else" in refused.stderr
    assert "curl -o" in refused.stderr
    file.write_bytes(data.replace(b'"version":', b'"version": ', 1) + added)
    assert "nothing else" not in simpul(plain_world.folder, file).stderr
