"""A live value taken into the files of one definition: where it belongs, written there, and read back to be sure.

Works on contents in memory; nothing is written here. Knows no network and asks nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from trueup.core.acceptance.placing import Edit, Elsewhere, Placing
from trueup.core.acceptance.taking import Taking, in_words, path_of
from trueup.core.call import holds_credential
from trueup.core.canonical import Semantics, digest, fits, same
from trueup.core.command import Command, Message, locate_commands
from trueup.core.definitions.resolve import Resolved, resolve
from trueup.core.definitions.sources import Setting
from trueup.core.definitions.wanted import wanted_types
from trueup.core.plans.plan import MISSING
from trueup.core.projects.project import Project, Target
from trueup.core.source import Position, SourceMap
from trueup.core.texts.merge import merged
from trueup.edge import git_history, schemas
from trueup.edge.documents import Documents
from trueup.edge.file_edit import edited, edited_text, restored
from trueup.edge.yaml_edit import CannotEdit, with_value
from trueup.edge.yaml_text import Form, entries

Contents = Mapping[str, bytes | None]
"""What files hold that are not as on the disk, by their path from the root."""


class NotTaken(Exception):
    """A value that is not written: why, where it stands, what to do, and the lines that could be pasted."""

    def __init__(self, message: str, position: Position | None, hint: str, paste: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message, self.position, self.hint, self.paste = message, position, hint, paste


class Editor:
    """Edits the files of a project for one target; `definitions` are all definitions' files by name.

    `originals` are the files that were edited, as they were read.
    """

    def __init__(
        self,
        root: Path,
        project: Project,
        target: Target,
        overrides: Mapping[str, str],
        semantics: Semantics,
        definitions: Mapping[str, str],
    ) -> None:
        self._wanted = wanted_types(schemas.load("assistant"))
        self._checker = schemas.checker("assistant")
        self._root, self._project, self._target = root, project, target
        self._overrides = overrides
        self._semantics = semantics
        self._definitions = definitions
        self.originals: dict[str, bytes] = {}

    def with_live(self, contents: Contents, name: str, taking: Taking, live: Any = MISSING) -> dict[str, bytes | None]:
        """The contents in which a field is as `live`, else as the taking says. Raises NotTaken.

        The files are read again as they would be: only that field may have changed.
        """
        live = taking.live if live is MISSING else live
        file, path = self._definitions[name], path_of(taking.field)
        documents = Documents(self._root, contents, self._definitions.values())
        if holds_credential(live):
            raise NotTaken(
                "a credential of this target stands in it, which goes into no file",
                documents.at(file, path, key=True),
                Message("Have a new credential made, and put the file's value back: ", self._revert(name)),
            )
        resolved = self._resolved(file, documents, self._target)
        placing = Placing(file, self._target.name, resolved.tree, dict(resolved.body), documents)
        value = in_words(taking.field, live, taking.file, self._semantics, has_null=self._has_null(placing, path))
        try:
            edits = placing.edits_for(path, value)
        except Elsewhere as error:
            raise self._not_taken(error, documents) from None
        result = dict(contents)
        for edit in edits:
            result[edit.origin.file] = self._edited(edit, documents, name)
        self._check(result, name, taking.field, live, resolved, documents.at(file, path, key=True))
        return result

    def with_conflicts(
        self, contents: Contents, theirs: Contents, base: Contents | None
    ) -> tuple[dict[str, bytes | None], int]:
        """Each file that differs as a merge of both; without a base every difference stands between markers."""
        documents = Documents(self._root, contents)
        result, conflicts = dict(contents), 0
        for file, their in theirs.items():
            ours = documents.content(file)
            if isinstance(ours, str) or their is None or ours == their:
                continue
            before = Documents(self._root, base).content(file) if base is not None else None
            made = merged(_text(before) if isinstance(before, bytes) else None, _text(ours), _text(their))
            result[file] = restored(ours, made.text)
            conflicts += made.conflicts
        return result, conflicts

    def applied_value(self, name: str, field: str, known: Collection[str]) -> Any:
        """The newest value with one of these digests, out of the files' history in git; MISSING where none has it."""
        if not known:
            return MISSING
        file = self._definitions[name]
        parts = self._resolved(file, Documents(self._root), self._target).parts
        for contents in git_history.versions(self._root, [file, *parts]):
            documents = Documents(self._root, contents, self._definitions.values())
            found = self._semantics.table.split(self._resolved(file, documents, self._target).body).get(field, MISSING)
            if found is not MISSING and digest(found) in known:
                return found
        return MISSING

    def affected(self, contents: Contents, name: str, users: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
        """Which other definitions, on which targets, come to something else, as pairs of names.

        `users` are the names of the definitions that each file is a part of.
        """
        names = {name, *(user for file in contents for user in users.get(file, ()))}
        before, after = (Documents(self._root, held, self._definitions.values()) for held in (None, contents))
        for target in self._project.targets.values():
            for other in sorted(names):
                if (other, target.name) == (name, self._target.name):
                    continue
                file = self._definitions[other]
                old, new = (self._resolved(file, documents, target) for documents in (before, after))
                if old.left_out != new.left_out or not same(dict(old.body), dict(new.body)):
                    yield other, target.name

    def _resolved(self, file: str, documents: Documents, target: Target) -> Resolved:
        """A definition put together with the names of models that files use, not the target's own."""
        bare = replace(target, models={})
        setting = Setting(bare, self._project.targets.keys(), self._project.vars, self._overrides, self._wanted)
        return resolve(file, setting, documents)

    def _has_null(self, placing: Placing, path: Sequence[str | int]) -> bool:
        return "null" in self._wanted(tuple(path)) and not placing.is_patch(tuple(path))

    def _edited(self, edit: Edit, documents: Documents, name: str) -> bytes:
        file = edit.origin.file
        data = documents.content(file)
        where = documents.at(file, edit.origin.path, key=True)
        if isinstance(data, str):
            raise NotTaken(f"{file} {data}", where, "Change it by hand.")
        self.originals.setdefault(file, data)
        try:
            if edit.is_text:
                return edited_text(data, file, edit.value)
            return edited(data, file, with_value(documents.mapping(file).value, edit.origin.path, edit.value))
        except CannotEdit as error:
            hint = Message("Write it by hand; or put the file's value in force: ", self._revert(name))
            raise NotTaken(str(error), where, hint) from None

    def _revert(self, name: str) -> Command:
        return self._target.command("apply", name, on_drift="revert")

    def _not_taken(self, error: Elsewhere, documents: Documents) -> NotTaken:
        at = documents.at(error.origin.file, error.origin.path, key=True)
        paste = self._lines(error.override[0], error.override[1]) if error.override else ()
        return NotTaken(error.message, at, locate_commands(error.hint, self._target.selection), paste)

    def _lines(self, path: Sequence[str | int], value: Any) -> tuple[str, ...]:
        """The value as the lines of a definition."""
        return tuple(entries(with_value({}, tuple(path), value), 0, Form()))

    def _check(
        self, contents: Contents, name: str, field: str, live: Any, before: Resolved, at: Position | None
    ) -> None:
        """Raises NotTaken unless the files now come to the same definition with this one field as it is live."""
        documents = Documents(self._root, contents, self._definitions.values())
        after = self._resolved(self._definitions[name], documents, self._target)
        problems = [*after.diagnostics, *self._checker.problems(after.checked, SourceMap)]
        if problems and not before.diagnostics:
            raise NotTaken(f"no definition can hold it: {problems[0].message}", at, problems[0].hint)
        table = self._semantics.table
        old, new = table.split(before.body), table.split(after.body)
        if not fits(field, new.pop(field, None), None if live is MISSING else live, self._semantics):
            raise NotTaken("the files would not come to the live value", at, "Change it by hand.")
        old.pop(field, None)
        if not same(old, new):
            more = sorted(key for key in old.keys() | new.keys() if not same(old.get(key), new.get(key)))
            raise NotTaken(f"{', '.join(more)} would change with it", at, "Change it by hand.")


def _text(data: bytes) -> str:
    """A file's text with line breaks that are LF, for merging."""
    return data.decode("utf-8", "surrogateescape").removeprefix("\ufeff").replace("\r\n", "\n")
