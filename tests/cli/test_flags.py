"""Flags: their order of precedence, where they may stand, what is near to a mistyped one, and what help says."""

from __future__ import annotations

import click
import pytest

from tests.cli.place import Place
from trueup.cli.flags import Flags
from trueup.cli.main import COMMANDS, cli
from trueup.cli.session import open_session
from trueup.cli.transport import _make_pace
from trueup.core.command import Message, Selection, locate_commands

TWO = "default_target: one\ntargets: {one: {base_url: local, on_drift: revert}, two: {base_url: local}}\n"


def test_flag_then_environment_then_project_file_then_default(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write("trueup.yaml", TWO)
    assert 'project": "local' not in place.run("plan").out
    assert place.run("plan", "--json").json["plan"]["identity"]["target"] == "one"
    assert place.run("plan", "--json").json["plan"]["options"]["on_drift"] == "revert"
    assert "on_drift" not in place.run("plan", "--json", "-t", "two").json["plan"]["options"]
    monkeypatch.setenv("TRUEUP_TARGET", "two")
    assert place.run("plan", "--json").json["plan"]["identity"]["target"] == "two"
    assert place.run("plan", "--json", "--target", "one").json["plan"]["identity"]["target"] == "one"
    monkeypatch.setenv("TRUEUP_ON_DRIFT", "refuse")
    assert "on_drift" not in place.run("plan", "--json", "-t", "one").json["plan"]["options"]
    options = place.run("plan", "--json", "-t", "one", "--on-drift", "revert").json["plan"]["options"]
    assert options["on_drift"] == "revert"


def test_flags_may_stand_before_the_command(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write("trueup.yaml", TWO)
    assert place.run("--json", "-t", "two", "plan").json["plan"]["identity"]["target"] == "two"
    assert place.run("-t", "two", "plan", "-t", "one", "--json").json["plan"]["identity"]["target"] == "one"
    assert place.run("-t", "two", "--json", "state", "list").json["target"] == "two"
    monkeypatch.setenv("TRUEUP_TARGET", "one")
    assert place.run("-t", "two", "state", "--json", "list").json["target"] == "two"
    assert "\x1b[" in place.run("--color", "plan").out
    assert place.run("-C", "assistants", "validate").err != ""


def test_the_environment_has_a_name_for_each_flag(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write("assistants/alpha.yaml", "model: {var: model}\n")
    monkeypatch.setenv("TRUEUP_VAR", "model=gpt-5")
    monkeypatch.setenv("TRUEUP_FORMAT", "json")
    assert place.run("render", "alpha").json["assistants"]["alpha"]["model"] == "gpt-5"
    assert place.run("render", "alpha", "--var", "model=gpt-4.1").json["assistants"]["alpha"]["model"] == "gpt-4.1"
    monkeypatch.setenv("TRUEUP_YES", "1")
    assert place.run("apply").code == 0


def test_flags_reach_the_target(place: Place) -> None:
    flags = Flags(chdir=str(place.root), parallelism=3, timeout=1.5, max_retries=0, on_drift="revert", prune=True)
    target = open_session(flags).target
    assert (target.parallelism, target.timeout, target.max_retries) == (3, 1.5, 0)
    assert (target.on_drift, target.prune) == ("revert", True)


@pytest.mark.parametrize(("dialect", "most"), [("openai", 3), ("apipi", 1)])
def test_a_dialect_bounds_the_requests_under_way(place: Place, dialect: str, most: int) -> None:
    keys = f"protocol: openai-agents, dialect: {dialect}, base_url: 'https://a.example/v1', api_key: {{env: KEY}}"
    place.write("trueup.yaml", f"project: p\ntargets: {{one: {{{keys}}}}}\n")
    assert _make_pace(open_session(Flags(chdir=str(place.root), target="one", parallelism=3))).parallelism == most


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["plna"], "plan"),
        (["dif"], "diff"),
        (["state", "lsit"], "list"),
        (["plan", "--targt", "x"], "--target"),
        (["plan", "alfa"], "alpha"),
        (["plan", "-t", "locl"], "local"),
        (["schema", "projct"], "project"),
    ],
)
def test_the_nearest_word_is_named(place: Place, arguments: list[str], meant: str) -> None:
    ran = place.run(*arguments)
    assert ran.code == 1
    assert meant in ran.err


def test_diff_is_plan(place: Place) -> None:
    assert place.run("diff").out == place.run("plan").out


def _commands() -> list[tuple[str, click.Command]]:
    context = click.Context(cli)
    found = []
    for name in [name for section in COMMANDS.values() for name in section]:
        assert isinstance(cli, click.Group)
        command = cli.get_command(context, name)
        assert command is not None
        found.append((name, command))
        if isinstance(command, click.Group):
            for inner in command.list_commands(context):
                below = command.get_command(context, inner)
                assert below is not None
                found.append((f"{name} {inner}", below))
    return found


