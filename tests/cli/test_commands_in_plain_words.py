"""What a stranger stumbled over at the terminal: a backup over another, a tracking number as it was read out,
helps that end in the middle, an option's name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hub.cli.main import main
from hub.service.intake import ComplaintCodes
from schemas.categories import Categories
from schemas.regions import Regions
from schemas.registry import Registry as Schemas
from tests.service.hubworld import KOTIM, hub_world, make_folder

Command = Callable[..., Result]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """`simpul …` over a hub."""
    folder = make_folder(tmp_path / "data")

    def run(*arguments: str) -> Result:
        env = {"SIMPUL_DATA_DIR": str(folder)}
        return CliRunner().invoke(main, list(arguments), prog_name="simpul", env=env)

    return run


def test_a_backup_replaces_a_backup_aloud_and_other_files_when_asked(
    command: Command, tmp_path: Path
) -> None:
    file = tmp_path / "cadangan"
    file.write_text("laporan tahunan")
    refused = command("backup", str(file))
    assert (refused.exit_code, refused.stdout) == (1, "")
    (said,) = refused.stderr.splitlines()
    assert said == (
        f"simpul: {file}: is there already and is no backup, and one would take its place. Choose another "
        "name, or say --force."
    )
    assert file.read_text() == "laporan tahunan"
    assert command("backup", str(file), "--force").exit_code == 0
    assert file.stat().st_size > 1000
    again = command("backup", str(file))
    assert (again.exit_code, again.stderr) == (0, f"simpul: {file} was there already and was replaced\n")
    assert command("backup", str(tmp_path / "baru")).exit_code == 0


def test_a_case_is_named_as_its_number_was_read_out(tmp_path: Path, command: Command) -> None:
    codes = ComplaintCodes(Schemas.load(), Regions.load(), Categories.load())
    with hub_world(tmp_path / "data", codes) as world:
        case_id = world.submitted(agency=KOTIM)
        with world.core.store.read() as session:
            case = session.case(case_id)
    assert case is not None
    number = case.state.tracking_number
    bare = number.replace("-", "")
    names = (number, number.lower(), bare, bare.lower(), f" {number} ", case_id, case_id.upper())
    told = [command("deadlines", name) for name in names]
    assert [each.exit_code for each in told] == [0] * len(names), [each.stderr for each in told]
    assert len({each.stdout for each in told}) == 1
    done = command("erase", bare.lower(), "--reason", "Diminta pelapor")
    assert case_id in done.stdout, done.stderr
    missing = command("deadlines", "7k3m0q9xv2bd")
    assert (missing.exit_code, "There is no case '7k3m0q9xv2bd'" in missing.stderr) == (1, True)


@pytest.mark.parametrize(
    "group",
    [(), ("agency",), ("client",), ("officer",), ("key",), ("topics",), ("policy",), ("dead-letter",)],
)
def test_every_command_is_told_in_a_whole_sentence(group: tuple[str, ...]) -> None:
    text = CliRunner().invoke(main, [*group, "--help"], prog_name="simpul").output
    listed = text.split("Commands:\n")[1].splitlines()
    assert listed
    assert [line for line in listed if line.rstrip().endswith("...")] == []
    assert all(line.endswith(".") for line in listed), listed


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--kind regency", "--region: A regency needs its region code, such as 62.02."),
        ("--kind regency --region 99.99", "--region: '99.99' was never a region code; 62.02 would be one."),
        (
            "--kind ministry --parent nobody",
            "--parent: No agency 'nobody' is registered; register the parent first.",
        ),
        ("--kind hub", "--kind: There is one agency of the kind hub, and it exists from the start."),
        ("--kind ministry --time-zone WIB", "--time-zone: 'WIB' is no IANA zone such as Asia/Jakarta."),
    ],
)
def test_a_mistake_is_told_by_the_option_that_holds_it(command: Command, options: str, said: str) -> None:
    refused = command("agency", "add", "kotim", "--name", "Kotim", *options.split())
    assert (refused.exit_code, refused.stderr) == (1, f"simpul: {said}\n")


def test_an_id_that_cannot_be_one_is_told_as_the_command_s_help_names_it(command: Command) -> None:
    refused = command("agency", "add", "Pemda_Kotim", "--name", "", "--kind", "ministry")
    assert refused.stderr.startswith("simpul: ID: An id is 1 to 64")
    assert " --name: A name is needed." in refused.stderr


def test_a_question_is_not_ended_twice(command: Command) -> None:
    refused = command("serve", "--role", "api")
    assert refused.exit_code == 2
    assert refused.stderr.endswith("Did you mean '--roles'? See `simpul serve --help`.\n"), refused.stderr
    other = command("serve", "satu")
    assert other.stderr.endswith("(satu). See `simpul serve --help`.\n"), other.stderr


def test_who_applies_topics_is_told_why_nothing_may_be_left_to_do(command: Command) -> None:
    told = " ".join(command("topics", "apply", "--help").output.split())
    assert "a hub with the role relay makes them by itself" in told
    assert '"changes": []' in told
