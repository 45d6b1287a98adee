"""Gathers what is known of each name: files, records, live objects and their stamps. Judges nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from trueup.core.acceptance.accepted import AcceptedValues, apply_accepted
from trueup.core.definitions.definition import Definition
from trueup.core.definitions.names import comparable_name
from trueup.core.field_table import top_of
from trueup.core.memory.stamp import UNREADABLE, is_link, record_of
from trueup.core.memory.state import Identity, Record, State
from trueup.core.plans.fields import Rules
from trueup.core.plans.judge import DecisionPolicy, Facts
from trueup.core.plans.live import LiveAssistant, read_live
from trueup.core.plans.plan import Options
from trueup.core.projects.project import Target
from trueup.engine.refresh import View
from trueup.wire.base import Adapter


@dataclass(frozen=True, slots=True)
class DesiredState:
    """What the files want of one target. `names` are all definitions' names, also the left out; `targets` all targets
    of the project file; `selected` limits the plan to some names, None means all; `words` are the NAMEs that were given
    for them; `accepted` is what `accept` took into the files since the last apply."""

    target: Target
    identity: Identity
    definitions: Mapping[str, Definition]
    names: frozenset[str]
    targets: frozenset[str]
    options: Options = field(default_factory=Options)
    moved: Mapping[str, str] = field(default_factory=dict)
    selected: frozenset[str] | None = None
    words: tuple[str, ...] = ()
    released: frozenset[str] = frozenset()
    accepted: Mapping[str, AcceptedValues] = field(default_factory=dict)

    def new_name(self, name: str) -> str:
        """Return the name under which a record or a stamp of this name counts today."""
        return name if name in self.definitions else self.moved.get(name, name)


def read_stamps(view: View, adapter: Adapter) -> dict[str, LiveAssistant]:
    """Return every live assistant with its stamp read."""
    table = adapter.dialect.table
    return {live.id: read_live(live.id, live.body, live.created_at, live.stamp, table) for live in view.live.values()}


def is_ours(seen: LiveAssistant, desired: DesiredState) -> bool:
    """Return whether an assistant carries the stamp of this project and target."""
    stamp, identity = seen.stamp, desired.identity
    return stamp is not None and stamp.project == identity.project and stamp.target == identity.target


def group_by_stamp(
    desired: DesiredState, seen: Iterable[LiveAssistant], records: Mapping[str, Record]
) -> dict[str, tuple[LiveAssistant, ...]]:
    """Return our stamped assistants by today's name, in id order; by the old one where their record keeps that."""
    kept = {(name, record.id) for name, record in records.items() if _target_name(name, records, desired) == name}
    found: dict[str, list[LiveAssistant]] = defaultdict(list)
    for live in seen:
        if live.stamp is not None and is_ours(live, desired):
            name = live.stamp.name
            found[name if (name, live.id) in kept else desired.new_name(name)].append(live)
    return {name: tuple(sorted(lives, key=lambda live: live.id)) for name, lives in found.items()}


def rename_state(state: State, desired: DesiredState) -> State:
    """Return the state under today's names; a record that already has the new name stays."""
    records = {
        name: record for name, record in state.records.items() if _target_name(name, state.records, desired) == name
    }
    pending = {
        name: entry for name, entry in state.pending.items() if _target_name(name, state.pending, desired) == name
    }
    for name, record in state.records.items():
        records.setdefault(_target_name(name, state.records, desired), record)
    for name, entry in state.pending.items():
        pending.setdefault(_target_name(name, state.pending, desired), entry)
    return replace(state, records=records, pending=pending)


def _target_name(name: str, table: Mapping[str, object], desired: DesiredState) -> str:
    new = desired.new_name(name)
    return name if new in table else new


def make_records(stamped: Mapping[str, tuple[LiveAssistant, ...]], identity: Identity) -> dict[str, Record]:
    """Make records of the stamps, where these are the state; of several that carry a name the chosen one has it."""
    records = {}
    for name, lives in stamped.items():
        found = [(live, live.stamp) for live in lives if live.stamp is not None]
        if len(found) > 1:
            found = [(live, stamp) for live, stamp in found if is_link(stamp, live.id, identity)]
        if len(found) == 1:
            live, stamp = found[0]
            records[name] = record_of(stamp, live.id, live.created_at)
    return records


