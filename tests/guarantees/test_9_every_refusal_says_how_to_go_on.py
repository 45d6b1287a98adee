"""Guarantee 9: every refusal says how to go on, and every problem in a definition has `file:line:column`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.cases import Story, options_of, read
from tests.guarantees.terminal import change, database, define, live, project, remove, run
from trueup.core import errors
from trueup.core.definitions.names import choose_target
from trueup.core.plans.plan import Action, Plan
from trueup.core.source import Diagnostic
from trueup.edge.definitions.loader import Workspace
from trueup.edge.project_file import load_project

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "trueup"
GOLDEN = ROOT / "tests" / "golden"
STOPPED = frozenset({Action.HELD, Action.ORPHAN, Action.DRIFT, Action.UNREAD})
ERRORS = frozenset(
    name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.TrueupError)
)
UNHINTED = frozenset(
    {
        "Not applied: nothing was sent.",
        "Not accepted: nothing was written.",
        "Not probed: nothing was sent.",
        "Not imported: nothing was written.",
        "Not deleted: nothing was sent.",
    }
)
DECLINED = "declined"
"""The argument with which a question is given one of these."""
"""Refusals that need no way on: a person has just said no."""


def _plans(folder: Path) -> list[Plan]:
    case = read(folder)
    return [Story.of(case).world.plan(**options_of(case))]


@pytest.mark.only_protocol("openai-assistants", "the golden stories are told in its fields")
@pytest.mark.parametrize("case", sorted(path.parent.name for path in (GOLDEN / "plan").glob("*/case.yaml")))
def test_whatever_a_plan_holds_back_says_why_and_how_to_go_on(case: str) -> None:
    for plan in _plans(GOLDEN / "plan" / case):
        for change_ in plan.changes:
            assert change_.message, change_
            if change_.action in STOPPED or (change_.others and change_.action is not Action.NOTHING):
                assert change_.hint, f"{change_.name}: {change_.message}"
                assert "{" not in change_.hint.replace("{protect: false}", "").replace("moved: {", "")


def _raised() -> list[tuple[str, ast.Call]]:
    """Every place where one of our errors is made with its text."""
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ERRORS:
                found.append((f"{path.relative_to(SOURCE)}:{node.lineno}", node))
    return found


@pytest.mark.any_protocol("it reads the source")
def test_every_error_is_made_with_a_hint() -> None:
    wrong, made = [], _raised()
    for place, node in made:
        given = {item.arg: item.value for item in node.keywords}
        hint = node.args[1] if len(node.args) > 1 else given.get("hint")
        is_empty = hint is None or (isinstance(hint, ast.Constant) and not hint.value)
        has_diagnostics = len(node.args) > 2 or "diagnostics" in given
        text = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else ""
        is_declined = bool(node.args) and ast.unparse(node.args[0]) == DECLINED
        if is_empty and not has_diagnostics and text not in UNHINTED and not is_declined:
            wrong.append(f"{place} {ast.unparse(node)[:90]}")
    assert len(made) > 40
    assert wrong == []


@pytest.mark.any_protocol("it reads the source")
def test_what_is_said_of_a_declined_question_needs_no_hint() -> None:
    given = {
        ast.literal_eval(node.value)
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.keyword) and node.arg == DECLINED
    }
    assert given
    assert given <= UNHINTED


def _problems(root: Path) -> list[Diagnostic]:
    opened = load_project(root)
    loaded = Workspace(root, opened).load(choose_target(opened), {})
    return list(loaded.diagnostics)


@pytest.mark.only_protocol("openai-assistants", "the golden definitions have its fields")
@pytest.mark.parametrize("case", sorted(path.name for path in (GOLDEN / "definitions").iterdir()))
def test_every_problem_of_the_golden_definitions_has_its_place(case: str) -> None:
    root = GOLDEN / "definitions" / case
    found = _problems(root)
    assert found or case != "wrong"
    for item in found:
        assert item.position is not None, item
        assert item.position.line >= 1, item
        assert item.position.column >= 1, item
        assert (root / item.position.file).exists(), item


WRONG = {
    "modle: x": 1,
    "model: x\ntemperature: warm": 2,
    "model: x\ntools:\n  - type: function\n    function: {name: a b}": 4,
    "model: x\ntools: [nonsense]": 2,
    "model: x\nmetadata: {a: 1}": 2,
    "model: x\nmetadata: {trueup: mine}": 2,
    "model: x\nextends: nowhere.yaml": 2,
    "model: x\ninstructions: {file: ../../etc/passwd}": 2,
    "model: {var: nobody}": 1,
    "model: x\nmodel: y": 2,
    "model: !!python/object:os.system x": 1,
    "- a": 1,
    "model: 'x": 1,
    "name: x": 1,
    "model: x\nlifecycle:\n  ignore_changes: [colour]": 3,
    "model: x\ntargets: {nowhere: {}}": 2,
}


@pytest.mark.parametrize("text", WRONG)
def test_every_problem_is_shown_with_file_line_and_column(tmp_path: Path, text: str) -> None:
    (tmp_path / "assistants").mkdir()
    (tmp_path / "assistants" / "a.yaml").write_text(text + "\n", encoding="utf-8")
    for command in ("validate", "plan", "apply", "render"):
        done = run(tmp_path, command)
        assert done.code == 1
        assert f"assistants/a.yaml:{WRONG[text]}:" in done.said, done.said


def _guard(folder: Path) -> None:
    for name in ("one", "two", "three"):
        (folder / "assistants" / f"{name}.yaml").unlink()


def _all_gone(folder: Path) -> None:
    for name in ("one", "two", "three", "four"):
        remove(folder, name)


def _no_files(folder: Path) -> None:
    for path in (folder / "assistants").iterdir():
        path.unlink()


def _state(text: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / ".trueup/local/local.state.json").write_text(text, encoding="utf-8")

    return write


def _newer(folder: Path) -> None:
    path = folder / ".trueup/local/local.state.json"
    path.write_text(path.read_text().replace('"format_version": 1', '"format_version": 99'), encoding="utf-8")


def _journal(folder: Path) -> None:
    (folder / ".trueup/local/local.journal").write_text("no journal\n{}\n", encoding="utf-8")


def _protected(folder: Path) -> None:
    define(folder, "one", more="lifecycle: {protect: true}\n")
    assert run(folder, "apply", "--yes").code == 0
    (folder / "assistants" / "one.yaml").unlink()


def _database(folder: Path) -> None:
    path = database(folder)
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()
    path.write_bytes(b"this is no database" * 100)


def _namesake(folder: Path) -> None:
    assert run(folder, "state", "rm", "one").code == 0
    change(folder, "one", metadata={})


def _conflict(folder: Path) -> None:
    define(folder, "one", "Be kind.")
    change(folder, "one", instructions="Shout.")


REFUSALS: dict[str, tuple[Callable[[Path], None], tuple[str, ...], int, str]] = {
    "guard": (_guard, ("apply", "--yes", "--prune"), 4, "--ack "),
    "another-account": (_all_gone, ("apply", "--yes"), 4, "trueup state rm"),
    "no-definitions": (_no_files, ("apply", "--yes"), 4, "trueup destroy"),
    "damaged-state": (_state("{"), ("plan",), 4, "trueup state rebuild"),
    "conflict-markers": (_state("<<<<<<< ours\n{}"), ("plan",), 4, "git"),
    "newer-state": (_newer, ("plan",), 4, "Trueup"),
    "damaged-journal": (_journal, ("plan",), 4, "trueup state rebuild"),
    "damaged-database": (_database, ("plan",), 1, "Move the file"),
    "protected": (_protected, ("apply", "--yes", "--prune"), 4, "protect: false"),
    "nobody-to-ask": (lambda folder: define(folder, "five"), ("apply",), 1, "--yes"),
    "namesake": (_namesake, ("apply", "--yes"), 3, "trueup import one="),
    "conflict": (_conflict, ("apply", "--yes"), 3, "--on-drift revert"),
    "deleted-outside": (lambda folder: remove(folder, "one"), ("apply", "--yes"), 3, "--on-drift revert"),
    "unknown-name": (lambda _: None, ("plan", "onne"), 1, "Did you mean"),
    "unknown-target": (lambda _: None, ("plan", "-t", "locl"), 1, "Did you mean"),
    "unknown-flag": (lambda _: None, ("plan", "--on-drit", "revert"), 1, "--on-drift"),
    "no-such-plan": (lambda _: None, ("show", "nowhere.plan"), 1, "trueup plan --out"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_each_refusal_of_the_command_line_says_how_to_go_on(tmp_path: Path, case: str) -> None:
    happens, words, code, hint = REFUSALS[case]
    project(tmp_path, "one", "two", "three", "four")
    assert run(tmp_path, "apply", "--yes").code == 0
    happens(tmp_path)
    before = {} if case == "damaged-database" else live(tmp_path)
    done = run(tmp_path, *words)
    said = " ".join(done.said.split())
    assert done.code == code, done.said
    assert hint in said, done.said
    if case != "damaged-database":
        assert live(tmp_path) == before, "a refusal wrote"


def test_the_line_that_a_guard_prints_is_the_one_that_works(tmp_path: Path) -> None:
    project(tmp_path, "one", "two", "three", "four")
    assert run(tmp_path, "apply", "--yes").code == 0
    _guard(tmp_path)
    refused = run(tmp_path, "apply", "--yes", "--prune")
    assert refused.code == 4
    digest = refused.said.split("--ack ")[1].split()[0].strip(".`'")
    assert run(tmp_path, "apply", "--yes", "--prune", "--ack", digest).code == 0
    assert set(live(tmp_path)) == {"four"}
