"""The sentences for each row of the contract's table: what happened, and how to go on. Knows no colour and no width."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from string import Formatter

from trueup.core.command import HERE, Command, Flag, Message, Selection, fill_message, list_commands
from trueup.core.plans.plan import Action, Options, Plan, Reason

MESSAGES: dict[Reason, str] = {
    Reason.CLEAN: "matches the file",
    Reason.NEW: "does not exist yet",
    Reason.EDITED: "the file changed",
    Reason.REVERTED: "the manual change is reverted to the file's value",
    Reason.CONVERGED: "live matches the file; only the record changes",
    Reason.IMPOSSIBLE: "this server does not support the change; it is not sent again",
    Reason.SECRET: "live has a secret in a field that would be written, which would erase it",
    Reason.ADOPTED: "has this project's stamp and is adopted as it is",
    Reason.DRIFTED: "was changed outside",
    Reason.CONFLICT: "was changed both in the file and live",
    Reason.UNKNOWN: "live differs, and what was applied is unknown: drifted, or not kept by the server",
    Reason.BEHIND: "was applied by another checkout since this state was written",
    Reason.TWINS: "{count} live assistants have this stamp{old_stamp}: {others}",
    Reason.TWIN_BESIDE: "has a live duplicate with the same stamp{old_stamp}: {others}",
    Reason.FOREIGN: "the recorded assistant has the stamp of another project or name, or an unreadable one",
    Reason.NAMESAKE: "an unmanaged assistant with the same name is already live ({others})",
    Reason.DELETED_OUTSIDE: "was deleted outside",
    Reason.RECREATED: "was deleted outside and is created again",
    Reason.ORPHANED: "is live, and no file describes it",
    Reason.PRUNED: "is no longer described by a file",
    Reason.PROTECTED: "is protected against deletion",
    Reason.GONE: "is neither live nor described by a file",
    Reason.RENAME: "looks like a rename: {others}",
    Reason.MOVED: "was {moved_from}",
    Reason.RELEASED: "is released: it stays live and is no longer managed",
    Reason.NOT_STAMPED: "has no stamp yet",
    Reason.STAMP_LOST: "this server did not keep the stamp",
    Reason.UNREADABLE: "could not be read",
    Reason.NO_ROOM: "its metadata has no room for the stamp, without which nothing is created",
    Reason.UNSETTLED: "an earlier create has an unknown outcome",
}

HINTS: dict[Reason, str] = {
    Reason.DRIFTED: "To restore the file's value: {revert}. To take the live value into the file: {accept}. "
    "To ignore the field: lifecycle.ignore_changes.",
    Reason.CONFLICT: "To apply the file's value: {revert}. To take the live value into the file: {accept}",
    Reason.UNKNOWN: "To apply the file's value: {revert}. To take the live value into the file: {accept}",
    Reason.IMPOSSIBLE: "The live value stays. If the server supports it by now, run this before the "
    "next apply: {probe}. After that apply, declare the field as null in the file too, and it is asked for again.",
    Reason.SECRET: "Store the secret where the vendor keeps credentials and take it off the live one. To leave the "
    "field alone: lifecycle.ignore_changes.",
    Reason.BEHIND: "Pull the state that the other checkout wrote. If nobody holds it, or the server lost the last "
    "write from here: {rebuild}",
    Reason.TWINS: "Choose the one to keep: {links}. The next plan prints the command that deletes the other.",
    Reason.TWIN_BESIDE: "The recorded one stays managed. Unless another checkout records the duplicate, delete it: "
    "{delete}",
    Reason.FOREIGN: "If another project owns it now: {forget}. If this project owns it: remove the metadata key "
    "`trueup` at the vendor, and plan again.",
    Reason.NAMESAKE: "To manage it: {links}. To create a second one: {beside}",
    Reason.DELETED_OUTSIDE: "To stop managing it: remove its file. To create it again: {revert}",
    Reason.ORPHANED: "Kept. To delete it: {prune}",
    Reason.RELEASED: "Once every target is applied, remove the name from `released`.",
    Reason.PROTECTED: "To lift the protection: apply a definition with `lifecycle: {{protect: false}}`.",
    Reason.STAMP_LOST: "Set `stamp: false` for this target in trueup.yaml; then only the state file maps names to ids.",
    Reason.UNREADABLE: "Nothing is created or deleted until everything can be read. Try again.",
    Reason.NO_ROOM: "Remove one metadata key, or set `stamp: false` for this target in trueup.yaml.",
    Reason.UNSETTLED: "To see whether it exists, and how to link it: {look}. If it does not exist: {forget}",
}
"""How to go on in each row; the names are those of `Advice`."""

ELSEWHERE = (
    "Another project manages a live assistant with the same name ({who}). To move that one here, list it under "
    "`released` there and apply, then here: {links}"
)
"""The hint for a create beside an assistant that another project manages."""

KEEP_ORPHAN = "To keep it live and stop managing it: write `{released}` into trueup.yaml, then {apply}"
"""How to go on with an orphan that is to stay."""

KEEP_PROTECTED = (
    "It is protected against deletion; to lift that, apply a definition with `lifecycle: {{protect: false}}`."
)
"""How to go on with a protected orphan that is to go."""

MANAGE_LEFT_OUT = "To manage it: remove `false` for this target from its file."
"""How to go on with an orphan whose file leaves the target out."""

DOUBLED_STRAY = (
    "Kept: none of them is in the state. Choose the one to keep: {imports}. The next plan prints the command that "
    "deletes the other."
)
"""The hint for an orphan that several assistants' stamps tell of, and no record."""

