"""The configuration: refused in plain words, documented completely, and small for the widespread schema."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors.effects import Effect, Guarded
from connectors.errors import ConfigRefused
from connectors.kinds import KINDS, load
from connectors.options import keys_of
from connectors.rules import Rule

CONNECTORS = Path(__file__).resolve().parents[2] / "connectors"
EXAMPLES = sorted((CONNECTORS / "examples").glob("*.toml"))
GOOD = (CONNECTORS / "examples" / "pengaduan-mariadb.toml").read_text(encoding="utf-8")

SET = "SET status = :status"
STATUS = f"{SET} WHERE id_pengaduan = :key"
GUARD, KEY = "SELECT 1 FROM tanggapan WHERE", 'key = "id_pengaduan"'


def refusal(tmp_path: Path, text: str) -> ConfigRefused:
    path = tmp_path / "c.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigRefused) as caught:
        load(path)
    return caught.value


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_accepted(path: Path) -> None:
    assert load(path).agency


def test_the_widespread_schema_is_joined_in_at_most_40_lines() -> None:
    assert len(GOOD.splitlines()) <= 40


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ('agency = "pemda', 'agensi = "pemda', "agensi", "did you mean agency?"),
        ('kind = "sql"', 'kind = "sqll"', "kind", "choose one of"),
        ('time_zone = "Asia/Jakarta"', 'time_zone = "WIB"', "time_zone", "Asia/Makassar"),
        ('url = "https://simpul', 'url = "simpul', "hub.url", "https://host"),
        ('key = "id_pengaduan"', 'key = "id; DROP TABLE x"', "source.key", "column"),
        ('key = "id_pengaduan"', 'key = "id_pengaduan"\npage = 100', "source.page", "window"),
        ('key = "id_pengaduan"', 'key = "id_pengaduan"\nevery_s = 0', "source.every_s", "least"),
        ('key = "id_pengaduan"', 'key = "id_pengaduan"\nevery_s = "2"', "source.every_s", "a number is"),
        ('description = "isi_laporan"', "", "map.description", "a complaint needs it"),
        ('category = {', 'tags = {', "category", "GET /v1/categories"),
        ('reporter.name = "nama"', 'reporter.nama = "nama"', "map.reporter.nama", "known: name"),
        ("verify = true", "verify = false", "routing.verify", "verify = true"),
        (":answered_on", ":tanggal", "write_back.answer", ":tanggal is no parameter"),
        ('already_written = "SELECT', 'x = "SELECT', "write_back.answer.x", "known here"),
        ('answered = "selesai"', 'selesai = "selesai"', "write_back.status.values.selesai", "choose one of"),
        ("\"first_sight\"", "\"now\"", "map.submitted_at.if_missing", "first_sight"),
        (STATUS, SET, "write_back.status.statement", "would change every row"),
        (STATUS, f"{SET}, nomor = :key", "write_back.status.statement", "would change every row"),
        (STATUS, f"{SET} -- WHERE id_pengaduan = :key", "write_back.status.statement", "every row"),
        (STATUS, f"{SET}, n = (SELECT n FROM x WHERE id = :key)", "write_back.status.statement", "every"),
        (SET, "SET status = 'x'", "write_back.status.statement", "lacks :status"),
        ("UPDATE pengaduan SET", "DELETE FROM pengaduan WHERE", "write_back.status.statement", "no UPDATE"),
        (STATUS, f"{STATUS}; DELETE FROM tanggapan", "write_back.status.statements", "several"),
        (":answered_on, :answer, 1)", ":answered_on, :answer, 1); DELETE FROM pengaduan",
         "write_back.answer.statements", "several statements"),
        (GUARD, "DELETE FROM tanggapan WHERE", "write_back.answer.already_written", "is no SELECT"),
        (GUARD, "SELECT 1; DELETE FROM tanggapan WHERE", "write_back.answer.already_written", "several"),
        (GUARD, "WITH x AS (DELETE FROM tanggapan RETURNING 1) SELECT 1 FROM x WHERE",
         "write_back.answer.already_written", "is no SELECT"),
        (GUARD, "SELECT 1 INTO salinan FROM tanggapan WHERE", "write_back.answer.already_written", "writes"),
        (GUARD, "SELECT COUNT(*) FROM tanggapan WHERE", "write_back.answer.already_written", "holds COUNT"),
        (' AND tanggapan = :answer"', ' AND tanggapan = :answer LIMIT 1"',
         "write_back.answer.already_written", "a row for each time"),
        ('id_pengaduan = :key AND tanggapan = :answer"', 'tanggapan IS NOT NULL"',
         "write_back.answer.already_written", "names no parameter"),
        ('statements = ["""INSERT', 'statements = ["UPDATE pengaduan SET status = \'selesai\'", """INSERT',
         "write_back.answer.statements", "of every row"),
        ('default = ["kemenpu"]', 'default = ["pemda-kotim"]', "routing.default", "names this agency"),
        ('default = ["kemenpu"]', 'default = []\ncategories = { road = ["kemenpu", "pemda-kotim"] }',
         "routing.categories.road", "names this agency"),
        (KEY, KEY + '\nwhere = "1=1) OR (1=1"', "source.where", "a bracket without its counterpart"),
        (KEY, KEY + '\nwhere = "(status = 1"', "source.where", "a bracket without its counterpart"),
        (KEY, KEY + '\nwhere = "nama = \'a"', "source.where", "a quote without its counterpart"),
        (KEY, KEY + '\nwhere = "1 = 1 -- semua"', "source.where", "a comment"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_key_and_a_remedy(
    tmp_path: Path, old: str, new: str, key: str, words: str
) -> None:
    assert old in GOOD
    error = refusal(tmp_path, GOOD.replace(old, new, 1))
    assert error.key == key
    assert words in str(error)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (KEY, KEY + "\nwhere = \"isi <> ':)' AND (status = '0' OR status IN ('a', 'b'))\""),
        (GUARD, "/* sudah? */ SELECT 1 FROM tanggapan WHERE isi <> ';' AND"),
        ('AND tanggapan = :answer"', 'AND tanggapan = :answer;"'),
        ('AND tanggapan = :answer"', 'AND masuk_pada = :answered_at LIMIT 1"'),
    ],
)
def test_what_only_looks_wrong_is_accepted(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "c.toml"
    path.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    assert GOOD.count(old) >= 1
    assert load(path).agency


def test_an_insert_without_a_guard_is_refused(tmp_path: Path) -> None:
    text = re.sub(r"already_written = .*", "", GOOD)
    assert "could happen twice" in str(refusal(tmp_path, text))


def test_every_key_is_in_the_manual_and_every_key_of_the_manual_is_in_the_code() -> None:
    manual = (CONNECTORS / "README.md").read_text(encoding="utf-8")
    written = set(re.findall(r"^\| `([a-z_.*]+)` \|", manual, re.MULTILINE))
    known = {key for kind in KINDS.values() for key, _ in keys_of(kind.config)}
    known |= {f"map.*.{key}" for key, _ in keys_of(Rule)}
    known |= {f"statements.*.{key}" for key, _ in keys_of(Guarded)}
    assert written == known
    assert Effect.__annotations__["statements"] == "list[str | Guarded]"
