"""A portable definition as one of another protocol: translated, then patched in that protocol's own names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from trueup.core.definitions.filled import Filler
from trueup.core.definitions.layers import LIFECYCLE, Origin, Tree, patched
from trueup.core.definitions.resolve import (
    NOT_IN_PATCHES,
    Resolved,
    completed,
    extended,
    finished,
    left_out_of,
    target_patch,
)
from trueup.core.definitions.sources import Gathered, Setting, Sources
from trueup.core.source import Diagnostic, Path, Severity
from trueup.core.translation import Translation, loss_faults

Translate = Callable[[Mapping[str, Any]], Translation]
"""What makes a protocol's body out of a portable one."""

Check = Callable[[Resolved], Collection[Diagnostic]]
"""What the schema of portable definitions refuses."""


@dataclass(frozen=True, slots=True)
class Native:
    """The protocol that is translated to: `setting` is as its own definitions have it, `check` judges portable ones."""

    setting: Setting
    translate: Translate
    check: Check


def resolve_translated(file: str, setting: Setting, sources: Sources, native: Native) -> Resolved:
    """The portable definition in a file as the target's protocol has it; problems are collected, none is raised.

    One with a mistake in it is not translated: its problems, and no body, are what there is.
    """
    gathered = Gathered(sources)
    tree = extended(file, setting, gathered)
    patch = target_patch(tree, setting, gathered)
    if patch is False:
        return left_out_of(tree, gathered)
    bare = replace(setting, target=replace(setting.target, models={}))
    portable = completed(file, tree, bare, gathered)
    problems = [*gathered.diagnostics, *portable.unheard(native.check(portable))]
    if any(item.severity is Severity.ERROR for item in problems):
        return replace(portable, body={}, diagnostics=tuple(problems), unsettled=frozenset({()}))
    patch = patch if isinstance(patch, Tree) else Tree({}, {(): Origin(file)})
    for key in NOT_IN_PATCHES:
        patch.value.pop(key, None)
    translation = native.translate(portable.body)
    gathered.diagnostics += _losses(translation, portable, patch, native.setting, sources)
    return _laid_over(portable, translation, patch, native.setting, gathered)


def _laid_over(
    portable: Resolved, translation: Translation, patch: Tree, setting: Setting, gathered: Gathered
) -> Resolved:
    """The translated body under the target's patch, whose references are those of the target's protocol."""
    gathered.joined = [
        (native, line, lines)
        for path, line, lines in gathered.joined
        for native in _moved(path, translation)
        if native[0] not in patch.value
    ]
    gathered.unsettled = {native for path in gathered.unsettled for native in _moved(path, translation)}
    filled = Tree(Filler(patch, setting, gathered).filled(), patch.origins)
    tree = patched(_translated_tree(portable, translation), filled, setting.table)
    return finished(dict(tree.value), tree, setting, gathered)


def _translated_tree(portable: Resolved, translation: Translation) -> Tree:
    """The translated body with the places in files that its values came from."""
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


def _losses(
    translation: Translation, portable: Resolved, patch: Tree, setting: Setting, sources: Sources
) -> Iterator[Diagnostic]:
    """What the target's protocol cannot hold, each at its line in the portable definition."""
    allowed = setting.target.allow_loss
    for fault in loss_faults(translation.verdicts, setting.protocol, allowed, patch.value.keys()):
        origin = portable.tree.origin(fault.path)
        at = sources.at(origin.file, origin.path, key=fault.at_key)
        yield Diagnostic(fault.severity, fault.code, fault.message, at, fault.path, fault.hint)


def _moved(path: Path, translation: Translation) -> Iterator[Path]:
    """Where in the translated body a portable value stands."""
    for native, source in translation.sources.items():
        if path[: len(source)] == source:
            yield (*native, *path[len(source) :])
