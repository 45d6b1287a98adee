"""Surgical edits of a YAML text: one value changes, and every line that is not its own stays, byte for byte.

A changed text counts only if the reader finds in it exactly the value that was wanted, so nothing here has to be
believed. Knows line breaks as LF alone, and nothing of files, Markdown or what a value is for.
"""

from __future__ import annotations

from typing import Any, Final

from trueup.core.plans.diff import find_gaps
from trueup.core.texts.align import Allowance
from trueup.core.yaml_text import PLAIN, format_entries
from trueup.edge.yaml.nodes import (
    CannotSplice,
    Layout,
    Node,
    NodeKind,
    Place,
    Splice,
    parse_nodes,
    splice_text,
    walk_nodes,
)
from trueup.edge.yaml.reader import read_yaml_text

ALIGNMENTS: Final = 200_000
"""Comparisons that finding the unchanged entries of lists may cost."""


class CannotEdit(Exception):
    """The text cannot be made to hold the value; the message is a sentence's end that says why."""


def rewrite_text(text: str, value: Any, file: str) -> str:
    """Return the text, changed so that it reads as `value` and otherwise left alone. Raises CannotEdit.

    The finest change that reads back as wanted is taken: single entries first, then whole values, quoted at last.
    """
    found = read_yaml_text(text, file, is_included=True)
    before = found.value
    if before is None:
        if value and [item.code for item in found.diagnostics] == ["empty-file"]:
            above = text if not text or text.endswith("\n") else f"{text}\n"
            return _check_text(above + "".join(f"{line}\n" for line in format_entries(value, 0, PLAIN)), value, file)
        raise CannotEdit(f"{file} has other problems, which must be fixed first")
    if is_equal(before, value):
        return text
    root = parse_nodes(text)
    assert root is not None
    reason = ""
    for quote, coarse, closed in (
        (False, False, False),
        (False, False, True),
        (False, True, False),
        (True, True, True),
    ):
        try:
            changed = _Changes(text, root, Layout.of(root, file, quote=quote), coarse=coarse).apply(before, value)
            if closed and not changed.endswith("\n"):
                changed += "\n"
            return _check_text(changed, value, file)
        except (CannotEdit, CannotSplice) as error:
            reason = reason or str(error)
    raise CannotEdit(reason)


