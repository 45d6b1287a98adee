"""A plan of many changes is short by itself, and what it leaves out is one printed command away."""

from __future__ import annotations

import shlex

import pytest

from tests.cli.place import Place
from trueup.render.grouping import COMPACT_ABOVE

MANY = COMPACT_ABOVE + 1
SHARED = "assistants/_shared/safety.md"


def _fleet(place: Place, number: int = MANY) -> Place:
    place.write(SHARED, "Be safe.\nNever guess.\nBe kind.\n")
    for count in range(number):
        text = f"model: gpt-4.1\ninstructions:\n  - You are number {count}.\n  - {{file: ../_shared/safety.md}}\n"
        place.write(f"assistants/many/n{count:02}.yaml", text)
    return place


def _command(said: str, flag: str) -> list[str]:
    """Return the one printed command with this flag, as a shell reads it."""
    (line,) = (line for line in said.splitlines() if line.endswith(flag) and " trueup " in line)
    return shlex.split(line.split(" trueup ")[1])


def test_many_creates_have_a_row_each_and_the_printed_command_shows_them_in_full(place: Place) -> None:
    _fleet(place)
    said = place.run("plan", "many").out
    assert said.count('  create: model "gpt-4.1"\n') == MANY
    again = _command(said, "--no-compact")
    assert again == ["plan", "many", "--no-compact"]
    assert place.run(*again).out.count("  create: does not exist yet\n") == MANY


def test_an_edit_of_a_shared_file_is_shown_once_and_the_printed_command_names_everybody(place: Place) -> None:
    _fleet(place).applied()
    place.replace(SHARED, "guess", "ever guess")
    said = place.run("plan").out
    assert said.count("{+ever +}") == 1
    assert f"~ {MANY} assistants  modify: the file changed\n" in said
    rows = place.run(*_command(said, "--compact")).out
    assert all(f"~ many/n{count:02}  modify: instructions at {SHARED}:2\n" in rows for count in range(MANY))


def test_the_printed_command_keeps_folder_target_and_flags(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    _fleet(place)
    targets = "{a: {protocol: openai-assistants, dialect: openai, base_url: local}, b: {base_url: local}}"
    place.write("trueup.yaml", f"project: acme\ndefault_target: a\ntargets: {targets}\n")
    monkeypatch.chdir(place.root.parent)
    given = ["-C", place.root.name, "plan", "-t", "b", "--on-drift", "revert", "--prune", "--stamp", "many/*"]
    said = place.run(*given).out
    again = _command(said, f"-C {place.root.name} -t b")
    assert again[:3] == ["plan", "many/*", "--on-drift"]
    whole = place.run(*again).out
    assert whole.count("  create: does not exist yet\n") == MANY
    assert whole.splitlines()[-1] == said.splitlines()[-1]


def test_show_apply_and_drift_are_as_short_and_exit_as_they_do_in_full(place: Place) -> None:
    _fleet(place)
    place.run("plan", "--out", "p.plan")
    shown = place.run("show", "p.plan").out
    assert shown.count('  create: model "gpt-4.1"\n') == MANY + 2
    assert _command(shown, "--no-compact") == ["show", "p.plan", "--no-compact"]
    applied = place.run("apply", "--yes")
    assert applied.code == 0
    assert applied.out.count('  create: model "gpt-4.1"\n') == MANY + 2
    assert f"+ {MANY + 2} assistants were created\n" in applied.out
    for count in range(MANY):
        place.poke(f"n{count:02}", {"model": f"gpt-4.1-{count}"})
    short, whole = (place.run("drift", *flags) for flags in ([], ["--no-compact"]))
    assert short.code == whole.code == 2
    assert short.out.splitlines()[-1] == whole.out.splitlines()[-1]
    assert short.out.count("  drifted: model") == MANY
    assert _command(short.out, "--no-compact") == ["drift", "--no-compact"]


def test_destroy_lists_everybody_with_their_id_and_prints_no_command_to_destroy(place: Place) -> None:
    _fleet(place).applied()
    for flags in ([], ["--compact"], ["--no-compact"]):
        said = place.run("destroy", "--no-input", *flags).out
        for entry in place.live().values():
            assert f"{entry['id']}\n" in said
        assert "trueup destroy" not in said


@pytest.mark.parametrize(("value", "rows"), [("1", 2), ("0", 0)])
def test_the_environment_sets_it_for_good_and_the_flag_wins(
    place: Place, monkeypatch: pytest.MonkeyPatch, value: str, rows: int
) -> None:
    monkeypatch.setenv("TRUEUP_COMPACT", value)
    assert place.run("plan").out.count('  create: model "gpt-4.1"\n') == rows
    flag = "--no-compact" if value == "1" else "--compact"
    assert place.run("plan", flag).out.count('  create: model "gpt-4.1"\n') == 2 - rows


def test_digest_counts_and_json_are_the_same_in_every_view(place: Place) -> None:
    _fleet(place)
    assert place.run("plan", "--json", "--compact").out == place.run("plan", "--json", "--no-compact").out
    plain, compact = (place.run("plan", "--format", "markdown", *flags).out for flags in ([], ["--compact"]))
    assert plain.split("Digest: ")[1] == compact.split("Digest: ")[1]
    assert "<table>" in plain
    assert "<table>" not in compact
