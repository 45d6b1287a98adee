"""A live value taken into the files of one definition: where it belongs, written there, and read back to be sure.

Works on contents in memory: bytes in, bytes out. Line endings, a byte order mark and the line breaks at the end stay as
they are. Knows no network and asks nobody but git, for what files held before.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from trueup.core.acceptance.placing import Edit, EditPlacer, Elsewhere, FieldToAccept, to_file_value
from trueup.core.call import holds_credential
from trueup.core.canonical import digest, fits, same
from trueup.core.command import Command, Message, locate_commands
from trueup.core.definitions.definition import DefinitionFile
from trueup.core.definitions.document import BODY, Document, decode, trim_text
from trueup.core.definitions.resolve import ResolvedDefinition
from trueup.core.field_table import FieldTable
from trueup.core.plans.plan import MISSING
from trueup.core.projects.project import Project, Target
from trueup.core.source import Diagnostic, Position, SourceMap
from trueup.core.source import Path as ValuePath
from trueup.core.texts.align import Allowance, align
from trueup.core.texts.merge import merge_texts
from trueup.core.yaml_text import PLAIN, format_entries
from trueup.edge.definitions.documents import Documents, read_markdown, split_markdown
from trueup.edge.definitions.loader import Resolver, Workspace
from trueup.edge.schemas import format_of
from trueup.edge.yaml.editor import CannotEdit, is_equal, rewrite_text, set_value
from trueup.edge.yaml.reader import read_yaml

COMMITS: Final = 50
"""Commits that are looked at, the newest first."""

PATIENCE: Final = 10.0
"""Seconds for one answer."""


SAFE: Final = {
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "diff.external": "",
    "gpg.program": "false",
    "log.showSignature": "false",
    "protocol.allow": "never",
    "safe.bareRepository": "explicit",
}
"""Settings that keep git from running a program that a repository names, whatever its own configuration says."""


def read_versions(root: Path, files: Sequence[str]) -> Iterator[dict[str, bytes | None]]:
    """Yield the contents of the files in each commit that touched one of them; None for one that was not there."""
    listed = run_git(root, "rev-list", f"--max-count={COMMITS}", "HEAD", "--", *files)
    for commit in (listed or b"").decode("ascii", "replace").split():
        yield {file: run_git(root, "cat-file", "blob", f"{commit}:./{file}") for file in files}


def run_git(root: Path, *words: str) -> bytes | None:
    """Return what git prints in a folder; None where it fails, is absent, or takes too long.

    The one place that starts git. It runs no hook, filter, pager, signature program, file system monitor or external
    diff of the repository, fetches nothing, and takes no bare repository among the files for one.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment = kept | {
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
    }
    settings = [part for name, value in SAFE.items() for part in ("-c", f"{name}={value}")]
    try:
        done = subprocess.run(
            ["git", *settings, "--no-pager", "-C", str(root), *words],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE,
            env=environment,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


_BOM: Final = b"\xef\xbb\xbf"
_LINES: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
_ALIGNMENTS: Final = 2_000_000
_NOT_KEPT: Final = (
    "a Markdown body and a part cannot hold it: line breaks at the end, a carriage return, and text of blanks alone "
    "are dropped there; a YAML definition can hold it in quotes"
)


def edit_file(data: bytes, file: str, value: Any) -> bytes:
    """Return a YAML, JSON or Markdown file that reads as `value`, changed as little as can be. Raises CannotEdit."""
    is_markdown = file.lower().endswith(".md")
    text = _decode_file(data, file)
    plain = text.replace("\r\n", "\n")
    made = (
        _edit_markdown(plain, file, data, value)
        if is_markdown
        else rewrite_text(plain.replace("\r", "\n"), value, file)
    )
    result = _keep_endings(data, text, made)
    _refuse_other(_read_document(result, file), value)
    if file.lower().endswith(".json"):
        _refuse_no_json(result)
    return result


def edit_text_file(data: bytes, file: str, value: str) -> bytes:
    """Return a file of text that reads as `value`; the line breaks at its end stay. Raises CannotEdit."""
    text = _decode_file(data, file)
    plain = text.replace("\r\n", "\n")
    made = value + plain[len(plain.rstrip("\n")) :]
    result = _keep_endings(data, text, made)
    found = decode(result, file)
    if isinstance(found, Diagnostic):
        raise CannotEdit(found.message)
    if trim_text(found) != value:
        raise CannotEdit(_NOT_KEPT)
    return result


def restore_endings(data: bytes, made: str) -> bytes:
    """Return a changed text, its line breaks LF, with the line endings and the mark of its original."""
    return _keep_endings(data, data.removeprefix(_BOM).decode("utf-8"), made)


def _decode_file(data: bytes, file: str) -> str:
    text = decode(data, file)
    if isinstance(text, Diagnostic):
        raise CannotEdit(text.message)
    return text


def _read_document(data: bytes, file: str) -> Document:
    return read_markdown(data, file) if file.lower().endswith(".md") else read_yaml(data, file, is_included=True)


def _refuse_other(found: Document, value: Any) -> None:
    if found.value is None:
        raise CannotEdit(found.diagnostics[0].message if found.diagnostics else "it would no longer be a definition")
    if not is_equal(found.value, value):
        raise CannotEdit(_NOT_KEPT)


def _refuse_no_json(data: bytes) -> None:
    try:
        json.loads(data)
    except ValueError:
        raise CannotEdit("the file would no longer be JSON") from None


def _edit_markdown(text: str, file: str, data: bytes, value: Any) -> str:
    """Front matter and body, each changed only where it has to be."""
    parts = split_markdown(text)
    if parts is None or read_markdown(data, file).value is None:
        raise CannotEdit(f"{file} has other problems, which must be fixed first")
    front, body = parts.front, parts.body
    wanted = {key: entry for key, entry in value.items() if key != BODY}
    wanted_body = value.get(BODY, "")
    if not is_equal(read_front(front, file), wanted):
        if "\r" in front:
            raise CannotEdit("its front matter breaks lines by carriage returns alone")
        front = rewrite_text(front, wanted, file)
        if front and not front.endswith("\n"):
            front += "\n"
    if wanted_body != trim_text(body):
        tail = body[len(body.rstrip("\n")) :] if body.strip("\n") else "\n"
        gap = parts.gap or "\n\n"
        if wanted_body.startswith("\n") and not gap.endswith("\n\n"):
            gap += "\n"
        body = wanted_body + (tail if wanted_body else "")
        return f"{parts.opening}{front}{parts.closing}{gap if body else parts.gap[:1]}{body}"
    return f"{parts.opening}{front}{parts.closing}{parts.gap}{body}"


def read_front(front: str, file: str) -> Any:
    """Return the mapping in front matter; one without a line in it is empty."""
    return read_yaml(front.encode(), file).value if front.strip() else {}


def move_prompt_to_fields(value: Any, prompt: str) -> Any:
    """Return a Markdown file's mapping with the prompt among its fields where the text below them cannot hold it."""
    text = value.get(BODY) if isinstance(value, dict) else ""
    if not isinstance(value, dict) or BODY not in value or (isinstance(text, str) and text.strip()):
        return value
    return {**{key: entry for key, entry in value.items() if key != BODY}, prompt: text}


def _keep_endings(data: bytes, text: str, made: str) -> bytes:
    """Return the changed text in the file's own line endings: each kept line has its own, a new one the most usual."""
    mark = _BOM if data.startswith(_BOM) else b""
    if "\r" not in text:
        return mark + made.encode("utf-8", "surrogatepass")
    old, new = _LINES.findall(text), made.split("\n")
    endings = Counter("\r\n" if line.endswith("\r\n") else line[-1] for line in old if line[-1] in "\r\n")
    usual = endings.most_common(1)[0][0]
    bare = [line.rstrip("\r\n") for line in old]
    lines = [line + usual for line in new[:-1]] + new[-1:]
    for start, other, length in align(bare, new, Allowance(_ALIGNMENTS)):
        for step in range(length):
            if other + step < len(new) - 1 and old[start + step][-1:] in "\r\n":
                lines[other + step] = old[start + step]
    return mark + "".join(lines).encode("utf-8", "surrogatepass")


Contents = Mapping[str, bytes | None]
"""What files hold that are not as on the disk, by their path from the root."""


class CannotTake(Exception):
    """A value that is not written: why, where it stands, what to do, and the lines that could be pasted."""

    def __init__(self, message: str, position: Position | None, hint: str, paste: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message, self.position, self.hint, self.paste = message, position, hint, paste


class Editor:
    """Edits the files of a project for one target; `workspace` has found all definitions.

    `originals` are the files that were edited, as they were read.
    """

    def __init__(
        self,
        root: Path,
        project: Project,
        target: Target,
        overrides: Mapping[str, str],
        table: FieldTable,
        workspace: Workspace,
    ) -> None:
        self._format = format_of(target.protocol)
        self._root, self._project, self._target = root, project, target
        self._overrides = overrides
        self._table = table
        self._workspace = workspace
        self._files = workspace.files_for(target)
        self.originals: dict[str, bytes] = {}

    def take_live(
        self, contents: Contents, name: str, taking: FieldToAccept, live: Any = MISSING
    ) -> dict[str, bytes | None]:
        """Return the contents in which a field is as `live`, else as the taking says. Raises CannotTake.

        The files are read again as they would be: only that field may have changed.
        """
        live = taking.live if live is MISSING else live
        found, path = self._files[name], self._table.path_of(taking.field)
        documents = self._open_documents(contents)
        resolved = self._resolve(found, documents, self._target)
        at = self._find_place(found.file, path, resolved, documents)
        if holds_credential(live):
            raise CannotTake(
                "it contains a credential of this target, which must not be in a file",
                at,
                Message("Create a new credential, and restore the file's value: ", self._revert_command(name)),
            )
        placing = EditPlacer(
            found.file,
            self._target.name,
            resolved.tree,
            dict(resolved.body),
            documents,
            self._format.table,
            is_translated=found.protocol != self._target.protocol,
        )
        value = to_file_value(taking.field, live, taking.file, self._table, has_null=self._has_null(placing, path))
        try:
            edits = placing.edits_for(path, value)
        except Elsewhere as error:
            raise self._explain_elsewhere(error, documents) from None
        result = dict(contents)
        for edit in edits:
            result[edit.origin.file] = self._edit(edit, documents, name)
        self._check(result, name, taking.field, live, resolved, at)
        return result

    def _open_documents(self, contents: Contents | None = None) -> Documents:
        return Documents(self._root, contents, self._workspace.definition_files)

    def _find_place(
        self, file: str, path: ValuePath, resolved: ResolvedDefinition, documents: Documents
    ) -> Position | None:
        """Where a definition's own file has a field, or would have it."""
        origin = resolved.tree.origin(path)
        return documents.at(file, origin.path if origin.file == file else path, key=True)

    def merge_conflicts(
        self, contents: Contents, theirs: Contents, base: Contents | None
    ) -> tuple[dict[str, bytes | None], int]:
        """Each file that differs as a merge of both; without a base every difference stands between markers."""
        documents = Documents(self._root, contents)
        result, conflicts = dict(contents), 0
        for file, their in theirs.items():
            ours = documents.read_content(file)
            if isinstance(ours, str) or their is None or ours == their:
                continue
            before = Documents(self._root, base).read_content(file) if base is not None else None
            made = merge_texts(
                _decode_for_merge(before) if isinstance(before, bytes) else None,
                _decode_for_merge(ours),
                _decode_for_merge(their),
            )
            result[file] = restore_endings(ours, made.text)
            conflicts += made.conflicts
        return result, conflicts

    def find_applied_value(self, name: str, field: str, known: Collection[str]) -> Any:
        """Return the newest value in git's history with one of these digests; MISSING where none has it."""
        if not known:
            return MISSING
        found = self._files[name]
        parts = self._resolve(found, Documents(self._root), self._target).parts
        for contents in read_versions(self._root, [found.file, *parts]):
            body = self._resolve(found, self._open_documents(contents), self._target).body
            value = self._table.split(body).get(field, MISSING)
            if value is not MISSING and digest(value) in known:
                return value
        return MISSING

    def find_affected(
        self, contents: Contents, name: str, users: Mapping[str, Sequence[str]]
    ) -> Iterator[tuple[str, str]]:
        """Which other definitions, on which targets, come to something else, as pairs of names.

        `users` are the names of the definitions that each file is a part of.
        """
        names = {name, *(user for file in contents for user in users.get(file, ()))}
        before, after = (self._open_documents(held) for held in (None, contents))
        for target in self._project.targets.values():
            files = self._workspace.files_for(target)
            for other in sorted(names & files.keys()):
                if (other, target.name) == (name, self._target.name):
                    continue
                old, new = (self._resolve(files[other], documents, target) for documents in (before, after))
                if old.left_out != new.left_out or not same(dict(old.body), dict(new.body)):
                    yield other, target.name

    def _resolve(self, found: DefinitionFile, documents: Documents, target: Target) -> ResolvedDefinition:
        """Return a definition put together with the names of models that files use, not the target's own."""
        return Resolver(self._project, replace(target, models={}), self._overrides).resolve(found, documents)

    def _has_null(self, placing: EditPlacer, path: Sequence[str | int]) -> bool:
        return "null" in self._format.wanted(tuple(path)) and not placing.is_patch(tuple(path))

    def _edit(self, edit: Edit, documents: Documents, name: str) -> bytes:
        file = edit.origin.file
        data = documents.read_content(file)
        where = documents.at(file, edit.origin.path, key=True)
        if isinstance(data, str):
            raise CannotTake(f"{file} {data}", where, "Change it by hand.")
        self.originals.setdefault(file, data)
        try:
            if edit.is_text:
                return edit_text_file(data, file, edit.value)
            value = set_value(documents.mapping(file).value, edit.origin.path, edit.value)
            return edit_file(data, file, move_prompt_to_fields(value, self._format.table.prompt))
        except CannotEdit as error:
            hint = Message("Write it by hand, or apply the file's value: ", self._revert_command(name))
            raise CannotTake(str(error), where, hint) from None

    def _revert_command(self, name: str) -> Command:
        return self._target.command("apply", name, on_drift="revert")

    def _advise(self, problem: Diagnostic, name: str, field: str) -> str:
        """How to go on with a live value that no definition can hold."""
        if problem.code != "unknown-key":
            return problem.hint
        return Message(
            f"To ignore it, list {field} in `ignore_changes`; to apply the file's value: ",
            self._revert_command(name),
        )

    def _explain_elsewhere(self, error: Elsewhere, documents: Documents) -> CannotTake:
        at = documents.at(error.origin.file, error.origin.path, key=True)
        paste = self._format_lines(error.override[0], error.override[1]) if error.override else ()
        return CannotTake(error.message, at, locate_commands(error.hint, self._target.selection), paste)

    def _format_lines(self, path: Sequence[str | int], value: Any) -> tuple[str, ...]:
        """Return the value as the lines of a definition."""
        return tuple(format_entries(set_value({}, tuple(path), value), 0, PLAIN))

    def _check(
        self, contents: Contents, name: str, field: str, live: Any, before: ResolvedDefinition, at: Position | None
    ) -> None:
        """Raise CannotTake unless the files now come to the same definition with this one field as it is live."""
        after = self._resolve(self._files[name], self._open_documents(contents), self._target)
        problems = [*after.diagnostics, *self._format.checker.problems(after.checked, SourceMap)]
        if problems and not before.diagnostics:
            raise CannotTake(
                f"no definition can hold it: {problems[0].message}", at, self._advise(problems[0], name, field)
            )
        table = self._table
        old, new = table.split(before.body), table.split(after.body)
        if not fits(field, new.pop(field, None), None if live is MISSING else live, self._table):
            raise CannotTake("the files would not result in the live value", at, "Change it by hand.")
        old.pop(field, None)
        if not same(old, new):
            more = sorted(key for key in old.keys() | new.keys() if not same(old.get(key), new.get(key)))
            raise CannotTake(f"{', '.join(more)} would change with it", at, "Change it by hand.")


def _decode_for_merge(data: bytes) -> str:
    """Return a file's text with line breaks that are LF, for merging."""
    return data.decode("utf-8", "surrogateescape").removeprefix("\ufeff").replace("\r\n", "\n")
