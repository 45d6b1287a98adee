"""Every command that a message can print is one that the command line takes, and none is written by hand.

The sites where commands are made are found in the source; each gets samples of what is filled in. A site without a
sample fails, and so does a sample that the real command line refuses.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click
import pytest

from trueup.cli.flags import Flags
from trueup.cli.main import cli
from trueup.cli.options import Commands
from trueup.core.command import HERE, TAKES_VARS, Command, Flag, Selection
from trueup.core.plans.plan import Options
from trueup.core.plans.wording import plan_flags

PACKAGE = Path(__file__).parents[1] / "src" / "trueup"
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}

SELECTIONS = (HERE, Selection("", "staging", is_default=True), Selection("some folder", "prod", vars=("owner=a b",)))

WORDS: Mapping[str, tuple[str, ...]] = {
    "name": ("support/triage",),
    "self.name": ("-support/triage",),
    "fact.name": ("support/triage",),
    "change.name": ("support/triage",),
    "found.record": ("support/triage",),
    "live_id": ("asst_1",),
    "file": ("change.plan",),
    "f'./{text}'": ("./change",),
    "pair": ("support/triage=asst_1",),
    "f'{name}={live.id}'": ("support/triage=asst_1",),
    "f'{change.name}={change.id}'": ("support/triage=asst_1",),
    "f'{self.name}={live_id}'": ("support/triage=asst_1",),
    "identity.target": ("prod",),
    "target.name": ("prod",),
    "spec.identity.target": ("prod",),
    "self.selection.target": ("prod",),
    "*names": ("support/triage", "sales/"),
    "*linked": ("support/triage=asst_1", "sales/quotes=asst_2"),
    "*pairs": ("support/triage", "sales/quotes"),
    "*pairs[start:start + PAIRS]": ("support/triage=asst_1", "sales/quotes=asst_2"),
    "*self.others[:1]": ("asst_1",),
    "*_find_recorded_id(planning, name)": ("asst_1",),
    "*([_plan_file(file)] if file else names)": ("change.plan",),
}
"""What stands for an argument that is filled in, by the expression that fills it."""

FLAGS: Mapping[str, Flag] = {
    "ack": ("asst_1", "0123456789abcdef"),
    "all": True,
    "from_": "live.json",
    "no_prune": True,
    "on_drift": "revert",
    "out": "change.plan",
    "prune": True,
    "stamp": True,
    "yes": True,
}
"""The value of a flag that is filled in."""

OPTIONS = Options(on_drift="revert", prune=True, stamp_all=True, accepted_ids=("asst_1", "asst_2"))
MORE: Mapping[str, Mapping[str, Flag]] = {
    "plan_flags(plan.options)": plan_flags(OPTIONS),
    "files": {"since": "before.json", "snapshot": "live.json", "reports": "reports"},
}
"""What stands for flags that are handed on, by the expression that holds them."""

TYPED: Mapping[str, Sequence[str]] = {
    "cli/commands/accepting.py": ["accept", "support/triage", "temperature", "-t", "prod"],
    "cli/applying.py": ["apply", "support/triage", "--target=prod"],
    "cli/commands/export.py": ["export", "live.json"],
    "cli/commands/importing.py": ["import", "-C", "elsewhere"],
    "cli/commands/plan.py": ["plan", "--out", "trueup.yaml", "--", "-odd"],
    "cli/commands/probe.py": ["targets", "probe", "prod"],
    "cli/paths.py": ["-C", "elsewhere", "state", "rm", "triage"],
}
"""What was typed where a message prints the same command line again."""

WHOLE: Mapping[str, Sequence[Command]] = {
    "cli/planning.py: selection.command('destroy' if plan.options.destroy else 'apply', "
    "*([_plan_file(file)] if file else names), on_drift=flags.on_drift or '', prune=flags.prune is True, "
    "no_prune=flags.prune is False, stamp=flags.stamp, yes=flags.yes, "
    "ack=(*plan.options.accepted_ids, digest(plan)[:ACK_DIGITS]))": [
        HERE.command("apply", "change.plan", on_drift="revert", prune=True, stamp=True, yes=True, ack=("0123456789",)),
        HERE.command("destroy", yes=True, ack=("0123456789",)),
    ],
    "core/plans/wording.py: plan.selection.command(word, *names, **plan_flags(plan.options))": [
        HERE.command("plan", "support/triage", **plan_flags(OPTIONS)),
        HERE.command("apply", "support/triage", **plan_flags(OPTIONS)),
        HERE.command("destroy", **plan_flags(Options(destroy=True, accepted_ids=("asst_1",)))),
    ],
}
"""The samples of a file, or of one site of it, whose command is not always the same."""

MAKERS = frozenset(
    {
        "core/command.py",
        "cli/flags.py",
        "core/projects/project.py",
        "core/plans/plan_codec.py: Command(list_of(a_text)(found[kind], f'{where}.{kind}'), kinds[kind])",
        "core/plans/wording.py: HERE.command('plan', **flags)",
        "cli/failure.py: Command((*words, '--help'), None)",
    }
)
"""What makes a command of words that it is given: those who give them are sites themselves."""


def _sites() -> Iterator[tuple[str, str, ast.Call]]:
    """Each place where a command is made: its file, a name for it, and the call."""
    for path, tree in TREES.items():
        file = path.relative_to(PACKAGE).as_posix()
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _makes_command(node):
                yield file, f"{file}: {ast.unparse(node)}", node


def _makes_command(node: ast.Call) -> bool:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr in ("command", "again") and ast.unparse(node.func.value) != "click"
    return isinstance(node.func, ast.Name) and node.func.id == "Command"


SITES = {site: (file, node) for file, site, node in _sites() if file not in MAKERS and site not in MAKERS}


def _words_of(node: ast.expr) -> tuple[str, ...]:
    """Return the words of one argument."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        assert not node.value.startswith("-"), f"a flag is a keyword: {node.value}"
        return (node.value,)
    key = ast.unparse(node)
    assert key in WORDS, f"no sample for {key}: add one to WORDS"
    return WORDS[key]


