"""Reads `trueup.yaml` into a `Project`, with every problem at once. Holds no secret and shows none in a message.

Does not know what a dialect or a gateway wants: `wire.target_rules` does. A base URL that is left out stays empty for
the dialect to fill.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from trueup.core.command import Command, Message
from trueup.core.definitions.document import Document
from trueup.core.definitions.names import normalize, project_name_problem, suggest, target_name_problem
from trueup.core.definitions.sources import PROJECT_FILE
from trueup.core.errors import DefinitionError
from trueup.core.projects.connections import ConnectionDifference, apply_connections, list_new_targets
from trueup.core.projects.endpoint import clean_target
from trueup.core.projects.project import LOCAL, Project
from trueup.core.projects.project_values import follow_renames, is_local_target, read_definitions_folder, read_project
from trueup.core.rules.fault import Fault, show_value
from trueup.core.source import Diagnostic, Position, Severity, SourceMap, in_order
from trueup.core.source import Path as ValuePath
from trueup.edge import schemas
from trueup.edge.files import read_inside
from trueup.edge.yaml.reader import read_yaml
from trueup.wire import registry
from trueup.wire.target_rules import target_faults

_SPELLINGS: Final = frozenset({"trueup.yaml", "trueup.yml"})
"""What the project file is called by mistake, in any capitals."""


def load_project(root: Path) -> Project:
    """Return the project in a folder; without a `trueup.yaml` the definitions in ./assistants and the target `local`.

    Raises DefinitionError with every problem that the file has.
    """
    return read_project(_read_checked(root).value or {}, registry.ROWS)


def find_definitions_folder(root: Path) -> str | None:
    """Return the folder of definitions that a project file names, whatever else is wrong; None if unclear."""
    if not (root / PROJECT_FILE).exists() and not (root / PROJECT_FILE).is_symlink():
        return read_definitions_folder({})
    data = read_inside(root, PROJECT_FILE)
    document = read_yaml(data, PROJECT_FILE) if isinstance(data, bytes) else Document(PROJECT_FILE)
    if [item.code for item in document.diagnostics] == ["empty-file"]:
        return read_definitions_folder({})
    given = document.value.get("definitions", "") if isinstance(document.value, dict) else None
    if not isinstance(given, str) or given.startswith("/") or any(part[:1] == "." for part in given.split("/")):
        return None
    return read_definitions_folder({"definitions": given})


def _read_checked(root: Path) -> Document:
    """Return a folder's project file, its value None where there is nothing. Raises DefinitionError."""
    if not (root / PROJECT_FILE).exists() and not (root / PROJECT_FILE).is_symlink():
        _refuse_other_spelling(root)
        return Document(PROJECT_FILE)
    data = read_inside(root, PROJECT_FILE)
    if isinstance(data, str):
        raise DefinitionError(f"{PROJECT_FILE} {data}.", "Put the file into the project's folder.")
    document = read_yaml(data, PROJECT_FILE)
    if [item.code for item in document.diagnostics] == ["empty-file"]:
        return Document(PROJECT_FILE)
    _refuse_problems(document, lambda: read_yaml(data, PROJECT_FILE, locate=True).source)
    return document


def _refuse_problems(document: Document, locate: Callable[[], SourceMap]) -> None:
    """Raise DefinitionError with every problem of a project file that was read."""
    problems = [_adapt_hint(item) for item in document.diagnostics]
    if document.checkable is not None:
        problems += _ProjectCheck(document, locate).problems()
    if problems:
        shown = in_order(_hide_line(item) for item in problems)
        count = "a problem" if len(shown) == 1 else f"{len(shown)} problems"
        raise DefinitionError(f"{PROJECT_FILE} has {count}.", "Fix the lines above.", shown)


@dataclass(frozen=True, slots=True)
class GuardedProject:
    """A proposed project with trusted connections; `notes` tell where the two differ, `new` are targets to leave."""

    project: Project
    notes: tuple[Diagnostic, ...]
    new: frozenset[str]


