"""From a project's folder to definitions for one target. Names no protocol: what a target can hold is asked later."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from sys import intern
from typing import Any, Final

from trueup.core.definitions.definition import Definition, DefinitionFile
from trueup.core.definitions.layers import is_reference, make_source_map
from trueup.core.definitions.names import suggest
from trueup.core.definitions.protocols import Native, ProtocolFinder, resolve_translated
from trueup.core.definitions.resolve import ResolvedDefinition, read_lifecycle, resolve
from trueup.core.definitions.sources import PROJECT_FILE, Setting, Sources
from trueup.core.errors import TrueupError
from trueup.core.projects.project import PORTABLE, Project, Target
from trueup.core.source import Diagnostic, Position, Severity, SourceMap, Stretch, in_order, stretch
from trueup.core.source import Path as ValuePath
from trueup.edge.collector import pause_collector
from trueup.edge.definitions.documents import Documents, find_clashes, find_files
from trueup.edge.schemas import Format, format_of
from trueup.wire.registry import protocols, translator


def takes_protocol(target: Target, protocol: str) -> bool:
    """Whether a target takes definitions of a protocol: its own, and portable ones where it translates."""
    return protocol == target.protocol or (target.translate and protocol == PORTABLE)


def choose_files(files: Iterable[DefinitionFile], target: Target) -> dict[str, DefinitionFile]:
    """Return the files of a target's definitions by name: those of its protocol, then those that are translated."""
    chosen: dict[str, DefinitionFile] = {}
    for found in files:
        if takes_protocol(target, found.protocol) and (found.protocol == target.protocol or found.name not in chosen):
            chosen[found.name] = found
    return chosen


class Resolver:
    """Puts definitions together for one target; `overrides` are the texts of `--var`."""

    def __init__(self, project: Project, target: Target, overrides: Mapping[str, str]) -> None:
        self._project = project
        self._target = target
        self._overrides = overrides
        self._settings: dict[str, Setting] = {}

    def resolve(self, found: DefinitionFile, sources: Sources) -> ResolvedDefinition:
        """Return what a file comes to on the target. Raises TrueupError where nothing translates it."""
        setting = self._setting(found.protocol)
        if found.protocol == self._target.protocol:
            return resolve(found.file, setting, sources)
        translate = translator(found.protocol, self._target.protocol)
        if translate is None:
            raise TrueupError(
                f"Definitions of {found.protocol} cannot be translated to {self._target.protocol}.",
                "Remove `translate`.",
            )

        def check(portable: ResolvedDefinition) -> Collection[Diagnostic]:
            """Return what the schema refuses; a field that is missing may stand in the target's own patch."""
            refused = format_of(found.protocol).checker.problems(
                portable.checked, lambda: locate_values(portable, sources)
            )
            return [item for item in refused if item.code != "missing-key" or len(item.path) > 1]

        return resolve_translated(
            found.file, setting, sources, Native(self._setting(self._target.protocol), translate, check)
        )

    def _setting(self, protocol: str) -> Setting:
        """Return what definitions of a protocol are resolved for."""
        if protocol not in self._settings:
            found, project = format_of(protocol), self._project
            self._settings[protocol] = Setting(
                self._target, project.targets.keys(), project.vars, self._overrides, found.wanted, protocol, found.table
            )
        return self._settings[protocol]


def locate_values(resolved: ResolvedDefinition, sources: Sources) -> SourceMap:
    """Return where each value of a definition stands, each in the file that it came from."""
    files = {origin.file for origin in resolved.tree.origins.values()}
    return make_source_map(
        resolved.tree, resolved.checked, {name: sources.source(name) for name in files}, resolved.prompt
    )


