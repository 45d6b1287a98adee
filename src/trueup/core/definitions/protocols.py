"""The protocol that a definition is written in, and a portable definition translated into another one.

What a file, or one that it extends, says decides; else the project's default. A translated body is patched in the
target protocol's own names. Each protocol's translation is its own function, `wire/<protocol>/translation.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

from trueup.core.definitions.filled import Filler
from trueup.core.definitions.layers import LIFECYCLE, Origin, Tree, lay_over
from trueup.core.definitions.names import protocol_in_name, suggest
from trueup.core.definitions.resolve import (
    NOT_IN_PATCHES,
    ResolvedDefinition,
    complete,
    extend,
    find_target_patch,
    finish,
    leave_out,
)
from trueup.core.definitions.sources import PROJECT_FILE, Gathered, Setting, Sources, resolve_path
from trueup.core.rules.fault import CODE, Fault, is_allowed
from trueup.core.source import Diagnostic, Path, Position, Severity

KEY: Final = "protocol"


@dataclass(frozen=True, slots=True)
class StatedProtocol:
    """The protocol of one file, empty where nothing says it; or what is wrong with what says it."""

    protocol: str = ""
    problem: Diagnostic | None = None


class ProtocolFinder:
    """Finds the protocol of each definition; files that several extend are looked at once.

    `known` are the protocols that there are, `default` is that of files that say nothing, empty where there is none,
    and `choices` are the protocols that a line could say then.
    """

    def __init__(self, sources: Sources, known: Collection[str], default: str, choices: Sequence[str]) -> None:
        self._sources = sources
        self._known = known
        self._default = default
        self._choices = choices
        self._stated: dict[str, StatedProtocol] = {}

    def find(self, file: str) -> StatedProtocol:
        """Return the protocol of a definition, or the problem that keeps it from having one."""
        stated = self._find_in_chain(file, ())
        if stated.problem is not None or stated.protocol:
            return stated
        if self._default or self._sources.mapping(file).checkable is None:
            return StatedProtocol(self._default)
        return StatedProtocol(problem=self._say_undecided(file))

    def _find_in_chain(self, file: str, seen: tuple[str, ...]) -> StatedProtocol:
        """Return what a file and those that it extends say."""
        if file not in self._stated:
            self._stated[file] = self._look_up(file, seen)
        return self._stated[file]

    def _look_up(self, file: str, seen: tuple[str, ...]) -> StatedProtocol:
        value = self._sources.mapping(file).checkable
        if not isinstance(value, dict):
            return self._say_unread(file)
        own = self._read_own(file, value.get(KEY))
        base = self._find_base(file, value.get("extends"))
        if own.problem is not None or not base or base in (*seen, file):
            return own
        if not isinstance(self._sources.mapping(base).checkable, dict):
            return own if own.protocol else self._say_unread(base, Origin(file, ("extends",)))
        below = self._find_in_chain(base, (*seen, file))
        if not own.protocol or below.problem is not None:
            return below
        theirs = below.protocol or (self._default if self._sources.is_definition(base) else "")
        if theirs and theirs != own.protocol:
            message = f"this definition has the protocol {own.protocol}, and {base}, which it extends, has {theirs}"
            origin = Origin(file, ("extends",))
            return self._make_wrong("wrong-protocol", message, origin, "Extend a file of the same protocol.")
        return own

    def _say_unread(self, file: str, origin: Origin | None = None) -> StatedProtocol:
        """Return what the name of a file says that cannot be read; else its problem where targets speak differently.

        It is then of no protocol: were it taken for one, the other targets would miss its assistant. `origin` is what
        names the file.
        """
        named, document = protocol_in_name(file, self._known), self._sources.mapping(file)
        if named or len(self._choices) < 2:
            return StatedProtocol(named)
        if document.diagnostics:
            return StatedProtocol(problem=document.diagnostics[0])
        at = origin or Origin(file, ())
        return self._make_wrong(
            "file-not-read", f"{file} {document.refusal}", at, "Write the file, or correct its name."
        )

    def _read_own(self, file: str, said: Any) -> StatedProtocol:
        """Return what the file's name and its own line say."""
        named, origin = protocol_in_name(file, self._known), Origin(file, (KEY,))
        if said is None:
            return StatedProtocol(named)
        if not isinstance(said, str) or said not in self._known:
            shown = repr(said[:60]) if isinstance(said, str) else "of this kind"
            return self._make_wrong(
                "wrong-protocol", f"there is no protocol {shown}", origin, suggest(str(said), self._known)
            )
        if named not in ("", said):
            message = f"the file's name has the protocol {named}, and this line has {said}"
            return self._make_wrong("wrong-protocol", message, origin, "Rename the file, or remove this line.")
        return StatedProtocol(said)

    def _find_base(self, file: str, name: Any) -> str:
        """Return the file that `extends` names; empty where it names none, which is reported elsewhere."""
        if not isinstance(name, str):
            return ""
        return resolve_path(name, Origin(file, ("extends",)), Gathered(self._sources)) or ""

    def _say_undecided(self, file: str) -> Diagnostic:
        lines = " or ".join(f"`{KEY}: {choice}`" for choice in self._choices)
        return Diagnostic(
            Severity.ERROR,
            "protocol-missing",
            f"{file} has no protocol, and the targets speak different ones",
            self._sources.at(file, ()) or Position(file, 1, 1),
            hint=f"Add {lines} to this file, to the file that it extends, or to {PROJECT_FILE} for all files.",
        )

    def _make_wrong(self, code: str, message: str, origin: Origin, hint: str) -> StatedProtocol:
        at = self._sources.at(origin.file, origin.path)
        return StatedProtocol(problem=Diagnostic(Severity.ERROR, code, message, at, origin.path, hint))


