"""The sentences for each row of the contract's table: what happened, and how to go on. Knows no colour and no width."""

from __future__ import annotations

from trueup.core.plans.plan import Reason

MESSAGES: dict[Reason, str] = {
    Reason.CLEAN: "is as the file says",
    Reason.NEW: "does not exist yet",
    Reason.EDITED: "the file changed",
    Reason.REVERTED: "live is put back to what the file says",
    Reason.CONVERGED: "live is as the file says; only what we remember changes",
    Reason.IMPOSSIBLE: "this server cannot do what the file asks for; it is not asked again",
    Reason.ADOPTED: "carries our stamp and is taken over as it is",
    Reason.DRIFTED: "live was changed by somebody else",
    Reason.CONFLICT: "the file and live were both changed",
    Reason.UNKNOWN: "live differs, and what was applied is not known: drifted, or not kept by the server",
    Reason.BEHIND: "another checkout has applied since this state was written",
    Reason.TWINS: "{count} live assistants carry this stamp{old_stamp}: {others}",
    Reason.TWIN_BESIDE: "a twin carries the same stamp{old_stamp}: {others}",
    Reason.FOREIGN: "the recorded assistant carries the stamp of another project or name, or one nobody can read",
    Reason.NAMESAKE: "a live assistant that nobody manages has this display name: {others}",
    Reason.DELETED_OUTSIDE: "was deleted outside",
    Reason.RECREATED: "was deleted outside and is created again",
    Reason.ORPHANED: "is live, and no file describes it",
    Reason.PRUNED: "no file describes it any more",
    Reason.PROTECTED: "is protected against deletion",
    Reason.GONE: "is neither live nor described by a file",
    Reason.RENAME: "looks like a rename: {others}",
    Reason.MOVED: "was {moved_from}",
    Reason.RELEASED: "is released: it stays live as it is, and is ours no longer",
    Reason.NOT_STAMPED: "does not carry our stamp yet",
    Reason.STAMP_LOST: "this server was sent our stamp and did not keep it",
    Reason.UNREADABLE: "could not be read",
    Reason.NO_ROOM: "its metadata leaves no room for the stamp, without which no assistant is created",
    Reason.UNSETTLED: "an earlier create of it has an unknown outcome",
}

HINTS: dict[Reason, str] = {
    Reason.DRIFTED: "To put the file's value back: --on-drift revert. To take the live value into the file: "
    "trueup accept NAME. To leave the field alone: lifecycle.ignore_changes.",
    Reason.CONFLICT: "To put the file's value in force: --on-drift revert. "
    "To take the live value into the file: trueup accept {name}",
    Reason.UNKNOWN: "To put the file's value in force: --on-drift revert. Where live is right: trueup accept {name}",
    Reason.IMPOSSIBLE: "What is shown stays live as it is. If the server learned it meanwhile: trueup targets probe "
    "before the next apply; after it, declare the field as null in the file too, and it is asked for again.",
    Reason.BEHIND: "Pull the state that the other checkout wrote; only if nobody holds it: trueup state rebuild {name}",
    Reason.TWINS: "Choose one: trueup import {name}=ID. Then delete the other at the vendor.",
    Reason.TWIN_BESIDE: "The recorded one stays managed. Unless another checkout records the other: delete it at the "
    "vendor, or take the metadata key `trueup` off it.",
    Reason.FOREIGN: "If it belongs to somebody else now: trueup state rm {name}. If it is ours: take the metadata key "
    "`trueup` off it at the vendor, and plan again.",
    Reason.NAMESAKE: "To take it over: trueup import {name}={first}. To make a second one beside it: --ack {first}",
    Reason.DELETED_OUTSIDE: "To create it again: --on-drift revert. To let it go: remove the file, "
    "or trueup state rm {name}",
    Reason.ORPHANED: "Kept. To delete it: --prune. To keep it and forget it: trueup state rm {name}",
    Reason.RELEASED: "To manage it elsewhere, import it there: trueup import NAME=ID. "
    "Once every target has been applied, the name can leave `released`.",
    Reason.PROTECTED: "To lift it: apply a definition of it that says `lifecycle: {{protect: false}}`.",
    Reason.STAMP_LOST: "Say `stamp: false` for this target in trueup.yaml; the state file is then the only memory.",
    Reason.UNREADABLE: "Nothing is created or deleted while the view is partial. Try again.",
    Reason.NO_ROOM: "Declare one metadata key less, or say `stamp: false` for this target in trueup.yaml.",
    Reason.UNSETTLED: "Look for it at the vendor. If it exists: trueup import {name}=ID. "
    "If not: trueup state rm {name}",
}


ELSEWHERE = (
    "Another project manages a live assistant of this display name: {who}. If that one is to move here, name it under "
    "`released` there and apply, then here: trueup import {name}={id}"
)
"""The hint for a create beside an assistant that another project manages."""

STRAY = "Kept: state does not record it. To delete it: trueup state rebuild {name}, then --prune."
"""The hint for an orphan that only its stamp tells of."""

UNHELD = "carries our stamp, but state does not hold it: nothing is deleted"
"""The message of an orphan that `destroy` leaves."""

DESTROYED = "everything that state holds for this target is to go"
"""The message of a delete that `destroy` asked for."""


OLD_STAMP = ", or that of {moved_from}, which `moved` makes {name}"
"""What the message of a twin adds where its stamp has the old name."""


def quoted(text: str) -> str:
    """Words of somebody else in double quotes; nothing within ends them."""
    return '"' + text.strip().replace("\\", "\\\\").replace('"', '\\"') + '"'


def say(reason: Reason, name: str, others: tuple[str, ...] = (), moved_from: str = "") -> tuple[str, str]:
    """The message and the hint of one row."""
    values = {
        "name": name,
        "others": ", ".join(others),
        "first": others[0] if others else "ID",
        "count": len(others),
        "moved_from": moved_from,
        "old_stamp": OLD_STAMP.format(moved_from=moved_from, name=name) if moved_from else "",
    }
    return MESSAGES[reason].format(**values), HINTS.get(reason, "").format(**values)