def test_help_tells_every_command_and_every_flag(place: Place) -> None:
    listing = place.run().out
    assert listing == place.run("--help").out
    for name, command in _commands():
        if " " not in name:
            assert f"\n  {name} " in listing
        shown = place.run(*name.split(), "--help")
        assert shown.code == 0
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help or option.name == "help", f"{name} {option.name}"
                assert all(text in shown.out for text in option.opts)


def test_the_list_of_commands_says_what_the_commands_say() -> None:
    table = {name: text for section in COMMANDS.values() for name, (_, text) in section.items()}
    for name, command in _commands():
        if name in table and not isinstance(command, click.Group):
            assert command.short_help == table[name]


def test_every_flag_of_the_contract_is_taken(place: Place) -> None:
    ran = place.run(
        "apply", "-C", ".", "-t", "local", "--format", "text", "--no-input", "--parallelism", "2", "--timeout", "5",
        "--max-retries", "1", "--on-drift", "refuse", "--no-prune", "--auto-approve", "--ack", "x", "--no-color",
        "-q", "-vv",
    )  # fmt: skip
    assert ran.code == 0, ran.err


@pytest.mark.parametrize(
    "arguments",
    [["plan", "-t", ""], ["-t", "", "plan"], ["plan", "--out", ""], ["validate", "-C", ""], ["apply", "--ack", ""],
     ["apply", "--ack", "x", "--ack="], ["serve", "--key", ""]],
)  # fmt: skip
def test_an_empty_value_is_a_usage_error(place: Place, arguments: list[str]) -> None:
    ran = place.run(*arguments)
    assert (ran.code, ran.out) == (1, "")
    assert "has an empty value" in ran.err


def test_a_variable_may_be_empty_text(place: Place) -> None:
    place.write("assistants/alpha.yaml", "model: gpt-4.1\ndescription: {var: words}\n")
    assert place.run("render", "alpha", "--var", "words=", "--json").json["assistants"]["alpha"]["description"] == ""


def test_an_empty_environment_variable_counts_as_not_set(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = place.run("plan").out
    variables = {item.envvar for item in cli.params if isinstance(item, click.Option) and item.envvar}
    for name in [*map(str, variables), "TRUEUP_ACK", "TRUEUP_TIMEOUT", "TRUEUP_ON_DRIFT", "TRUEUP_VAR", "TRUEUP_PRUNE"]:
        monkeypatch.setenv(name, "")
    ran = place.run("plan")
    assert (ran.code, ran.out, ran.err) == (0, plain, "")


@pytest.mark.parametrize(
    ("flag", "value", "words"),
    [("--timeout", "nan", "not a number from 0.001 to 86400"), ("--timeout", "inf", "not a number"),
     ("--timeout", "0", "not a number"), ("--timeout", "soon", "not a number"),
     ("--parallelism", "x", "not a whole number from 1 to 256"), ("--parallelism", "257", "not a whole number"),
     ("--max-retries", "1.5", "not a whole number from 0 to 20")],
)  # fmt: skip
def test_a_number_is_one_that_can_be_meant(place: Place, flag: str, value: str, words: str) -> None:
    ran = place.run("plan", flag, value)
    assert (ran.code, ran.out) == (1, "")
    assert f"{flag}': {value!r} is {words}" in " ".join(ran.err.split())


AGAIN = {
    "apply -t prod": "apply --yes -t prod",
    "-t prod apply alpha": "apply alpha --yes -t prod",
    "apply --target=prod --prune": "apply --prune --yes -t prod",
    "destroy -t prod": "destroy --yes -t prod",
    "import two=asst_1 -t prod": "import two=asst_1 --yes -t prod",
    "accept alpha -- -x": "accept alpha --yes -- -x",
    "targets probe prod": "targets probe prod --yes",
}
"""What was typed, and what is printed of it with --yes."""


@pytest.mark.parametrize("typed", AGAIN)
def test_a_command_that_is_printed_again_names_its_target_once(typed: str) -> None:
    words = typed.replace("--target=", "--target ").split()
    named = {"-t", "--target"} & {*words}
    target = words[words.index(named.pop()) + 1] if named else ""
    again = Flags(target=target, arguments=tuple(typed.split())).again(yes=True)
    here = Selection(target=target)
    assert str(locate_commands(Message(again), here)) == f"trueup {AGAIN[typed]}"


def test_a_refused_apply_prints_its_target_once(hosted: Place) -> None:
    ran = hosted.run("apply", "-t", "prod", "--no-input")
    assert ran.code == 1
    assert "trueup apply --no-input --yes -t prod" in ran.said