def set_value(document: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """Return a copy of the document with a value at a path; mappings that are missing, or null, are made."""
    if not path:
        return value
    head, rest = path[0], path[1:]
    if isinstance(document, list) and isinstance(head, int):
        return [set_value(entry, rest, value) if index == head else entry for index, entry in enumerate(document)]
    mapping = document if isinstance(document, dict) else {}
    return {**mapping, str(head): set_value(mapping.get(str(head)), rest, value)}


def is_equal(left: Any, right: Any) -> bool:
    """Whether two plain values are the same to the letter: 1 is neither True nor 1.0, and order in mappings is none."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(is_equal(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(is_equal, left, right))
    return bool(left == right)


def _check_text(text: str, value: Any, file: str) -> str:
    """Return the text if it reads as the value. Raises CannotEdit."""
    found = read_yaml_text(text, file, is_included=True)
    if found.value is not None and is_equal(found.value, value):
        return text
    said = found.diagnostics[0].message if found.diagnostics else "other values of the file would change with it"
    raise CannotEdit(f"it cannot be written there without a change: {said}")


class _Changes:
    """Walks the nodes beside the value as it is and as it is wanted, and gathers the splices between them."""

    def __init__(self, text: str, root: Node, layout: Layout, *, coarse: bool) -> None:
        self._text = text
        self._root = root
        self._layout = layout
        self._coarse = coarse
        self._splices: list[Splice] = []
        self._allowance = Allowance(ALIGNMENTS)
        self._aliases = [node for node in walk_nodes(root) if node.kind is NodeKind.ALIAS]

    def apply(self, before: Any, after: Any) -> str:
        """Return the whole text, changed. Raises CannotEdit and CannotSplice."""
        top = Place(self._text, self._root, self._root.start, -1, self._layout)
        if self._root.kind is NodeKind.MAPPING and isinstance(after, dict):
            self._change_mapping(top, before, after)
        elif self._root.kind is NodeKind.SEQUENCE and isinstance(after, list) and not self._coarse:
            self._change_sequence(top, before, after)
        else:
            raise CannotEdit("the kind of value would change")
        return splice_text(self._text, self._splices)

    def _change(self, place: Place, before: Any, after: Any) -> None:
        """Change one value, as finely as can be."""
        node = place.node
        if is_equal(before, after):
            return
        self._refuse_shared(node)
        kept = len(self._splices)
        try:
            if node.kind is NodeKind.MAPPING and isinstance(after, dict) and node.entries:
                return self._change_mapping(place, before, after)
            if node.kind is NodeKind.SEQUENCE and isinstance(after, list) and node.items and after and not self._coarse:
                return self._change_sequence(place, before, after)
        except CannotSplice:
            del self._splices[kept:]
        self._refuse_lost(node)
        self._splices.append(place.replace_value(before, after))

    def _change_mapping(self, place: Place, before: dict[str, Any], after: dict[str, Any]) -> None:
        own = {key.text: (key, value) for key, value in place.node.entries if not _is_merge(key)}
        stays = [_is_merge(key) or key.text in after for key, _ in place.node.entries]
        for key in before:
            if key not in after:
                if key not in own:
                    raise CannotEdit(
                        f"the key {key!r} comes from the mapping that << names, and cannot be left out here"
                    )
                self._refuse_lost(own[key][1])
                self._splices.append(place.remove_entry(*own[key], _find_first_kept(stays)))
        fresh: dict[str, Any] = {}
        for key, value in after.items():
            if key in own:
                self._change(place.below(*own[key]), before[key], value)
            elif key not in before or not is_equal(before[key], value):
                fresh[key] = value  # new, or one that << brought and that is overridden here
        if before and not after.keys() & own.keys() and not _has_merge(place.node):
            raise CannotSplice("nothing of the mapping would be left")
        if fresh:
            self._splices.append(place.add_entries(fresh))

    def _change_sequence(self, place: Place, before: list[Any], after: list[Any]) -> None:
        found = list(find_gaps(before, after, self._allowance))
        gone = {index for (start, end), new in found for index in range(start + _count_paired((start, end), new), end)}
        first_kept = _find_first_kept([index not in gone for index in range(len(before))])
        for (start, end), (new_start, new_end) in found:
            paired = _count_paired((start, end), (new_start, new_end))
            for step in range(paired):
                self._change(place.item(start + step), before[start + step], after[new_start + step])
            for index in range(start + paired, end):
                self._refuse_lost(place.node.items[index])
                self._splices.append(place.remove_item(index, first_kept))
            if new_end > new_start + paired:
                self._splices.append(place.add_items(start + paired, after[new_start + paired : new_end]))

    def _refuse_shared(self, node: Node) -> None:
        """Raise CannotEdit for a node with an anchor in use: changing it would change the other value too."""
        users = [alias for alias in self._aliases if alias.text == node.anchor]
        if users:
            raise CannotEdit(
                f"it carries the anchor &{node.anchor}, which line {min(user.line for user in users) + 1} of the file "
                f"uses too; write the value out there, or here without the anchor"
            )

    def _refuse_lost(self, node: Node) -> None:
        """Raise CannotEdit if what is written anew holds an anchor that the rest of the file uses."""
        below = walk_nodes(node)
        anchors = {inner.anchor for inner in below} - {None}
        for alias in self._aliases:
            if alias.text in anchors and not any(alias is inner for inner in below):
                raise CannotEdit(
                    f"the anchor &{alias.text} stands in it, which line {alias.line + 1} of the file uses; "
                    "write the value out there first"
                )


def _count_paired(old: tuple[int, int], new: tuple[int, int]) -> int:
    """How many entries of two stretches of a list became each other: all, where they are as many."""
    return old[1] - old[0] if old[1] - old[0] == new[1] - new[0] else 0


def _find_first_kept(stays: list[bool]) -> int:
    """Return the place of the first entry that stays. Raises CannotSplice where none does."""
    if True not in stays:
        raise CannotSplice("nothing of it would be left")
    return stays.index(True)


def _is_merge(key: Node) -> bool:
    return key.text == "<<" and key.kind is NodeKind.SCALAR and not key.style and key.anchor is None


def _has_merge(node: Node) -> bool:
    return any(_is_merge(key) for key, _ in node.entries)