def count_accepted(state: State, desired: DesiredState, adapter: Adapter) -> State:
    """Return the state in which what was accepted counts as applied."""
    records = dict(state.records)
    for name, accepted in desired.accepted.items():
        if name in records and name in desired.definitions:
            file = declare_fields(desired.definitions[name], adapter)
            records[name] = apply_accepted(records[name], accepted, file)
    return replace(state, records=records)


def gather_facts(
    desired: DesiredState,
    state: State,
    view: View,
    seen: Mapping[str, LiveAssistant],
    stamped: Mapping[str, tuple[LiveAssistant, ...]],
    before: Mapping[str, Record],
    adapter: Adapter,
) -> dict[str, Facts]:
    """Return the facts of every name; `before` are the records under the names they had when the state was read."""
    facts = {}
    for name in sorted({*desired.definitions, *state.records, *stamped}):
        definition, record = desired.definitions.get(name), _drop_unsupported_fields(state.records.get(name), adapter)
        live = seen.get(record.id) if record is not None else None
        file = declare_fields(definition, adapter) if definition is not None else None
        facts[name] = Facts(
            name=name,
            file=file,
            record=record,
            live=live,
            stamped=stamped.get(name, ()),
            unread=record is not None and record.id in view.unread,
            maybe_gone=record is not None and record.id in view.maybe_gone,
            complete=view.complete,
            protect=definition.lifecycle.protect if definition is not None else None,
            ignored=definition.ignored if definition is not None else frozenset(),
            pending=state.pending.get(name),
            moved_from=_find_old_name(name, desired, before, record, stamped.get(name, ())),
            moved_onto=_find_taken_name(name, desired, state),
            released=name in desired.released,
            crowded=file is not None and not adapter.has_room({}, file),
            full=live is not None and not adapter.has_room(live.body, {}),
        )
    return _add_lookalikes(facts, desired, seen, state)


def _drop_unsupported_fields(record: Record | None, adapter: Adapter) -> Record | None:
    """Return the record without fields that the dialect does not support: they can neither be seen nor cleared."""
    known = adapter.dialect.fields
    if record is None or all(top_of(name) in known for name in record.fields):
        return record
    return replace(record, fields={name: kept for name, kept in record.fields.items() if top_of(name) in known})


def _find_old_name(
    name: str,
    desired: DesiredState,
    before: Mapping[str, Record],
    record: Record | None,
    stamped: tuple[LiveAssistant, ...],
) -> str:
    """Return the old name, as long as a record or the stamp of what is recorded still has it."""
    own = [live.stamp for live in stamped if record is None or live.id == record.id]
    for old, new in desired.moved.items():
        still = (old in before and name not in before) or any(stamp and stamp.name == old for stamp in own)
        if new == name and old not in desired.definitions and still:
            return old
    return ""


def _find_taken_name(name: str, desired: DesiredState, state: State) -> tuple[str, ...]:
    """Return the name that `moved` gives a record and the id of the assistant that has it already, if any."""
    new = desired.new_name(name)
    both = new != name and name in state.records and new in state.records
    return (new, state.records[new].id) if both else ()


def declare_fields(definition: Definition, adapter: Adapter) -> dict[str, object]:
    """Return the declared fields; a null for a whole map declares each entry that there can be at its default."""
    table, body = adapter.dialect.table, definition.body
    fields = table.split(body)
    for name, row in table.maps.items():
        if name in body and body[name] is None:
            fields.update({f"{name}.{entry}": row.default for entry in row.entries})
    return fields


