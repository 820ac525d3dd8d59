"""[write_back.message]: what could show a message twice, or change another one, is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.errors import ConfigRefused
from connectors.kinds import load

EXAMPLES = Path(__file__).resolve().parents[2] / "connectors" / "examples"
BASE = (EXAMPLES / "pengaduan-mariadb.toml").read_text(encoding="utf-8")
INSERT = "INSERT INTO pesan VALUES (:key, :message_id, :message)"
GUARD = "SELECT 1 FROM pesan WHERE id_pesan = :message_id AND id_pengaduan = :key"
BY_WORDS = "SELECT 1 FROM pesan WHERE isi = :message AND id_pengaduan = :key"
UPDATE = "UPDATE pesan SET isi = :message WHERE id_pesan = :message_id"


def configuration(insert: str = INSERT, guard: str = GUARD, **later: str) -> str:
    text = f'\n[write_back.message]\nstatements = ["{insert}"]\n'
    text += f'already_written = "{guard}"\n' if guard else ""
    for name, statement in later.items():
        text += f'[write_back.message.{name}]\nstatements = ["{statement}"]\n'
    return BASE + text


def read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.toml"
    path.write_text(text, encoding="utf-8")
    load(path)


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        (configuration(guard=""), "already_written", "could happen twice"),
        (configuration(INSERT.replace(":message)", ":pesan)")), "", ":pesan is no parameter"),
        (configuration(guard="SELECT 1 FROM pesan WHERE id_pesan = :message_id"),
         "already_written", "report"),
        (configuration(guard=BY_WORDS + " LIMIT 1"), "already_written", "holds LIMIT"),
        (configuration(edited="UPDATE pesan SET isi = :message WHERE id_pengaduan = :key"),
         "edited.statements", "every message"),
        (configuration(withdrawn="DELETE FROM pesan WHERE id_pengaduan = :key"),
         "withdrawn.statements", "every message"),
        (configuration(withdrawn="DELETE FROM pesan"), "withdrawn.statements", "of every row"),
        (configuration(guard=BY_WORDS, edited=UPDATE), "already_written", "names no :message_id"),
        (configuration(edited="INSERT INTO ralat VALUES (:message_id)"), "edited.already_written", "twice"),
        (configuration(deleted=UPDATE), "deleted", "is no key"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_key(tmp_path: Path, text: str, key: str, words: str) -> None:
    with pytest.raises(ConfigRefused) as caught:
        read(tmp_path, text)
    assert caught.value.key == f"write_back.message.{key}".rstrip(".")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        configuration(),
        configuration(guard=BY_WORDS),
        configuration(edited=UPDATE, withdrawn="DELETE FROM pesan WHERE id_pesan = :message_id"),
        configuration("UPDATE pengaduan SET pesan = :message WHERE id_pengaduan = :key", "",
                      withdrawn="UPDATE pengaduan SET pesan = NULL WHERE id_pengaduan = :key"),
    ],
    ids=["by id", "by words", "changed", "a column of the report"],
)  # fmt: skip
def test_what_is_safe_is_accepted(tmp_path: Path, text: str) -> None:
    read(tmp_path, text)
