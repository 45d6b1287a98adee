"""From a project's folder to definitions for one target. Knows no protocol: what a target can hold is asked later."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from sys import intern
from typing import Any

from trueup.core.definitions.definition import Definition
from trueup.core.definitions.layers import is_reference, source_map
from trueup.core.definitions.names import meant
from trueup.core.definitions.resolve import Resolved, lifecycle_of, resolve
from trueup.core.definitions.sources import PROJECT_FILE, Setting
from trueup.core.definitions.wanted import wanted_types
from trueup.core.projects.project import Project, Target
from trueup.core.source import Diagnostic, Position, Severity, SourceMap, Stretch, in_order, stretch
from trueup.core.source import Path as ValuePath
from trueup.edge import schemas
from trueup.edge.collector import paused
from trueup.edge.definition_files import find
from trueup.edge.documents import Documents


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the files say for one target: good definitions in name order, the names left out there, all problems.

    `names` are all that have a file; one that is in neither of the others has an error among the diagnostics.
    """

    definitions: tuple[Definition, ...]
    left_out: frozenset[str]
    diagnostics: tuple[Diagnostic, ...]
    names: frozenset[str]

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that stop a command."""
        return tuple(item for item in self.diagnostics if item.severity is Severity.ERROR)


Judge = Callable[[Definition], Iterable[Diagnostic]]
"""What is wrong with a definition beyond its schema; its body may have any shape."""


def _no_limits(_definition: Definition) -> Iterable[Diagnostic]:
    return ()


class Workspace:
    """The definitions of a project: found once, each file parsed once, put together for as many targets as wanted."""

    def __init__(self, root: Path, project: Project) -> None:
        self._project = project
        self._documents = Documents(root)
        self._files: dict[str, str] = {}
        self._clashing: frozenset[str] = frozenset()
        self._standing: list[Diagnostic] = []
        self._unread: dict[str, Diagnostic] = {}
        self._users: dict[str, set[str]] = {}
        self._checker = schemas.checker("assistant")
        self._wanted = wanted_types(schemas.load("assistant"))
        with paused():
            self._read_all(root)

    def load(self, target: Target, overrides: Mapping[str, str], judge: Judge = _no_limits) -> Loaded:
        """Every definition as this target should have it; `overrides` are the texts of `--var`. Raises nothing.

        `judge` says what is beyond the schema; it is also asked of definitions that have errors already.
        """
        setting = Setting(target, self._project.targets.keys(), self._project.vars, overrides, self._wanted)
        definitions: list[Definition] = []
        left_out: set[str] = set()
        problems = list(self._standing)
        with paused():
            for name, file in self._files.items():
                resolved = resolve(file, setting, self._documents)
                self._note_users(name, resolved)
                problems += resolved.diagnostics
                if resolved.left_out:
                    left_out.update(() if resolved.partials else (name,))
                elif self._documents.found(file).checkable is not None:
                    definition = self._definition(name, file, resolved, setting)
                    refused = self._checker.problems(resolved.checked, definition.locate)
                    problems += resolved.unheard([*refused, *judge(definition)])
                    if not _stops([*resolved.diagnostics, *refused]) and name not in self._clashing:
                        definitions.append(definition)
        problems += self._unused(setting)
        problems += self._unread_files()
        return Loaded(tuple(definitions), frozenset(left_out), in_order(problems), frozenset(self._files))

    @property
    def files(self) -> Mapping[str, str]:
        """The file of each definition, by name, also of those with errors."""
        return self._files

    def users_of(self, part: str) -> frozenset[str]:
        """The names of the definitions that a part (a path from the root) went into, over the targets loaded so far."""
        return frozenset(self._users.get(part, ()))

    def _read_all(self, root: Path) -> None:
        """Finds and parses every definition, and tells those that a Markdown file only looks like."""
        found = find(root, self._project.definitions)
        self._standing += found.diagnostics
        self._clashing = found.clashing
        self._unread.update(found.others)
        for name, file in found.files.items():
            document = self._documents.found(file)
            if document.refusal:
                self._standing.append(
                    Diagnostic(
                        Severity.ERROR,
                        "file-not-read",
                        f"{file} {document.refusal}",
                        Position(file, 1, 1),
                        hint="Make it a plain file that you may read.",
                    )
                )
            elif document.value is None and not document.diagnostics:
                self._unread[file] = Diagnostic(
                    Severity.NOTE,
                    "no-front-matter",
                    f"{file} opens without front matter, so it is no definition",
                    Position(file, 1, 1),
                    hint="Begin it with a line `---`, or start its name with _ to make it a part.",
                )
                continue
            self._files[name] = file
        if not self._files and not self._standing:
            self._standing.append(_nothing_in(self._project.definitions))
        self._documents.definitions.update(self._files.values())
        self._standing += self._renamed()

    def _definition(self, name: str, file: str, resolved: Resolved, setting: Setting) -> Definition:
        text = resolved.body.get("instructions")
        return Definition(
            name,
            {**resolved.body, "instructions": intern(text)} if type(text) is str else resolved.body,
            file,
            resolved.options,
            lifecycle_of(resolved.lifecycle),
            resolved.parts,
            partial(self._locate, file, setting),
        )

    def _locate(self, file: str, setting: Setting) -> SourceMap:
        """Where each value of a resolved definition stands: it is put together once more, with positions."""
        resolved = resolve(file, setting, self._documents)
        files = {origin.file for origin in resolved.tree.origins.values()}
        found = source_map(resolved.tree, resolved.checked, {name: self._documents.source(name) for name in files})
        own = self._documents.at(file, ())
        return SourceMap({**found.values, (): own} if own else found.values, found.keys, _stretches(resolved, found))

    def _note_users(self, name: str, resolved: Resolved) -> None:
        for part in resolved.parts:
            self._users.setdefault(part, set()).add(name)

    def _unused(self, setting: Setting) -> Iterator[Diagnostic]:
        """A `--var` that no file speaks of and no `vars` declares is a mistake in typing."""
        if not setting.overrides or any(self._documents.found(file).value is None for file in self._files.values()):
            return
        known = {*setting.vars, *(name for other in self._project.targets.values() for name in other.vars)}
        known |= {name for value in self._documents.values().values() for name in _names_in(value, "var")}
        for name in sorted(setting.overrides.keys() - known):
            yield Diagnostic(
                Severity.ERROR,
                "unused-var",
                f"no definition uses the variable {name!r} that --var sets",
                hint=meant(name, known),
            )

    def _unread_files(self) -> list[Diagnostic]:
        """Return what to say of files in the definitions folder that nothing reads, on whichever target."""
        if not self._unread:
            return []
        named = set()
        for file, value in self._documents.values().items():
            base = {"extends": value.get("extends")} if isinstance(value, dict) else None
            for name in (*_names_in(value, "file"), *_names_in(base, "extends")):
                named.add(posixpath.normpath(posixpath.join(posixpath.dirname(file), name)))
        return [note for file, note in self._unread.items() if file not in named]

    def _renamed(self) -> Iterator[Diagnostic]:
        """A name that `moved` or `released` gave up must not have a file, and the new one should have one."""
        for old, new in self._project.moved.items():
            if new not in self._files:
                yield self._moved_nowhere(old, new)
            if old in self._files:
                yield self._given_up(("moved", old), f"moved says that {old!r} is now called {new!r}", self._files[old])
        for index, name in enumerate(self._project.released):
            if name in self._files:
                yield self._given_up(("released", index), f"{name!r} is released", self._files[name])
            if name in self._project.moved:
                yield self._moved_and_released(("released", index), name)

    def _moved_nowhere(self, old: str, new: str) -> Diagnostic:
        return Diagnostic(
            Severity.WARNING,
            "moved-nowhere",
            f"moved says that {old!r} is now called {new!r}, which no definition is",
            self._documents.at(PROJECT_FILE, ("moved", old)),
            ("moved", old),
            f"{meant(new, self._files)} Remove the line once every target has been applied.",
        )

    def _moved_and_released(self, path: ValuePath, name: str) -> Diagnostic:
        return Diagnostic(
            Severity.ERROR,
            "name-given-up",
            f"{name!r} is released, but moved says that it is now called {self._project.moved[name]!r}",
            self._documents.at(PROJECT_FILE, path),
            path,
            "An assistant either lives on under a new name or is let go of: remove one of the two lines.",
        )

    def _given_up(self, path: tuple[str | int, ...], what: str, file: str) -> Diagnostic:
        return Diagnostic(
            Severity.ERROR,
            "name-given-up",
            f"{what}, but {file} still defines it",
            self._documents.at(PROJECT_FILE, path, key=True),
            path,
            f"Remove {file}, or this line in {PROJECT_FILE}.",
        )


def _stops(problems: Iterable[Diagnostic]) -> bool:
    return any(item.severity is Severity.ERROR for item in problems)


def _stretches(resolved: Resolved, found: SourceMap) -> tuple[Stretch, ...]:
    """The files that the instructions were joined from: a part's own, or the one in which the text is a value."""
    return tuple(
        stretch(line, found.values[path], lines, whole_file=_is_whole(found.values[path], path, resolved))
        for path, line, lines in resolved.joined
        if path in found.values
    )


def _is_whole(at: Position, path: ValuePath, resolved: Resolved) -> bool:
    """Whether a text is all of its file, or the body of a Markdown file: then its lines are the file's."""
    return not resolved.tree.origin(path).path or (at.file.endswith(".md") and at.column == 1)


def _names_in(value: Any, word: str) -> Iterator[str]:
    """Yield the name in every `{word: NAME}` of a value."""
    waiting = [value]
    while waiting:
        entry = waiting.pop()
        if is_reference(entry, word) and isinstance(entry[word], str):
            yield entry[word]
        elif type(entry) is dict:
            waiting.extend(entry.values())
        elif type(entry) is list:
            waiting.extend(entry)


def _nothing_in(folder: str) -> Diagnostic:
    """Return the warning for a folder that holds no definition: what is valid then is nothing."""
    return Diagnostic(
        Severity.WARNING,
        "no-definitions",
        f"there is no definition in {folder}",
        Position(folder, 1, 1),
        hint="Write one there, or name another folder as `definitions` in trueup.yaml.",
    )