def load_guarded(root: Path, trusted: Path) -> GuardedProject:
    """Return the project in a folder, with the connections and commands of the one in another folder.

    Raises DefinitionError with every problem of either file, and of what they come to together; it names no folder.
    """
    proposed = _read_checked(root)
    try:
        connections = _read_checked(trusted).value or {}
    except DefinitionError as error:
        raise _describe_trusted(error) from None
    value, differences = apply_connections(proposed.value or {}, connections, registry.scope_keys())
    source = _locate_values(root)
    _refuse_problems(replace(proposed, value=value), lambda: source)
    notes = [describe_difference(item, source) for item in differences]
    new = list_new_targets(proposed.value or {}, connections)
    return GuardedProject(read_project(value, registry.ROWS), tuple(_hide_line(note) for note in notes), new)


def _describe_trusted(error: DefinitionError) -> DefinitionError:
    """Return what is wrong with the file in force, at lines of its own: a position would lead into the proposed one."""
    name = f"the {PROJECT_FILE} in force"

    def told(item: Diagnostic) -> Diagnostic:
        at = f"{name}, line {item.position.line}, column {item.position.column}" if item.position else name
        return replace(item, position=None, message=f"in {at}: {item.message}")

    hint = "Fix it on the branch in force first; then this proposal can be planned."
    return DefinitionError(
        f"The {PROJECT_FILE} in force is not valid: {error.message}", hint, [told(item) for item in error.diagnostics]
    )


def describe_difference(item: ConnectionDifference, source: SourceMap) -> Diagnostic:
    """Return a warning about what is proposed, at its line where the proposed file has one."""
    code, hint = ("not-used", f"It takes effect once it is in the {PROJECT_FILE} in force.")
    if item.is_used:
        code, hint = ("setting-changed", "This plan uses it, and so will the apply.")
    return Diagnostic(Severity.WARNING, code, item.message, source.key(item.path), item.path, hint)


def locate_setting(root: Path, path: ValuePath) -> Position | None:
    """Return where a value of the project file stands, its line cut down to the key; None where there is none."""
    at = _locate_values(root).values.get(path)
    return at.without_value() if at is not None else None


def _locate_values(root: Path) -> SourceMap:
    data = read_inside(root, PROJECT_FILE)
    return read_yaml(data, PROJECT_FILE, locate=True).source if isinstance(data, bytes) else SourceMap()


def _adapt_hint(item: Diagnostic) -> Diagnostic:
    """Return a reader's problem with a way on that is meant for this file."""
    hint = Message(
        "Start with `project: …` and `targets:`. To see all keys: ",
        Command(("schema", "project"), None),
    )
    return replace(item, hint=hint) if item.code == "not-a-mapping" else item


def _refuse_other_spelling(root: Path) -> None:
    """Raise DefinitionError for a `trueup.yml` or a `Trueup.yaml`, which is surely meant to be read."""
    other = next((name for name in sorted(path.name for path in root.iterdir()) if name.casefold() in _SPELLINGS), None)
    if other is not None:
        raise DefinitionError(
            f"{other} is not read: the project file's name is {PROJECT_FILE}.",
            f"Rename it: mv {other} {PROJECT_FILE}",
        )