FORGET_DELETED = "If it was deleted, forget it: {forget}"
"""The second hint for an unreadable assistant whose 404 does not say what is missing."""

LET_GO = (
    "To manage it in another project, run there: {adopt}. Once every target is applied, remove the name from "
    "`released`."
)
"""The hint for an assistant that is released and stays live."""

UNHELD = "has this project's stamp, but is not in the state: nothing is deleted"
"""The message of an orphan that `destroy` leaves."""

DESTROYED = "destroy deletes everything in the target's state"
"""The message of a delete that `destroy` asked for."""


OLD_STAMP = ", or that of {moved_from}, which `moved` renames to {name}"
"""What the message of a duplicate adds where its stamp has the old name."""


_PLAIN_WORD = re.compile(r"[A-Za-z_][\w./-]*(?: [\w./-]+)*\Z", re.ASCII)


def yaml_word(name: str) -> str:
    """Return a name as YAML, in quotes where it needs them."""
    return name if _PLAIN_WORD.match(name) else json.dumps(name, ensure_ascii=False)


def quoted(text: str) -> str:
    """Words of somebody else in double quotes; nothing within ends them."""
    return '"' + text.strip().replace("\\", "\\\\").replace('"', '\\"') + '"'


@dataclass(frozen=True, slots=True)
class Advice:
    """The commands of hints about one assistant; `others` are the ids, or names, that its row is about beside it."""

    name: str
    others: tuple[str, ...] = ()
    selection: Selection = HERE

    def fill(self, template: str, **more: str) -> Message:
        """Return a hint with its commands filled in, and with these texts."""
        names = {name for _, name, _, _ in Formatter().parse(template) if name} - more.keys()
        return fill_message(template, {**more, **{name: getattr(self, name) for name in names}})

    @property
    def revert(self) -> Command:
        """Put the file's value in force."""
        return self.selection.command("apply", self.name, on_drift="revert")

    @property
    def accept(self) -> Command:
        """Take the live value into the file."""
        return self.selection.command("accept", self.name)

    @property
    def forget(self) -> Command:
        """Forget the record."""
        return self.selection.command("state", "rm", self.name)

    @property
    def rebuild(self) -> Command:
        """Make the record again from the stamp."""
        return self.selection.command("state", "rebuild", self.name)

    @property
    def prune(self) -> Command:
        """Delete what no file describes."""
        return self.selection.command("apply", self.name, prune=True)

    @property
    def prune_beside(self) -> Command:
        """Delete what no file describes although it looks like a renamed one."""
        return self.selection.command("apply", self.name, prune=True, ack=self.others)

    @property
    def destroy(self) -> Command:
        """Delete all that state holds."""
        return self.selection.command("destroy")

    @property
    def released(self) -> str:
        """The key of the project file that lets go of it."""
        return f"released: [{yaml_word(self.name)}]"

    @property
    def apply(self) -> Command:
        """Apply it alone."""
        return self.selection.command("apply", self.name)

    @property
    def probe(self) -> Command:
        """Ask the target's server what it can do."""
        return self.selection.command("targets", "probe", self.selection.target)

    @property
    def look(self) -> Command:
        """Show what is live and could be linked."""
        return self.selection.command("import", dry_run=True)

    @property
    def links(self) -> Message:
        """Take over one of the others."""
        return list_commands(self.selection.command("import", f"{self.name}={live_id}") for live_id in self.others)

    @property
    def imports(self) -> Message:
        """Make a definition of one of the others, and record it."""
        return list_commands(self.selection.command("import", live_id) for live_id in self.others)

    @property
    def delete(self) -> Message:
        """Delete each of the others, which are duplicates."""
        pairs = (f"{self.name}={live_id}" for live_id in self.others)
        return list_commands((self.selection.command("delete-duplicate", pair) for pair in pairs), "and")

    @property
    def beside(self) -> Command:
        """Create it although others look like it."""
        return self.selection.command("apply", self.name, ack=self.others)

    @property
    def adopt(self) -> Command:
        """Make a definition of it in another project."""
        return Command(("import", *self.others[:1]), None)


