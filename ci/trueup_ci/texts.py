"""Add a job's marker, notes and source to Trueup's pages, and read names from Trueup's JSON documents."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from trueup_ci.problem import Problem

LARGEST = 65_530
"""Bytes of a comment or an issue; GitHub takes 65,536 characters."""

CUT = "\n\n**Cut off here**: the job's summary and its artifact have all of it.\n"
"""The end of a page that does not fit beside the notes."""

DIGEST = 16
"""Characters of a plan's digest in a trailer."""


def write_marker(project: str, target: str, kind: str) -> str:
    """Return the first line of a page about a target, as Trueup's own pages have it."""
    return f"<!-- trueup:{quote(f'{project}/{target}', safe=':/._-')} {kind} -->"


def replace_marker(page: str, line: str) -> str:
    """Return a page with our marker in place of its own, or before it if it has none."""
    first, _, rest = page.partition("\n")
    return f"{line}\n{rest if first.startswith('<!-- trueup:') else page}"


def add_notes(page: str, notes: list[str], commit: str = "", url: str = "") -> str:
    """Return a page with notes below its heading, and the commit and the job that it comes from at its end.

    If all of it does not fit, the page is cut and not the notes. Raises Problem if the notes alone do not fit.
    """
    heading, rest = page.split("\n")[:2], "\n".join(page.split("\n")[2:])
    top = "\n".join([*heading, *(line for note in notes for line in ("", f"> {note}"))])
    source = f"\n<sub>Commit {commit[:12]}. [The job]({url}) keeps the whole report.</sub>\n" if url else ""
    room = LARGEST - len(f"{top}\n{source}".encode())
    if len(rest.encode()) > room:
        rest = _cut(rest, room - len(CUT.encode())) + CUT
    made = f"{top}\n{rest}{source}"
    if len(made.encode()) > LARGEST:
        raise Problem("The notes for reviewers do not fit into a comment.", "See this job's log.")
    return made


def _cut(text: str, room: int) -> str:
    """Return as many whole lines as there is room for, no folded block or code block left open."""
    kept, end, taken, is_code = 0, 0, 0, False
    lines = text.split("\n")
    for place, line in enumerate(lines):
        taken += len(line.encode()) + 1
        if taken > room:
            break
        is_code ^= line.lstrip().startswith("```")
        kept += line.count("<details") - line.count("</details")
        if not is_code and kept <= 0:
            end = place + 1
    return "\n".join(lines[:end])


def is_guarded(document: Any) -> bool:
    """Return whether a guard stops the plan or the apply of a document until the plan is acknowledged."""
    return bool(document.get("guard"))


def trailer_note(digest: str) -> str:
    """Return how to acknowledge a guarded plan that a merge applies."""
    return (
        f"**A guard requires an acknowledgement.** To apply this plan, end the message of the merge commit with the "
        f"line `Trueup-Ack: {digest[:DIGEST]}`. Without it the merge is not applied."
    )


_SENT = frozenset({"create", "release"})
_STUCK = frozenset({"namesake", "likely-rename", "twins", "no-room", "unsettled", "moved", "released"})
_WRITTEN = frozenset({"create", "modify", "delete", "release"})
_EDITED = frozenset({"edited", "removed", "conflict"})


def find_written(plan: Any) -> list[str]:
    """Return the assistants that an apply of the plan would change; those that it only stamps are not among them."""
    return [str(change["name"]) for change in _changes(plan) if change["action"] in _WRITTEN]


def find_unapplied(plan: Any) -> list[str]:
    """Return the assistants with changes in the files that were never applied; changes outside do not count."""
    return [str(change["name"]) for change in _changes(plan) if _is_unapplied(change)]


def find_undeleted(plan: Any) -> list[str]:
    """Return the assistants that no file describes any more and that an apply would delete."""
    return [str(change["name"]) for change in _changes(plan) if change["action"] == "delete"]


def find_behind(plan: Any) -> list[str]:
    """Return the assistants that another checkout applied since: their live stamp is newer than the state."""
    return [str(change["name"]) for change in _changes(plan) if change["reason"] == "behind"]


def _changes(plan: Any) -> list[Any]:
    return list((plan.get("plan") or {}).get("changes") or [])


def _is_unapplied(change: Any) -> bool:
    action, reason = change["action"], change["reason"]
    if reason == "behind":
        return False
    is_new = action in _SENT and reason not in ("recreated", "deleted-outside")
    is_stuck = action == "held" and reason in _STUCK
    return is_new or is_stuck or any(item["cause"] in _EDITED for item in change.get("fields") or [])


def read_records(content: bytes | None) -> dict[str, Any]:
    """Return the records in the text of a state file by name; none in any other text."""
    try:
        found = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        return {}
    inside = found.get("records") if isinstance(found, dict) else None
    return {name: entry for name, entry in inside.items() if name} if isinstance(inside, dict) else {}


def write_refusal(line: str, what: str, problem: Problem, said: str = "") -> str:
    """Return a page on why something was not done, with Trueup's own page if both fit."""
    page = f"{line}\n### Trueup: {what}\n\n{problem.message} {problem.hint}\n"
    both = f"{page}\n{said}" if said else page
    return both if len(both.encode()) <= LARGEST else page


def list_names(names: list[str], most: int = 5) -> str:
    """Return names as code spans, `most` of them and the number of the others."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(code_span, names[:most])) + more


def code_span(text: str) -> str:
    """Return foreign text as a code span that it cannot leave."""
    plain = "".join(letter if letter.isprintable() else "\ufffd" for letter in text.replace("`", "'"))
    return f"`{plain[:160] or ' '}`"
