"""An import as text and as JSON: what was written, or would be, what was linked, and what stays outside and why."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from trueup.core.command import Selection
from trueup.core.errors import Exit
from trueup.core.migration.imports import Ambiguous, Imports, Link
from trueup.core.plans.summary import import_summary
from trueup.render.records.documents import write_document
from trueup.render.style import Look
from trueup.render.values import pluralize
from trueup.render.visible import make_visible

PAIRS = 12
"""Links that are proposed for one display name."""

_LOOK = Look(False, 80)


def write_text(done: Imports, code: Exit, *, dry_run: bool = False) -> str:
    """Return the import for people, with the exit code; a dry run shows each file's text too."""
    lines = [*_files(done, dry_run), *_links(done, dry_run), *_outside(done)]
    gap = [""] if lines else []
    return "\n".join([*lines, *gap, import_summary(done, code, dry_run=dry_run)]) + "\n"


def write_json(done: Imports, code: Exit, *, dry_run: bool = False) -> str:
    """Return the same as JSON; the texts of files are in it for a dry run only."""
    texts = {item.file: item.text for item in done.files} | dict(done.parts) if dry_run else {}
    value: dict[str, Any] = {
        "target": done.target,
        "dry_run": dry_run,
        "written": [
            {"name": item.name, "file": item.file, "from": item.origin, "id": item.id or None} for item in done.files
        ],
        "parts": sorted(done.parts),
        "linked": [_link_value(item) for item in done.links],
        "state": done.ids,
        "managed": dict(done.managed),
        "foreign": dict(done.foreign),
        "left_out": {**done.outside, **{item.where: item.why for item in done.unread}},
        "ambiguous": [
            {"name": item.display_name, "ids": list(item.ids), "definitions": list(item.names)}
            for item in done.ambiguous
        ],
        "omitted": [
            {"from": origin, "path": item.path, "message": item.message}
            for origin, omitted in done.omissions.items()
            for item in omitted
        ],
        "remarks": _sentences(done),
        "unlinked": dict(done.unlinked),
        "summary": import_summary(done, code, dry_run=dry_run),
    }
    if dry_run:
        value["files"] = texts
    return write_document("import", value, sort_keys=False)


def _sentences(done: Imports) -> dict[str, list[str]]:
    """Return everything to be known of each origin: remarks, then omissions."""
    said = {origin: list(remarks) for origin, remarks in done.remarks.items() if remarks}
    for origin, omitted in done.omissions.items():
        said.setdefault(origin, []).extend(item.message for item in omitted)
    return said


def _link_value(item: Link) -> dict[str, Any]:
    value: dict[str, Any] = {"name": item.name, "file": item.file, "id": item.id, "override": dict(item.patch)}
    return value | ({"not_edited": item.why} if item.why else {})


def _show(value: str) -> str:
    return make_visible(value, _LOOK)


def _files(done: Imports, dry_run: bool) -> Iterator[str]:
    word = "would write" if dry_run else "wrote"
    for item in done.files:
        where = f" on {done.target}" if item.id else ""
        yield f"{word} {_show(item.file)}  from {_show(item.origin)}{where}"
        yield from _file_text(item.text, dry_run)
        yield from _remarks(done, item.origin)
    for file, content in done.parts.items():
        yield f"{word} {_show(file)}"
        yield from _file_text(content, dry_run and not file.endswith(".json"))  # a schema of ours is nothing to read


def _file_text(content: str, dry_run: bool) -> Iterator[str]:
    if dry_run:
        yield from (
            f"    {_show(line)}".rstrip() if not line.strip() else f"    {_show(line)}" for line in _lines(content)
        )


def _lines(content: str) -> Sequence[str]:
    return content.removesuffix("\n").split("\n")


def _links(done: Imports, dry_run: bool) -> Iterator[str]:
    word = "would link" if dry_run else "linked"
    for item in done.links:
        yield f"{word} {_show(item.name)} to {_show(item.id)} on {done.target}"
        if item.patch and not item.why:
            fields = ", ".join(_show(key) for key in item.patch)
            said = "would have" if dry_run else "now has"
            yield f"  {_show(item.file)} {said} under targets.{_show(done.target)} what is live there: {fields}"
        if item.why:
            yield from _manual_edit(item, done.target)
        yield from _remarks(done, item.id)


def _manual_edit(item: Link, target: str) -> Iterator[str]:
    """Yield what a person has to put into the file."""
    yield f"  {_show(item.file)} differs from what is live, and could not be edited: {_show(item.why)}."
    yield "  Until you add this, the next plan shows an edit:"
    patch = json.dumps({"targets": {target: item.patch}}, indent=2, ensure_ascii=False)
    yield from (f"    {_show(line)}" for line in patch.split("\n"))


def _remarks(done: Imports, origin: str) -> Iterator[str]:
    yield from (f"  ! {_show(said)}." for said in _sentences(done).get(origin, ()))


def _outside(done: Imports) -> Iterator[str]:
    for live_id, why in done.foreign.items():
        yield f"left {_show(live_id)} alone: it {_show(why)}."
    for origin, why in done.outside.items():
        yield f"! {_show(origin)} was not imported: {_show(why)}."
    for item in done.unread:
        yield f"! {_show(item.where)} {_show(item.why)}."
    for group in done.ambiguous:
        yield from _ambiguous(group, done.selection)


def _ambiguous(item: Ambiguous, selection: Selection) -> Iterator[str]:
    ids = ", ".join(_show(live_id) for live_id in item.ids)
    if not item.names:
        assistants = pluralize(len(item.ids), "assistant")
        yield f"! The stamps of {assistants} have the name {_show(item.display_name)} ({ids})."
        yield "  Choose the one to keep; the next plan prints the command that deletes the other:"
        yield from (f"    {selection.command('import', live_id)}" for live_id in item.ids)
        return
    names = ", ".join(_show(name) for name in item.names)
    live = f"the live {'assistant' if len(item.ids) == 1 else 'assistants'} {ids}"
    yield f"! The {_count(item.names)} {names} and {live} have the same name, {_show(item.display_name)}."
    yield "  Link each definition to its assistant:"
    pairs = [f"{name}={live_id}" for name in item.names for live_id in item.ids]
    yield from (f"    {selection.command('import', pair)}" for pair in pairs[:PAIRS])
    yield from ([f"    and {len(pairs) - PAIRS} more pairs"] if len(pairs) > PAIRS else [])


def _count(names: Sequence[str]) -> str:
    return "definition" if len(names) == 1 else "definitions"
