"""`simpul policy list|set` and `simpul deadlines`: how long things may take, and why a deadline is then."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hub.cli.main import main
from hub.domain.policies import DEFAULTS
from hub.service.intake import ComplaintCodes
from schemas.categories import Categories
from schemas.regions import Regions
from schemas.registry import Registry as Schemas
from tests.service.hubworld import KOTIM, hub_world, make_folder

ROW = """
[[policy]]
id = "follow-up-2h"
classification = "aspiration"
stage = "follow_up"
amount = 2
unit = "hours"
valid_from = 2026-01-01
source = "latihan"
"""


def simpul(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), env={"SIMPUL_DATA_DIR": str(folder)})


def rows(printed: str) -> list[Any]:
    return [json.loads(line) for line in printed.splitlines()]


def test_the_rows_go_out_as_a_file_and_come_back_with_one_more(tmp_path: Path) -> None:
    simpul(tmp_path, "migrate")
    assert rows(simpul(tmp_path, "policy", "list").stdout) == [row.document() for row in DEFAULTS]
    file = tmp_path / "policies.toml"
    file.write_text(simpul(tmp_path, "policy", "list", "--toml").stdout + ROW, "utf-8")
    done = simpul(tmp_path, "policy", "set", str(file))
    assert done.exit_code == 0, done.stderr
    assert rows(done.stdout)[:-1] == [row.document() for row in DEFAULTS]
    assert rows(done.stdout)[-1]["id"] == "follow-up-2h"
    assert rows(simpul(tmp_path, "policy", "list").stdout) == rows(done.stdout)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[policy", "no TOML file"),
        ("", "[[policy]] tables are needed"),
        (ROW.replace("source", "sumber"), "row 1: 'sumber' is no member"),
        (ROW.replace('stage = "follow_up"\n', ""), "row 1: stage is missing"),
        (ROW.replace("amount = 2", 'amount = "2"'), "row 1: amount is not of the right kind"),
        (ROW.replace("hours", "weeks"), "unit: One of working_days"),
        (ROW, "needs a row for the classification"),
    ],
)
def test_what_is_no_policy_is_said_in_one_line_and_nothing_changes(
    tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "policies.toml"
    file.write_text(text, "utf-8")
    refused = simpul(tmp_path, "policy", "set", str(file))
    assert refused.exit_code == 1
    assert said in refused.stderr
    assert len(refused.stderr.splitlines()) <= 2, "one line, and perhaps that a hub was made"
    simpul(tmp_path, "migrate")
    assert len(rows(simpul(tmp_path, "policy", "list").stdout)) == len(DEFAULTS)


@pytest.mark.parametrize(
    ("member", "line", "other"),
    [
        ("amount", "amount = 2", "amount = 4"),
        ("unit", 'unit = "hours"', 'unit = "minutes"'),
        ("source", 'source = "latihan"', 'source = "latihan lain"'),
        ("valid_from", "valid_from = 2026-01-01", "valid_from = 2027-01-01"),
    ],
)
def test_a_row_is_never_changed_under_its_id(tmp_path: Path, member: str, line: str, other: str) -> None:
    simpul(tmp_path, "migrate")
    file, before = tmp_path / "policies.toml", simpul(tmp_path, "policy", "list", "--toml").stdout
    file.write_text(before + ROW, "utf-8")
    assert simpul(tmp_path, "policy", "set", str(file)).exit_code == 0
    file.write_text(before + ROW.replace(line, other), "utf-8")
    refused = simpul(tmp_path, "policy", "set", str(file))
    assert refused.exit_code == 1
    assert "'follow-up-2h'" in refused.stderr
    assert f"/{member}" in refused.stderr or f"{member}:" in refused.stderr
    assert "valid_from" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    file.write_text(before + ROW + ROW.replace("2h", "4h").replace("2026", "2027").replace("= 2\n", "= 4\n"))
    assert simpul(tmp_path, "policy", "set", str(file)).exit_code == 0, "the remedy"


def test_an_id_that_was_taken_out_is_not_given_to_another_row(tmp_path: Path) -> None:
    simpul(tmp_path, "migrate")
    file, before = tmp_path / "policies.toml", simpul(tmp_path, "policy", "list", "--toml").stdout
    for text in (before + ROW, before):
        file.write_text(text, "utf-8")
        assert simpul(tmp_path, "policy", "set", str(file)).exit_code == 0
    file.write_text(before + ROW.replace("amount = 2", "amount = 4"), "utf-8")
    refused = simpul(tmp_path, "policy", "set", str(file))
    assert (refused.exit_code, "'follow-up-2h'" in refused.stderr) == (1, True)
    file.write_text(before + ROW, "utf-8")
    assert simpul(tmp_path, "policy", "set", str(file)).exit_code == 0, "the same row may come back"


def test_a_deadline_is_derived_by_id_and_by_tracking_number(tmp_path: Path) -> None:
    codes = ComplaintCodes(Schemas.load(), Regions.load(), Categories.load())
    folder = make_folder(tmp_path / "data")
    with hub_world(folder, codes) as world:
        case_id = world.submitted(agency=KOTIM)
        with world.core.store.read() as session:
            case = session.case(case_id)
    assert case is not None
    printed = [
        simpul(folder, "deadlines", name)
        for name in (case_id, case.state.tracking_number, case.state.tracking_number.lower())
    ]
    assert [each.exit_code for each in printed] == [0, 0, 0], printed[0].stderr
    assert len({each.stdout for each in printed}) == 1
    text = printed[0].stdout
    assert "verification: 3 working days (policy verification-3wd)" in text
    assert text.count("counted\n") == 4, "the first day, which is not, and three that are"
    assert "source: SP4N-LAPOR!" in text
    assert text.startswith(f"Case {case_id} (") and ", owner pemkab-kotim" in text, "one language throughout"
    words = set(re.findall(r"[a-z]+", text.lower()))
    assert not words & {
        "kasus",
        "pemilik",
        "mulai",
        "jam",
        "tenggat",
        "sumber",
        "hari",
        "kalender",
        "berhenti",
    }
    for wrong in ("7K3M-0Q9X-V2BD", "bukan-kasus"):
        missing = simpul(folder, "deadlines", wrong)
        assert (missing.exit_code, missing.stdout) == (1, "")
        assert "There is no case" in missing.stderr