class Support(Enum):
    """What a protocol makes of one portable field."""

    SUPPORTED = "supported"
    CONVERTED = "converted"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class FieldSupport:
    """What became of one field of the portable body.

    `path` is its place there and `key` its name in `allow_loss` (`tools.function.strict`). `text` says how it was
    converted or why it is unsupported, and `hint` what to write instead. `field` is the top-level field of the result
    that it belongs to, empty where there is none: a target's patch of that field settles a loss. `required`: leaving
    it out is no way, so that `allow_loss` does not cover it.
    """

    path: Path
    word: Support
    key: str
    text: str = ""
    hint: str = ""
    field: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Translation:
    """A body of the target's protocol. `sources` maps paths in it to the portable ones, deeper ones go along."""

    body: Mapping[str, Any]
    sources: Mapping[Path, Path]
    verdicts: tuple[FieldSupport, ...]


def list_loss_faults(
    verdicts: Iterable[FieldSupport], protocol: str, allowed: Collection[str], patched: Collection[str] = ()
) -> Iterator[Fault]:
    """Yield an error for each unsupported field, a warning where `allow_loss` covers it, nothing where a patch does.

    `allowed` are the paths of the target's `allow_loss`, `patched` the top-level fields of its patch.
    """
    for verdict in verdicts:
        if verdict.word is not Support.UNSUPPORTED or (verdict.field and verdict.field in patched):
            continue
        if not verdict.required and is_allowed(verdict.key, allowed):
            message, hint = f"{protocol} does not support {verdict.key}; it is left out", "allow_loss permits it."
            yield Fault(CODE, verdict.path, message, hint, at_key=True, severity=Severity.WARNING)
        else:
            yield Fault("unsupported", verdict.path, verdict.text, verdict.hint, at_key=True)


Translate = Callable[[Mapping[str, Any]], Translation]
"""What makes a protocol's body out of a portable one."""

Check = Callable[[ResolvedDefinition], Collection[Diagnostic]]
"""What the schema of portable definitions refuses."""


@dataclass(frozen=True, slots=True)
class Native:
    """The protocol that is translated to: `setting` is as its own definitions have it, `check` judges portable ones."""

    setting: Setting
    translate: Translate
    check: Check


def resolve_translated(file: str, setting: Setting, sources: Sources, native: Native) -> ResolvedDefinition:
    """Resolve a portable definition for the target's protocol; collect problems and raise none.

    A definition with a mistake is not translated: the result has its problems and no body.
    """
    gathered = Gathered(sources)
    tree = extend(file, setting, gathered)
    patch = find_target_patch(tree, setting, gathered)
    if patch is False:
        return leave_out(tree, gathered)
    bare = replace(setting, target=replace(setting.target, models={}))
    portable = complete(file, tree, bare, gathered)
    problems = [*gathered.diagnostics, *portable.unheard(native.check(portable))]
    if any(item.severity is Severity.ERROR for item in problems):
        return replace(portable, body={}, diagnostics=tuple(problems), unsettled=frozenset({()}))
    patch = patch if isinstance(patch, Tree) else Tree({}, {(): Origin(file)})
    for key in NOT_IN_PATCHES:
        patch.value.pop(key, None)
    translation = native.translate(portable.body)
    gathered.diagnostics += _list_losses(translation, portable, patch, native.setting, sources)
    return _lay_patch_over(portable, translation, patch, native.setting, gathered)


def _lay_patch_over(
    portable: ResolvedDefinition, translation: Translation, patch: Tree, setting: Setting, gathered: Gathered
) -> ResolvedDefinition:
    """Lay the target's patch, whose references use the target's protocol, over the translated body."""
    gathered.joined = [
        (native, line, lines)
        for path, line, lines in gathered.joined
        for native in _move_path(path, translation)
        if native[0] not in patch.value
    ]
    gathered.unsettled = {native for path in gathered.unsettled for native in _move_path(path, translation)}
    filled = Tree(Filler(patch, setting, gathered).filled(), patch.origins)
    tree = lay_over(_make_tree(portable, translation), filled, setting.table)
    return finish(dict(tree.value), tree, setting, gathered)


def _make_tree(portable: ResolvedDefinition, translation: Translation) -> Tree:
    """Return the translated body with the places in files that its values came from."""
    old = portable.tree
    value = dict(translation.body)
    origins: dict[Path, Origin] = {(): old.origin(())}
    for native, source in sorted(translation.sources.items(), key=lambda pair: len(pair[0])):
        origins[native] = old.origin(source)
        deeper = [path for path in old.origins if len(path) > len(source) and path[: len(source)] == source]
        origins |= {(*native, *path[len(source) :]): old.origins[path] for path in deeper}
    if LIFECYCLE in old.value:
        value[LIFECYCLE] = portable.lifecycle
        origins |= {path: origin for path, origin in old.origins.items() if path[:1] == (LIFECYCLE,)}
    return Tree(value, origins)


def _list_losses(
    translation: Translation, portable: ResolvedDefinition, patch: Tree, setting: Setting, sources: Sources
) -> Iterator[Diagnostic]:
    """Yield what the target's protocol cannot hold, each at its line in the portable definition."""
    allowed = setting.target.allow_loss
    for fault in list_loss_faults(translation.verdicts, setting.protocol, allowed, patch.value.keys()):
        origin = portable.tree.origin(fault.path)
        at = sources.at(origin.file, origin.path, key=fault.at_key)
        yield Diagnostic(fault.severity, fault.code, fault.message, at, fault.path, fault.hint)


def _move_path(path: Path, translation: Translation) -> Iterator[Path]:
    """Where in the translated body a portable value stands."""
    for native, source in translation.sources.items():
        if path[: len(source)] == source:
            yield (*native, *path[len(source) :])