NAMED: Final = 8
"""Names that a message lists."""


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What the files say for one target: good definitions in name order, the names left out there, all problems.

    `files` are all that are meant for the target, by name; one that is in neither of the others has an error among
    the diagnostics. `elsewhere` are the protocols of definitions that only other targets take, by name.
    """

    definitions: tuple[Definition, ...]
    left_out: frozenset[str]
    diagnostics: tuple[Diagnostic, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        """The names of all definitions that are meant for the target."""
        return frozenset(self.files)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that stop a command."""
        return tuple(item for item in self.diagnostics if item.severity is Severity.ERROR)


Judge = Callable[[Definition, Format], Iterable[Diagnostic]]
"""What is wrong with a definition beyond its schema; its body may have any shape."""


def _judge_nothing(_definition: Definition, _format: Format) -> Iterable[Diagnostic]:
    return ()


class Workspace:
    """The definitions of a project: found once, each file parsed once, put together for as many targets as wanted."""

    def __init__(self, root: Path, project: Project) -> None:
        self._project = project
        self._documents = Documents(root)
        self._files: list[DefinitionFile] = []
        self._broken: dict[str, str] = {}
        self._clashing: frozenset[str] = frozenset()
        self._standing: list[Diagnostic] = []
        self._unread: dict[str, Diagnostic] = {}
        self._users: dict[str, set[str]] = {}
        with pause_collector():
            self._read_all(root)

    def load(self, target: Target, overrides: Mapping[str, str], judge: Judge = _judge_nothing) -> LoadResult:
        """Every definition as this target should have it; `overrides` are the texts of `--var`. Raises nothing.

        `judge` says what is beyond the schema; it is also asked of definitions that have errors already.
        """
        form, resolver = format_of(target.protocol), Resolver(self._project, target, overrides)
        files = self.files_for(target)
        definitions: list[Definition] = []
        left_out: set[str] = set()
        problems = list(self._standing)
        with pause_collector():
            for name, found in files.items():
                resolved = resolver.resolve(found, self._documents)
                self._note_users(name, resolved)
                problems += resolved.diagnostics
                if resolved.left_out:
                    left_out.update(() if resolved.partials else (name,))
                elif self._documents.read_found(found.file).checkable is not None:
                    definition = self._make_definition(found, resolved, resolver, form)
                    refused = form.checker.problems(resolved.checked, definition.locate)
                    problems += resolved.unheard(_drop_repeats([*refused, *judge(definition, form)]))
                    if not _has_error([*resolved.diagnostics, *refused]) and name not in self._clashing:
                        definitions.append(definition)
        problems += self._find_unused_overrides(overrides)
        problems += self._find_unread_files()
        return LoadResult(
            tuple(definitions),
            frozenset(left_out),
            in_order(problems),
            self._broken | {name: found.file for name, found in files.items()},
            {found.name: found.protocol for found in self._files if found.name not in files},
        )

    def files_for(self, target: Target) -> dict[str, DefinitionFile]:
        """Return the files of a target's definitions, by name, also of those with errors."""
        return choose_files(self._files, target)

    @property
    def definition_files(self) -> frozenset[str]:
        """The files of all definitions, also of those with errors."""
        return frozenset(self._documents.definitions)

    def find_users(self, part: str) -> frozenset[str]:
        """Return the names of the definitions that include a part (a path from the root), over all loaded targets."""
        return frozenset(self._users.get(part, ()))

    def _read_all(self, root: Path) -> None:
        """Find and parse every definition; tell those apart that a Markdown file only looks like."""
        found = find_files(root, self._project.definitions, protocols())
        self._standing += found.diagnostics
        self._unread.update(found.others)
        files: list[tuple[str, str]] = []
        for name, file in found.files:
            document = self._documents.read_found(file)
            if document.refusal:
                self._standing.append(
                    Diagnostic(
                        Severity.ERROR,
                        "file-not-read",
                        f"{file} {document.refusal}",
                        Position(file, 1, 1),
                        hint="Replace it with a plain, readable file.",
                    )
                )
            elif document.value is None and not document.diagnostics:
                self._unread[file] = Diagnostic(
                    Severity.NOTE,
                    "no-front-matter",
                    f"{file} has no front matter, so it is not a definition",
                    Position(file, 1, 1),
                    hint="Start it with a line `---`, or start its name with _ to make it a shared file.",
                )
                continue
            files.append((name, file))
        if not files and not self._standing:
            self._standing.append(_warn_empty_folder(self._project.definitions))
        self._documents.definitions.update(file for _, file in files)
        self._sort_by_protocol(files)
        self._standing += self._check_renames()

    def _sort_by_protocol(self, files: Iterable[tuple[str, str]]) -> None:
        """Find the protocol of each definition; one that has none has a problem instead."""
        project = self._project
        spoken = list(dict.fromkeys(target.protocol for target in project.targets.values()))
        finder = ProtocolFinder(self._documents, protocols(), project.default_protocol, spoken)
        for name, file in files:
            stated = finder.find(file)
            if stated.problem is not None:
                problems = (stated.problem, *self._documents.read_found(file).diagnostics)
                self._standing += [item for item in problems if item not in self._standing]
                self._broken[name] = file
            else:
                self._files.append(DefinitionFile(name, file, stated.protocol or PORTABLE))
        self._clashing, clashes = find_clashes(self._files)
        self._standing += [*clashes, *self._find_untargeted()]

    def _find_untargeted(self) -> Iterator[Diagnostic]:
        """Definitions that no target takes are checked by nobody."""
        lost: dict[str, list[DefinitionFile]] = {}
        for found in self._files:
            if not any(takes_protocol(target, found.protocol) for target in self._project.targets.values()):
                lost.setdefault(found.protocol, []).append(found)
        for protocol, files in lost.items():
            names = ", ".join(found.name for found in files[:NAMED])
            more = f" and {len(files) - NAMED} more" if len(files) > NAMED else ""
            yield Diagnostic(
                Severity.WARNING,
                "no-target",
                f"no target speaks {protocol}, the protocol of {names}{more}",
                Position(files[0].file, 1, 1),
                hint=f"Add a target with `protocol: {protocol}` to {PROJECT_FILE}; until then they are not checked.",
            )

    def _make_definition(
        self, found: DefinitionFile, resolved: ResolvedDefinition, resolver: Resolver, form: Format
    ) -> Definition:
        prompt = form.table.prompt
        text = resolved.body.get(prompt)
        return Definition(
            found.name,
            {**resolved.body, prompt: intern(text)} if type(text) is str else resolved.body,
            found.file,
            read_lifecycle(resolved.lifecycle),
            resolved.parts,
            partial(self._locate, found, resolver),
            form.protocol,
        )

    def _locate(self, found: DefinitionFile, resolver: Resolver) -> SourceMap:
        """Where each value of a resolved definition stands: it is put together once more, with positions."""
        resolved = resolver.resolve(found, self._documents)
        places = locate_values(resolved, self._documents)
        own = self._documents.at(found.file, ())
        return SourceMap(
            {**places.values, (): own} if own else places.values, places.keys, _locate_stretches(resolved, places)
        )

    def _note_users(self, name: str, resolved: ResolvedDefinition) -> None:
        for part in resolved.parts:
            self._users.setdefault(part, set()).add(name)

    def _find_unused_overrides(self, overrides: Mapping[str, str]) -> Iterator[Diagnostic]:
        """Find each `--var` that no file uses and no `vars` declares: a mistake in typing."""
        if not overrides or any(self._documents.read_found(found.file).value is None for found in self._files):
            return
        known = {*self._project.vars, *(name for other in self._project.targets.values() for name in other.vars)}
        known |= {name for value in self._documents.values().values() for name in _find_names(value, "var")}
        for name in sorted(overrides.keys() - known):
            yield Diagnostic(
                Severity.ERROR,
                "unused-var",
                f"no definition uses the variable {name!r} that --var sets",
                hint=suggest(name, known),
            )

    def _find_unread_files(self) -> list[Diagnostic]:
        """Return what to say of files in the definitions folder that nothing reads, on whichever target."""
        if not self._unread:
            return []
        named = set()
        for file, value in self._documents.values().items():
            base = {"extends": value.get("extends")} if isinstance(value, dict) else None
            for name in (*_find_names(value, "file"), *_find_names(base, "extends")):
                named.add(posixpath.normpath(posixpath.join(posixpath.dirname(file), name)))
        return [note for file, note in self._unread.items() if file not in named]

    def _check_renames(self) -> Iterator[Diagnostic]:
        """Find names that `moved` or `released` gave up and that still have a file, and new ones that have none."""
        files = self._broken | {found.name: found.file for found in self._files}
        for old, new in self._project.moved.items():
            if new not in files:
                yield self._describe_moved_nowhere(old, new, files)
            if old in files:
                yield self._describe_given_up(("moved", old), f"`moved` renames {old!r} to {new!r}", files[old])
        for index, name in enumerate(self._project.released):
            if name in files:
                yield self._describe_given_up(("released", index), f"{name!r} is released", files[name])
            if name in self._project.moved:
                yield self._describe_moved_and_released(("released", index), name)

    def _describe_moved_nowhere(self, old: str, new: str, known: Collection[str]) -> Diagnostic:
        return Diagnostic(
            Severity.WARNING,
            "moved-nowhere",
            f"`moved` renames {old!r} to {new!r}, which is not a definition",
            self._documents.at(PROJECT_FILE, ("moved", old)),
            ("moved", old),
            f"{suggest(new, known)} Remove the line once every target has been applied.",
        )

    def _describe_moved_and_released(self, path: ValuePath, name: str) -> Diagnostic:
        return Diagnostic(
            Severity.ERROR,
            "name-given-up",
            f"{name!r} is in `released`, but `moved` renames it to {self._project.moved[name]!r}",
            self._documents.at(PROJECT_FILE, path),
            path,
            "An assistant is either renamed or released: remove one of the two lines.",
        )

    def _describe_given_up(self, path: tuple[str | int, ...], what: str, file: str) -> Diagnostic:
        return Diagnostic(
            Severity.ERROR,
            "name-given-up",
            f"{what}, but {file} still defines it",
            self._documents.at(PROJECT_FILE, path, key=True),
            path,
            f"Remove {file}, or this line in {PROJECT_FILE}.",
        )