def _flags_of(node: ast.Call) -> dict[str, Flag]:
    """Return the flags of a call."""
    found: dict[str, Flag] = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            key = ast.unparse(keyword.value)
            assert key in MORE, f"no sample for **{key}: add one to MORE"
            found.update(MORE[key])
        elif isinstance(keyword.value, ast.Constant):
            found[keyword.arg] = ast.literal_eval(keyword.value)
        else:
            assert keyword.arg in FLAGS, f"no sample for {keyword.arg}: add one to FLAGS"
            found[keyword.arg] = FLAGS[keyword.arg]
    return found


def _samples(site: str) -> Iterator[Command]:
    """Return the commands that a site can make."""
    file, node = SITES[site]
    for selection in SELECTIONS:
        for whole in WHOLE.get(site, WHOLE.get(file, ())):
            yield Command(whole.words, selection)
        if site in WHOLE or file in WHOLE:
            continue
        if isinstance(node.func, ast.Name):
            words = ast.literal_eval(node.args[0]) if "*" not in ast.unparse(node.args[0]) else None
            starred = [word for item in getattr(node.args[0], "elts", ()) for word in _words_of(item)]
            yield Command(tuple(words or starred), None if len(node.args) > 1 else selection)
        elif isinstance(node.func, ast.Attribute) and node.func.attr == "again":
            assert file in TYPED, f"no sample of what was typed for {file}: add one to TYPED"
            yield Flags(chdir=selection.folder or ".", arguments=tuple(TYPED[file])).again(**_flags_of(node))
        else:
            words = [word for argument in node.args for word in _words_of(argument)]
            yield selection.command(*words, **_flags_of(node))


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[click.Context]:
    """Record the command lines that are accepted; nothing is carried out."""
    found: list[click.Context] = []
    monkeypatch.setattr(click.Command, "invoke", lambda _, ctx: found.append(ctx))
    return found


def _parse(command: Command, parsed: list[click.Context]) -> click.Context:
    """Return the context of a command line that the real one accepts. Raises a usage error for one that it refuses."""
    words = shlex.split(str(command))
    assert words[0] == "trueup"
    try:
        cli.main(words[1:], "trueup", standalone_mode=False)
    except click.ClickException as error:
        raise AssertionError(f"{command}: {error.format_message()}") from None
    return parsed[-1]


@pytest.mark.parametrize("site", SITES)
def test_every_command_that_a_message_can_print_is_taken(site: str, parsed: list[click.Context]) -> None:
    for command in _samples(site):
        ctx = _parse(command, parsed)
        assert not isinstance(ctx.command, Commands), f"{command} lacks its command"
        if command.selection is not None and command.selection.target == "prod" and command.words[0] != "targets":
            assert ctx.params["target"] == "prod"
        if command.selection is not None and command.selection.folder:
            assert ctx.params["chdir"] == "some folder"


def test_there_are_sites_and_no_sample_is_left_over() -> None:
    assert len(SITES) > 70
    used = {ast.unparse(argument) for _, node in SITES.values() for argument in node.args}
    assert set(WORDS) - used - {ast.unparse(item) for _, node in SITES.values() for item in _elements(node)} == set()
    known = {site for _, site, _ in _sites()} | {file for file, _, _ in _sites()}
    assert (MAKERS | set(WHOLE) | set(TYPED)) - known == set()


def _elements(node: ast.Call) -> Sequence[ast.expr]:
    first = node.args[0] if node.args else None
    return first.elts if isinstance(first, ast.Tuple) else ()