def say(
    reason: Reason, name: str, others: tuple[str, ...] = (), moved_from: str = "", selection: Selection = HERE
) -> tuple[str, str]:
    """Return the message and the hint of a row; `selection` is the plan's."""
    values = {
        "name": name,
        "others": ", ".join(others),
        "count": len(others),
        "moved_from": moved_from,
        "old_stamp": OLD_STAMP.format(moved_from=moved_from, name=name) if moved_from else "",
    }
    return MESSAGES[reason].format(**values), Advice(name, others, selection).fill(HINTS.get(reason, ""))


def add_words(plan: Plan) -> Plan:
    """Return the plan with a message and a hint for each change that brings none: those of its row."""
    changes = []
    for change in plan.changes:
        message, hint = say(change.reason, change.name, change.others, change.moved_from, plan.selection)
        hint = "" if change.action in (Action.CREATE, Action.MODIFY) else hint
        changes.append(replace(change, message=change.message or message, hint=change.hint or hint))
    return replace(plan, changes=tuple(changes))


def plan_flags(options: Options) -> dict[str, Flag]:
    """Return the flags of a command line that plans with these options, the variables apart."""
    if options.destroy:
        return {"ack": options.accepted_ids}
    return {
        "on_drift": options.on_drift if options.on_drift != "refuse" else (),
        "prune": options.prune,
        "stamp": options.stamp_all,
        "ack": options.accepted_ids,
    }


def go_on(command: Command, plan: Plan) -> Command:
    """Return a bare `plan` or `apply` as the one that goes on with a plan: on its target, with its names and flags."""
    if command.selection != HERE:
        return command
    word = "destroy" if plan.options.destroy and command.words[0] == "apply" else command.words[0]
    names = plan.limit.names if plan.limit is not None else ()
    whole = plan.selection.command(word, *names, **plan_flags(plan.options))
    return replace(whole, words=(*whole.words, *command.words[1:]))


def plan_anew(plan: Plan, **flags: Flag) -> Command:
    """Return the command that makes a plan of the same options anew, with these flags too."""
    return go_on(HERE.command("plan", **flags), plan)


def plan_again(plan: Plan, file: str = "", **more: Flag) -> tuple[Command, ...]:
    """Return the commands that show a plan again, to be followed by a flag of how much is shown.

    `file` is where it was saved, `more` are flags that the plan does not know. What deletes everything has none.
    """
    if plan.options.destroy:
        return ()
    return (*([plan.selection.command("show", file)] if file else []), plan_anew(plan, **more))


def stamp_note(plan: Plan) -> str:
    """Return what to do about assistants that are not stamped; empty where nothing is, or where it is done already."""
    if not plan.not_stamped or plan.options.stamp_all:
        return ""
    subject = "1 assistant does" if plan.not_stamped == 1 else f"{plan.not_stamped} assistants do"
    names = plan.limit.names if plan.limit is not None else ()
    return Message(
        f"{subject} not have the stamp, a metadata entry by which Trueup finds an assistant if the state is lost. "
        "The next modify of each writes it; to write it to all of them with the next apply: ",
        plan.selection.command("apply", *names, stamp=True),
    )