def _has_error(problems: Iterable[Diagnostic]) -> bool:
    return any(item.severity is Severity.ERROR for item in problems)


def _drop_repeats(problems: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return the problems without numbers that the schema has refused already, for whatever reason."""
    kept: list[Diagnostic] = []
    for item in problems:
        if item.code != "bad-number" or all(item.path != other.path for other in kept):
            kept.append(item)
    return kept


def _locate_stretches(resolved: ResolvedDefinition, found: SourceMap) -> tuple[Stretch, ...]:
    """Return the files that the prompt was joined from: a part's own, or the one in which the text is a value."""
    return tuple(
        stretch(line, found.values[path], lines, whole_file=_is_whole(found.values[path], path, resolved))
        for path, line, lines in resolved.joined
        if path in found.values
    )


def _is_whole(at: Position, path: ValuePath, resolved: ResolvedDefinition) -> bool:
    """Whether a text is all of its file, or the body of a Markdown file: then its lines are the file's."""
    return not resolved.tree.origin(path).path or (at.file.endswith(".md") and at.column == 1)


def _find_names(value: Any, word: str) -> Iterator[str]:
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


def _warn_empty_folder(folder: str) -> Diagnostic:
    """Return the warning for a folder that holds no definition: what is valid then is nothing."""
    return Diagnostic(
        Severity.WARNING,
        "no-definitions",
        f"there is no definition in {folder}",
        Position(folder, 1, 1),
        hint="Write one there, or name another folder as `definitions` in trueup.yaml.",
    )
