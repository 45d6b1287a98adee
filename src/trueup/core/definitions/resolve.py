"""Puts a definition together: extends, then the target's patch, then variables, then files; the model's name last.

Pure: documents and positions are handed in (`Sources`). It does not check fields against a schema: what it leaves in
`body` that the API does not know is found there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final

from trueup.core.definitions.definition import Ignore, Lifecycle
from trueup.core.definitions.document import BODY, Document, Partial
from trueup.core.definitions.filled import Filler
from trueup.core.definitions.layers import LIFECYCLE, Origin, Tree, lay_over
from trueup.core.definitions.names import normalize, suggest
from trueup.core.definitions.sources import PROJECT_FILE, Gathered, Setting, Sources, resolve_path
from trueup.core.source import Diagnostic, Path

WRAPPER: Final = ("protocol", "extends", "targets", LIFECYCLE)
"""The keys around a body."""

NOT_IN_PATCHES: Final = ("protocol", "extends", "targets")
"""Keys that a target's patch cannot hold."""

PATCH_OR_FALSE: Final = "Write the fields that differ on this target, or false to leave the assistant out."
NO_IS_TEXT: Final = "In YAML 1.2 `no` is a text. Write false to leave the assistant out."


@dataclass(frozen=True, slots=True)
class ResolvedDefinition:
    """A definition for one target. `tree` says where each value came from; `left_out` that the target has it not.

    `unsettled` are the paths at which the diagnostics have told that no value could be had; `()` is the base. `joined`
    are the parts of the prompt and `partials` the files with problems, as `Gathered` has them; `prompt` is the
    field that was joined from parts.
    """

    body: Mapping[str, Any]
    lifecycle: Mapping[str, Any]
    tree: Tree
    parts: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...]
    left_out: bool = False
    unsettled: frozenset[Path] = frozenset()
    joined: tuple[tuple[Path, int, int], ...] = ()
    partials: Mapping[str, Partial] = field(default_factory=dict)
    prompt: str = ""

    @property
    def checked(self) -> dict[str, Any]:
        """What the protocol's schema judges, in one pass."""
        return {**self.body, LIFECYCLE: self.lifecycle} if LIFECYCLE in self.tree.value else dict(self.body)

    def unheard(self, found: Iterable[Diagnostic]) -> list[Diagnostic]:
        """Those of the problems found that do not merely follow from a value that could not be had."""
        return [item for item in found if not self._follows(item)]

    def _follows(self, item: Diagnostic) -> bool:
        if () in self.unsettled and item.code == "missing-key" and len(item.path) == 1:
            return True
        if any(item.path[:length] in self.unsettled for length in range(1, len(item.path) + 1)):
            return True
        if not self.partials:
            return False
        origin = self.tree.origin(item.path)
        files = self.partials if item.code == "missing-key" and len(item.path) == 1 else (origin.file,)
        return any(file in self.partials and self.partials[file].explains(origin.path, item.code) for file in files)


def resolve(file: str, setting: Setting, sources: Sources) -> ResolvedDefinition:
    """Resolve a definition for the setting's target; collect problems and raise none."""
    gathered = Gathered(sources)
    tree = extend(file, setting, gathered)
    patch = find_target_patch(tree, setting, gathered)
    if patch is False:
        return leave_out(tree, gathered)
    if isinstance(patch, Tree):
        tree = lay_over(tree, patch, setting.table)
    return complete(file, tree, setting, gathered)


def leave_out(tree: Tree, gathered: Gathered) -> ResolvedDefinition:
    """Return what there is of a definition that the target has not."""
    return ResolvedDefinition({}, {}, tree, tuple(gathered.parts), tuple(gathered.diagnostics), left_out=True)


def complete(file: str, tree: Tree, setting: Setting, gathered: Gathered) -> ResolvedDefinition:
    """Return the definition that a tree comes to: named, its references replaced, its model called as on the target."""
    for key in NOT_IN_PATCHES:
        tree.value.pop(key, None)
    display_name = setting.table.display_name
    if display_name and display_name not in tree.value:
        tree.value[display_name] = normalize(PurePosixPath(file).stem).removesuffix(f".{setting.protocol}")
        tree.moved((display_name,), Origin(file))
    return finish(Filler(tree, setting, gathered).filled(), tree, setting, gathered)


def finish(body: dict[str, Any], tree: Tree, setting: Setting, gathered: Gathered) -> ResolvedDefinition:
    """Return the definition whose references have been replaced, with what was gathered on the way."""
    _map_model(body, tree, setting)
    lifecycle = body.pop(LIFECYCLE, None)
    return ResolvedDefinition(
        body,
        {} if lifecycle is None else lifecycle,
        tree,
        tuple(sorted(gathered.parts)),
        tuple(gathered.diagnostics),
        unsettled=frozenset(gathered.unsettled),
        joined=tuple(gathered.joined),
        partials=gathered.partials,
        prompt=setting.table.prompt,
    )


def read_lifecycle(value: Mapping[str, Any]) -> Lifecycle:
    """Read the `lifecycle` section; of an invalid one read what is usable, each entry in its place."""
    entries = value.get("ignore_changes") if isinstance(value, Mapping) else None
    return Lifecycle(
        value.get("protect") if isinstance(value, Mapping) else None,
        tuple(map(_read_ignore, entries if isinstance(entries, list) else ())),
    )