def _add_lookalikes(
    facts: dict[str, Facts], desired: DesiredState, seen: Mapping[str, LiveAssistant], state: State
) -> dict[str, Facts]:
    """Add to each new definition the unmanaged live assistants of its display name, and the orphans it may be."""
    same_named, strangers = _group_unmanaged(desired, seen, state), _find_of_other_projects(desired, seen)
    orphans = _group_orphans(facts, desired)
    result, news_of = dict(facts), defaultdict(set)
    for name, fact in facts.items():
        if fact.file is None or fact.record is not None or fact.stamped:
            continue
        likely = {old for trait in _list_traits(fact.file) for old in _keep_unique(orphans.get(trait, []))}
        for old in likely:
            news_of[old].add(name)
        shared = comparable_name(fact.file.get("name"))
        ids = tuple(live.id for old in sorted(likely) if (live := _choose_live(facts[old])) is not None)
        result[name] = replace(
            fact,
            same_named=tuple(sorted(same_named.get(shared, []))),
            elsewhere=_describe_owner(name, strangers.get(shared)),
            rename_of=tuple(sorted(likely)),
            rename_ids=ids,
        )
    for old, news in news_of.items():
        result[old] = replace(result[old], renamed_to=tuple(sorted(news)))
    return result


def _choose_live(fact: Facts) -> LiveAssistant | None:
    """Return the recorded assistant, else the first that carries the name's stamp."""
    return fact.live or (fact.stamped[0] if fact.stamped else None)


def _group_unmanaged(desired: DesiredState, seen: Mapping[str, LiveAssistant], state: State) -> dict[str, list[str]]:
    known = {record.id for record in state.records.values()} | set(desired.options.accepted_ids)
    found: dict[str, list[str]] = defaultdict(list)
    for live in seen.values():
        managed = live.stamp is not None and live.stamp is not UNREADABLE
        if not managed and live.id not in known and live.display_name:
            found[comparable_name(live.display_name)].append(live.id)
    return found


def _find_of_other_projects(desired: DesiredState, seen: Mapping[str, LiveAssistant]) -> dict[str, LiveAssistant]:
    """Return the assistants that other projects manage by display name; the first by id where there are several."""
    found: dict[str, LiveAssistant] = {}
    for live in sorted(seen.values(), key=lambda live: live.id):
        stamp = live.stamp
        if stamp is not None and stamp.name and stamp.project != desired.identity.project and live.display_name:
            found.setdefault(comparable_name(live.display_name), live)
    return found


def _describe_owner(name: str, live: LiveAssistant | None) -> tuple[str, ...]:
    """Return who manages an assistant of the same display name, with its name there if it differs; and the id."""
    if live is None or live.stamp is None:
        return ()
    stamp, place = live.stamp, f"{live.stamp.project}/{live.stamp.target}"
    return (place if stamp.name == name else f"{stamp.name} of {place}", live.id)


def _group_orphans(facts: Mapping[str, Facts], desired: DesiredState) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, fact in facts.items():
        live = _choose_live(fact)
        if (
            fact.file is None
            and not fact.released
            and live is not None
            and name not in desired.names
            and live.id not in desired.options.accepted_ids
        ):
            for trait in _list_traits(live.fields):
                found[trait].append(name)
    return found


def _keep_unique(names: list[str]) -> list[str]:
    """Return the names where there is only one: a trait that several orphans share says nothing."""
    return names if len(names) == 1 else []


def _list_traits(fields: Mapping[str, object]) -> list[tuple[str, str]]:
    found = [(key, value) for key in ("name", "instructions") if isinstance(value := fields.get(key), str) and value]
    return [(key, comparable_name(value) if key == "name" else value) for key, value in found]


def make_policy(
    desired: DesiredState, state: State, seen: Mapping[str, LiveAssistant], adapter: Adapter
) -> DecisionPolicy:
    """Return the target's rules and the flags, as the judge wants them."""
    carried = any(is_ours(live, desired) for live in seen.values())
    lost = any(record.stamped is False for record in state.records.values())
    return DecisionPolicy(
        project=desired.identity.project,
        target=desired.identity.target,
        rules=Rules(adapter.dialect.table, stamps=desired.target.state == "stamps"),
        revert=desired.options.on_drift == "revert",
        prune=desired.options.prune,
        destroy=desired.options.destroy,
        stamps=desired.target.stamp,
        stamp_all=desired.options.stamp_all,
        stamp_lost=desired.target.stamp and lost and not carried,
    )
