"""Both programs say a wrong use in one line and exit 2."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from connectors.main import main as connector
from hub.cli.main import main as simpul

PROGRAMS = {"simpul": simpul, "simpul-connector": connector}


@pytest.mark.parametrize(
    "line",
    [
        "simpul frob",
        "simpul --frob",
        "simpul --config nowhere.toml agency list",
        "simpul agency",
        "simpul agency frob",
        "simpul agency add x",
        "simpul agency add x --name X --kind shop",
        "simpul client add pemda-kotim --scope nope",
        "simpul move",
        "simpul serve --roles api,frob",
        "simpul-connector frob",
        "simpul-connector --frob",
        "simpul-connector check",
        "simpul-connector check a.toml b.toml",
        "simpul-connector check .",
        "simpul-connector run nowhere.toml",
    ],
)
def test_wrong_use_is_one_line_and_exit_2(line: str, tmp_path: Path) -> None:
    program, *arguments = line.split()
    env = {"SIMPUL_DATA_DIR": str(tmp_path / "var")}
    ended = CliRunner().invoke(PROGRAMS[program], arguments, prog_name=program, env=env)
    assert (ended.exit_code, ended.stdout) == (2, ""), ended.output
    if arguments == ["agency"]:  # click's help, as for the program without a command
        return
    said = ended.stderr.splitlines()
    assert len(said) == 1, ended.stderr
    assert said[0].startswith(f"{program}: ")


def test_the_line_names_what_is_wrong_and_where_help_is() -> None:
    ended = CliRunner().invoke(simpul, ["agency", "add", "x"], prog_name="simpul")
    assert ended.stderr == "simpul: Missing option '--name'. See `simpul agency add --help`.\n"
    ended = CliRunner().invoke(connector, ["frob"], prog_name="simpul-connector")
    assert ended.stderr == "simpul-connector: No such command 'frob'. See `simpul-connector --help`.\n"


@pytest.mark.parametrize("program", PROGRAMS)
def test_without_a_command_the_help_is_shown(program: str) -> None:
    ended = CliRunner().invoke(PROGRAMS[program], [], prog_name=program)
    assert ended.exit_code == 2
    assert "Commands:" in ended.stderr
