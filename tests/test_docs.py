"""The guide has it all: commands, flags, environment variables, exit codes, error codes, keys and defaults."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path

import click
import pytest

from trueup.cli.main import cli
from trueup.core.errors import Exit
from trueup.core.projects.project import Guard, Target

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
CODE = re.compile(r"[a-z]+(-[a-z0-9]+)*\Z")
CODE_COMES_SECOND = frozenset({"Diagnostic"})
CODE_COMES_FIRST = frozenset({"Fault", "note", "_note", "_stop", "problem", "_problem", "_warning"})


def _section(heading: str) -> str:
    level = heading.split(" ", 1)[0]
    return re.split(rf"\n#{{1,{len(level)}}} ", GUIDE.split(f"\n{heading}\n", 1)[1], maxsplit=1)[0]


def _commands(group: click.Command, path: str = "trueup") -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with the words that call it."""
    context = click.Context(group)
    if not isinstance(group, click.Group) or getattr(group, "stands_alone", False):
        yield path, group
    if not isinstance(group, click.Group):
        return
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        yield from _commands(found, f"{path} {name}")


COMMANDS = dict(_commands(cli))


def _options(command: click.Command) -> set[str]:
    return {
        name for item in command.params if isinstance(item, click.Option) for name in (*item.opts, *item.secondary_opts)
    }


def test_there_are_commands() -> None:
    assert {"trueup plan", "trueup apply", "trueup state rebuild"} <= COMMANDS.keys()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_table(command: str) -> None:
    assert re.search(rf"^\| `{command}[ `]", _section("## Commands"), re.MULTILINE)


def test_no_command_is_in_the_table_that_there_is_not() -> None:
    rows = re.findall(r"^\| `(trueup [a-z-]+(?: [a-z]+)?)[ `]", _section("## Commands"), re.MULTILINE)
    assert set(rows) == COMMANDS.keys()


def test_every_flag_is_documented_and_every_documented_flag_exists() -> None:
    tables = _section("### Flags of every command") + _section("### Flags of some")
    first_columns = " ".join(row.split(" | ")[0] for row in tables.splitlines() if row.startswith("| `"))
    written = set(re.findall(r"(?<![\w-])(--?[A-Za-z][a-z-]*)", first_columns))
    real = {name for command in (cli, *COMMANDS.values()) for name in _options(command)}
    assert written == real | {"-h", "--help"}


def test_the_flags_of_some_commands_are_of_those() -> None:
    wrong = []
    for row in _section("### Flags of some").splitlines():
        cells = [cell.strip() for cell in row.replace("\\|", "/").split("|")][1:-1]
        if len(cells) != 3 or not cells[0].startswith("`") or cells[1].startswith("all"):
            continue
        named = {f"trueup {word}" for word in cells[1].split(", ")}
        for flag in re.findall(r"--[a-z-]+", cells[0]):
            real = {path for path, command in COMMANDS.items() if flag in _options(command)}
            if real != named:
                wrong.append(f"{flag}: {sorted(real)}")
    assert wrong == []


def test_every_environment_variable_of_a_common_flag_is_named() -> None:
    common = {item.envvar for item in cli.params if isinstance(item, click.Option) and item.envvar}
    deciding = {
        item.envvar
        for name in ("trueup plan", "trueup apply")
        for item in COMMANDS[name].params
        if isinstance(item, click.Option) and item.envvar
    }
    text = _section("### Environment")
    assert [name for name in sorted(map(str, common | deciding)) if f"`{name}`" not in text] == []


def test_every_exit_code_is_in_the_table() -> None:
    rows = re.findall(r"^\| (\d+) \| ", _section("## Exit codes"), re.MULTILINE)
    assert [int(row) for row in rows] == [int(code) for code in Exit]


def test_every_key_of_trueup_yaml_is_in_a_table() -> None:
    schema = json.loads((ROOT / "schemas" / "project.schema.json").read_text(encoding="utf-8"))
    text = _section("## Targets")
    keys = [*schema["properties"], *schema["$defs"]["target"]["properties"]]
    assert [key for key in keys if not re.search(rf"^\| [^|]*`{key}`", text, re.MULTILINE)] == []


def test_the_defaults_of_a_target_are_the_real_ones() -> None:
    text, wrong = _section("## Targets"), []
    for item in fields(Target):
        row = re.search(rf"^\| `{item.name}` \| `?([\w.-]+)`? \|", text, re.MULTILINE)
        if row and item.default is not MISSING and item.name != "base_url":
            real = str(item.default).lower() if not isinstance(item.default, float) else f"{item.default:g}"
            wrong += [] if row[1] == real else [f"{item.name}: {row[1]} is {real}"]
    guard = ", ".join(f"`{item.name}: {item.default:g}`" for item in fields(Guard))
    assert wrong == []
    assert f"| `guard` | {guard} |" in text


def _chosen(node: ast.expr) -> Iterator[str]:
    """Return the texts that an argument can be, whichever way its condition goes."""
    if isinstance(node, ast.IfExp):
        yield from _chosen(node.body)
        yield from _chosen(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.match(node.value):
        yield node.value


def _codes() -> set[str]:
    """Return the codes of diagnostics as the source gives them to the makers of problems, also those of one word."""
    found = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                maker = ast.unparse(node.func).split(".")[-1]
                at = 1 if maker in CODE_COMES_SECOND else 0 if maker in CODE_COMES_FIRST else len(node.args)
                found |= {code for argument in node.args[at : at + 1] for code in _chosen(argument)}
    return found


def test_every_code_of_a_problem_is_explained() -> None:
    codes = _codes()
    text = _section("## Troubleshooting")
    assert len(codes) > 40
    assert {"tag", "secret-in-file", "unknown-key"} <= codes
    assert sorted(code for code in codes if f"`{code}`" not in text) == []


def test_no_code_is_explained_that_there_is_not() -> None:
    written = set(re.findall(r"`([a-z]+(?:-[a-z0-9]+)*)`", _section("## Troubleshooting").split("have a code:")[1]))
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    assert sorted(code for code in written - {"extends"} if f'"{code}"' not in source) == []