@pytest.mark.parametrize(
    "words",
    [("plans",), ("state", "forget", "a"), ("state", "rm"), ("drift", "--on-drift", "revert"), ("drift", "--prune"),
     ("show", "p.plan", "--var", "a=b"), ("targets", "probe"), ("accept",)],
)  # fmt: skip
def test_a_command_that_there_is_not_fails(words: tuple[str, ...], parsed: list[click.Context]) -> None:
    with pytest.raises(AssertionError, match="trueup"):
        _parse(Command(words), parsed)


def _leaves(group: Commands, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every command with its words."""
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if isinstance(command, Commands):
            yield from _leaves(command, (*path, name))
        if not isinstance(command, Commands) or command.stands_alone:
            assert command is not None
            yield " ".join((*path, name)), command


def test_variables_are_handed_to_the_commands_that_take_them() -> None:
    assert isinstance(cli, Commands)
    leaves = dict(_leaves(cli))
    assert {path for path, command in leaves.items() if any(item.name == "vars" for item in command.params)} == (
        TAKES_VARS
    )
    assert all({"chdir", "target"} <= {item.name for item in command.params} for command in leaves.values())


HELPS = ("flag", "click.option", "click.argument", "click.command", "click.version_option")
"""What is given to these is help, which names commands as they are written."""

NO_MESSAGES: Mapping[str, str] = {
    "render/records/junit.py": "the name of a test suite, which machines read",
    "wire/probe.py": "the text by which a probe's assistant is known at the vendor, on any machine",
}

NAMED_FLAGS: Mapping[str, str] = {
    "cli/options.py": "--json --format --var",
    "cli/paths.py": "--also --out --snapshot",
    "cli/planning.py": "--ack",
    "cli/commands/serve.py": "--key --dialect",
    "core/acceptance/placing.py": "--var",
    "core/definitions/filled.py": "--var",
    "core/plans/ignored.py": "--json",
    "core/plans/drift.py": "",
    "core/rules/editor_schema.py": "--var",
    "edge/definitions/loader.py": "--var",
    "local/admission.py": "--allow-host",
    "local/serve.py": "--port",
    "render/pages.py": "--on-drift --prune --stamp --var --ack",
}
"""Flags that sentences name because they were typed, or are the only place for a value that nobody knows."""

FOREIGN = {"git": r"git |--max-count|--format", "az": r"\baz\b", "pip": r"pip install", "uv": r"uv tool install"}
"""Commands of others, which are no business of ours."""


def _literals() -> Iterator[tuple[str, str]]:
    """Every text of the source that is no docstring and no help, `{…}` for what is filled in."""
    for path, tree in TREES.items():
        skipped = {id(part) for node in ast.walk(tree) if _is_help(node) for part in ast.walk(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr) and id(node) not in skipped:
                skipped |= {id(part) for part in ast.walk(node)}
                texts = (str(part.value) if isinstance(part, ast.Constant) else "{…}" for part in node.values)
                yield path.relative_to(PACKAGE).as_posix(), "".join(texts)
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
                yield path.relative_to(PACKAGE).as_posix(), node.value


def _is_help(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return ast.unparse(node.func) in HELPS
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)  # a docstring


def test_no_command_is_written_as_plain_text() -> None:
    assert isinstance(cli, Commands)
    names = "|".join(sorted({path.split(" ")[0] for path, _ in _leaves(cli)} | {"diff", "COMMAND", "--"}))
    written = re.compile(rf"\btrueup (?:{names})")
    found = [(file, text) for file, text in _literals() if written.search(text) and file not in NO_MESSAGES]
    assert found == [], "build it with target.command(…) or selection.command(…) in a Message"


def test_no_flag_stands_in_a_sentence_without_its_command() -> None:
    flag = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
    found = []
    for file, text in _literals():
        known = NAMED_FLAGS.get(file, "").split()
        foreign = file == "render/markup/html.py" or any(re.search(pattern, text) for pattern in FOREIGN.values())
        if " " in text.strip() and not foreign:
            found += [(file, text) for name in flag.findall(text) if name not in known]
    assert found == [], "print the whole command, or say why the flag stands alone in NAMED_FLAGS"


def test_no_placeholder_stands_behind_a_flag() -> None:
    placeholder = re.compile(r"--[a-z-]+[ =](?:\{…\}=)?[A-Z]{2,}\b")
    assert [(file, text) for file, text in _literals() if placeholder.search(text)] == []


def test_what_is_looked_for_would_be_found() -> None:
    texts = [text for _, text in _literals()]
    assert len(texts) > 2_000
    assert any("To restore the file's value: {revert}" in text for text in texts)
    assert all(any(file == known for file, _ in _literals()) for known in (*NO_MESSAGES, *NAMED_FLAGS))