def _read_ignore(entry: Any) -> Ignore:
    if not isinstance(entry, Mapping):
        return Ignore(entry)
    field: Any = entry.get("field")
    return Ignore(field, entry.get("reason") or "", entry.get("until") or "")


def extend(file: str, setting: Setting, gathered: Gathered) -> Tree:
    """Lay a file over the file it extends, and that one over the file it extends in turn."""
    chain: list[Tree] = []
    seen: list[str] = []
    first = gathered.sources.mapping(file)
    gathered.read(first)
    document: Document | None = first
    while document is not None:
        if document.checkable is None:
            gathered.unsettled.add(())
            break
        seen.append(document.file)
        layer = _make_layer(document, setting.table.prompt)
        chain.append(layer)
        document = _find_base(layer, seen, gathered)
    tree = chain.pop() if chain else Tree({}, {(): Origin(file)})
    while chain:
        tree = lay_over(tree, chain.pop(), setting.table)
    return tree


def _make_layer(document: Document, prompt: str) -> Tree:
    """Return a file's mapping, with a Markdown file's body as its prompt or the last part of it."""
    layer = Tree(dict(document.checkable), {(): Origin(document.file)})
    if BODY not in layer.value:
        return layer
    body, declared = layer.value.pop(BODY), layer.value.get(prompt)
    below = Origin(document.file, (BODY,))
    if declared is None:
        layer.value[prompt] = body
        layer.origins[(prompt,)] = below
        return layer
    parts = declared if isinstance(declared, list) else [declared]
    layer.value[prompt] = [*parts, body]
    layer.origins[(prompt, len(parts))] = below
    if parts is not declared:
        layer.origins[(prompt, 0)] = Origin(document.file, (prompt,))
    return layer


def _find_base(layer: Tree, seen: list[str], gathered: Gathered) -> Document | None:
    """Return the document that a layer extends, or None if it extends none or that one is unavailable."""
    if "extends" not in layer.value:
        return None
    name = layer.value.pop("extends")
    origin = layer.origin(("extends",))
    if name is None:
        return None
    document = _find_document(name, origin, seen, gathered)
    if document is None:
        gathered.unsettled.add(())
    return document


def _find_document(name: Any, origin: Origin, seen: list[str], gathered: Gathered) -> Document | None:
    """Return the document that `extends` names, or None, with a problem, if it is unavailable."""
    if not isinstance(name, str):
        gathered.problem(
            "wrong-extends", "extends takes the path of one file, as text", origin, "Write `extends: _base.yaml`."
        )
        return None
    file = resolve_path(name, origin, gathered)
    if file is None:
        return None
    if file in seen:
        circle = " -> ".join([*seen[seen.index(file) :], file])
        gathered.problem(
            "extends-cycle", f"the files extend each other in a cycle: {circle}", origin, "Remove one `extends`."
        )
        return None
    document = gathered.sources.mapping(file)
    gathered.take(document, origin)
    return document


def find_target_patch(tree: Tree, setting: Setting, gathered: Gathered) -> Tree | bool | None:
    """Return this target's patch from `targets:`, False to leave the assistant out, or None without an entry."""
    targets = tree.value.get("targets")
    if targets is None:
        return None
    if type(targets) is not dict:
        gathered.problem(
            "wrong-targets",
            "targets takes a mapping from target names to patches",
            tree.origin(("targets",)),
            "Write `targets: {prod: {model: …}}`.",
        )
        return None
    for name, patch in targets.items():
        _check_patch(name, patch, tree, setting, gathered)
    mine = targets.get(setting.target.name)
    if mine is False:
        return False
    return tree.below("targets", setting.target.name) if type(mine) is dict else None


def _check_patch(name: str, patch: Any, tree: Tree, setting: Setting, gathered: Gathered) -> None:
    """Each target's entry must name a target and be a patch, whichever target is asked for."""
    origin = tree.origin(("targets", name))
    if name not in setting.targets:
        gathered.problem(
            "unknown-target",
            f"there is no target {name!r} in {PROJECT_FILE}",
            origin,
            suggest(name, setting.targets),
            key=True,
        )
    if patch is None or patch is False:
        return
    if type(patch) is not dict:
        gathered.problem(
            "wrong-patch",
            f"what targets says for {name!r} is neither a mapping of fields nor false",
            origin,
            NO_IS_TEXT if patch in ("no", "No", "NO", "off", "Off", "OFF") else PATCH_OR_FALSE,
        )
        return
    for key in patch:
        if key in NOT_IN_PATCHES:
            gathered.problem(
                "key-not-here",
                f"{key} cannot stand inside the patch for {name!r}",
                tree.origin(("targets", name, key)),
                f"Move {key} to the top level of the file.",
                key=True,
            )


def _map_model(body: dict[str, Any], tree: Tree, setting: Setting) -> None:
    """Replace the model's name with the target's name for it."""
    model = body.get("model")
    if isinstance(model, str) and model in setting.target.models:
        body["model"] = setting.target.models[model]
        tree.moved(("model",), Origin(PROJECT_FILE, ("targets", setting.target.name, "models", model)))