@dataclass
class _ProjectCheck:
    """The checks of one file, each of which notes its problems at their places."""

    document: Document
    locate: Callable[[], SourceMap]
    found: list[Diagnostic] = field(default_factory=list)

    @cached_property
    def source(self) -> SourceMap:
        return self.locate()

    def problems(self) -> list[Diagnostic]:
        """Secrets first, so that the schema check never sees one; then the schema; then what no schema can say."""
        value = self._replace_secrets(self.document.checkable)
        self.found += schemas.checker_of("project").problems(value, lambda: self.source)
        if isinstance(value.get("targets") or {}, dict):
            self._check_targets(value)
        self._check_names(value)
        self._check_moved(value)
        partial = self.document.partial
        return [item for item in self.found if partial is None or not partial.explains(item.path, item.code)]

    def note(self, code: str, path: ValuePath, message: str, hint: str, *, key: bool = False) -> None:
        """Note an error at a path."""
        at = self.source.key(path) if key else self.source.value(path)
        self.found.append(Diagnostic(Severity.ERROR, code, message, at, path, hint))

    def _replace_secrets(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return a copy with stand-ins where credentials and addresses are; these are judged here."""
        targets = value.get("targets")
        if not isinstance(targets, dict):
            return value
        return {**value, "targets": {name: self._clean_target(name, target) for name, target in targets.items()}}

    def _clean_target(self, name: str, target: Any) -> Any:
        if not isinstance(target, dict):
            return target
        clean, faults = clean_target(name, target)
        self._note_all(("targets", name), [*faults, *target_faults(name, target)])
        return clean

    def _note_all(self, top: ValuePath, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self.note(fault.code, (*top, *fault.path), fault.message, fault.hint, key=fault.at_key)

    def _check_targets(self, value: Mapping[str, Any]) -> None:
        original = self.document.checkable.get("targets") or {}
        seen: dict[str, str] = {}
        for name, target in (value.get("targets") or {}).items():
            self._check_target_name(name, seen)
            if isinstance(target, dict) and target.get("state") == "stamps" and target.get("stamp") is False:
                self.note(
                    "no-memory",
                    ("targets", name, "stamp"),
                    f"the target {name!r} has `state: stamps` and `stamp: false`",
                    "Remove `stamp: false`, or use `state: file`.",
                )
        hosted = [name for name, target in original.items() if not is_local_target(name, target)]
        if hosted and not value.get("project"):
            self.note(
                "project-missing",
                ("targets", hosted[0]),
                f"the target {hosted[0]!r} is not local, so the project needs a name",
                "Add `project: some-name`; it goes into the stamps and cannot change later.",
                key=True,
            )
        default = value.get("default_target")
        names = original or {LOCAL: None}
        if isinstance(default, str) and default not in names:
            self.note("unknown-target", ("default_target",), f"there is no target {default!r}", suggest(default, names))

    def _check_target_name(self, name: str, seen: dict[str, str]) -> None:
        why = target_name_problem(name)
        if why:
            self.note(
                "bad-name",
                ("targets", name),
                f"the target's name {name[:64]!r} {why}",
                "It names the state file and goes into the stamps.",
                key=True,
            )
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            self.note(
                "name-taken",
                ("targets", name),
                f"the targets {other!r} and {name!r} differ only in capitals",
                "Rename one: they could share one state file.",
                key=True,
            )

    def _check_names(self, value: Mapping[str, Any]) -> None:
        project, folder, protocol = value.get("project"), value.get("definitions"), value.get("protocol")
        if isinstance(protocol, str) and protocol not in registry.protocols():
            self.note(
                "not-allowed",
                ("protocol",),
                f"there is no protocol {show_value(protocol)}",
                suggest(protocol, registry.protocols()),
            )
        if isinstance(project, str) and project:
            why = project_name_problem(project)
            if why:
                self.note(
                    "bad-name",
                    ("project",),
                    f"the project's name {why}",
                    "It goes into the stamps and cannot change later.",
                )
        if isinstance(folder, str):
            pieces = folder.rstrip("/").split("/")
            if (
                "\\" in folder
                or folder.startswith(("/", "~"))
                or any(not piece or piece.startswith(".") for piece in pieces)
            ):
                self.note(
                    "path-refused",
                    ("definitions",),
                    "definitions is not a visible folder inside the project",
                    "Write a relative path such as `assistants`.",
                )

    def _check_moved(self, value: Mapping[str, Any]) -> None:
        moved = value.get("moved")
        if not isinstance(moved, dict):
            return
        news: dict[str, str] = {}
        for old, new in moved.items():
            if not isinstance(new, str):
                continue
            if follow_renames(old, moved) is None:
                self.note(
                    "moved-cycle",
                    ("moved", old),
                    f"`moved` leads from {old!r} back to {old!r}",
                    "Keep only the lines that lead to its current name.",
                    key=True,
                )
            other = news.setdefault(normalize(new), old)
            if other != old:
                self.note(
                    "moved-twice",
                    ("moved", old),
                    f"`moved` renames both {other!r} and {old!r} to {new!r}",
                    "Two assistants cannot become one: give each its own name.",
                )


def _hide_line(item: Diagnostic) -> Diagnostic:
    """Return the problem with no more of its source line than the key."""
    if item.position is None:
        return item
    return replace(item, position=item.position.without_value())
