"""What a job adds to Trueup's own documents: the marker they are found by, and a line on where they come from."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from trueup_ci.problem import Problem

LARGEST = 65_530
"""Bytes of a comment or an issue; GitHub takes 65,536 characters."""

GUARD = "> **Note:** A guard wants this plan to be acknowledged"
"""How the line of a page begins that asks for an acknowledgement; foreign text begins no line."""

GUARD_REFUSED = "a guard refused"
"""What a report says where a guard wanted an acknowledgement that was not there."""

CUT = "\n\n**The rest is cut off here**; this job's summary and what it keeps have all of it.\n"
"""Where a page ends that does not fit beside the notes."""

DIGEST = 16
"""Characters of a plan's digest in a trailer."""


def marker(project: str, target: str, kind: str) -> str:
    """The first line of what we write about a target, as Trueup's own pages begin."""
    return f"<!-- trueup:{quote(f'{project}/{target}', safe=':/._-')} {kind} -->"


def marked(page: str, line: str) -> str:
    """A page with our marker in the place of its own; a page about no target has another one."""
    first, _, rest = page.partition("\n")
    return f"{line}\n{rest if first.startswith('<!-- trueup:') else page}"


def with_notes(page: str, notes: list[str], commit: str = "", url: str = "") -> str:
    """Return a page with sentences of ours below its heading, and the commit and job that it comes from.

    Where all of it does not fit, the page is cut and not the notes. Raises Problem where the notes alone do not fit.
    """
    heading, rest = page.split("\n")[:2], "\n".join(page.split("\n")[2:])
    top = "\n".join([*heading, *(line for note in notes for line in ("", f"> {note}"))])
    source = f"\n<sub>Of commit {commit[:12]}. [The job]({url}) keeps all of it.</sub>\n" if url else ""
    room = LARGEST - len(f"{top}\n{source}".encode())
    if len(rest.encode()) > room:
        rest = _cut(rest, room - len(CUT.encode())) + CUT
    made = f"{top}\n{rest}{source}"
    if len(made.encode()) > LARGEST:
        raise Problem("What a reviewer has to know does not fit into a comment.", "See this job's log.")
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


def asks_for_acknowledgement(page: str) -> bool:
    """Whether a guard wants the page's plan to be acknowledged."""
    return any(line.startswith(GUARD) for line in page.split("\n"))


def trailer_note(digest: str) -> str:
    """How a guard is answered where a merge applies the plan."""
    return (
        f"**Many at once.** If that is what you want, end the message of the merge commit with the line "
        f"`Trueup-Ack: {digest[:DIGEST]}`. Without it the merge is not applied."
    )


_SENT = frozenset({"create", "release"})
_STUCK = frozenset({"namesake", "likely-rename", "twins", "no-room", "unsettled", "moved", "released"})
_WRITTEN = frozenset({"create", "modify", "delete", "release"})
_EDITED = frozenset({"edited", "removed", "conflict"})


def sent(plan: Any) -> list[str]:
    """The assistants that an apply of the plan would change otherwise than by a stamp."""
    return [str(change["name"]) for change in _changes(plan) if change["action"] in _WRITTEN]


def unapplied(plan: Any) -> list[str]:
    """The assistants that files say something of which was never applied; what a hand did outside is none of it."""
    return [str(change["name"]) for change in _changes(plan) if _is_unapplied(change)]


def undeleted(plan: Any) -> list[str]:
    """The assistants that no file names any more and that an apply would delete."""
    return [str(change["name"]) for change in _changes(plan) if change["action"] == "delete"]


def behind(plan: Any) -> list[str]:
    """The assistants that another checkout applied since: live carries a newer stamp than state."""
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


def records(content: bytes | None) -> dict[str, Any]:
    """The records in the text of a state file, by name (the empty one keeps others apart); none in any other text."""
    try:
        found = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        return {}
    inside = found.get("records") if isinstance(found, dict) else None
    return {name: entry for name, entry in inside.items() if name} if isinstance(inside, dict) else {}


def refusal(line: str, what: str, problem: Problem, said: str = "") -> str:
    """The page that says why something was not done, and what Trueup said, as far as there is room for it."""
    page = f"{line}\n### Trueup: {what}\n\n{problem.message} {problem.hint}\n"
    both = f"{page}\n{said}" if said else page
    return both if len(both.encode()) <= LARGEST else page


def listed(names: list[str], most: int = 5) -> str:
    """Names in code spans, of which so many are told."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(code, names[:most])) + more


def code(text: str) -> str:
    """Foreign text as a code span that it cannot leave."""
    plain = "".join(letter if letter.isprintable() else "\ufffd" for letter in text.replace("`", "'"))
    return f"`{plain[:160] or ' '}`"
