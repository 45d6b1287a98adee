"""From assistants that were found to an import as a value: bodies, names, parts, links, overrides. Writes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any, Final

from trueup.cli.session import Session
from trueup.core.call import holds_credential
from trueup.core.definitions.definition import Definition
from trueup.core.definitions.names import definition_name_problem, fold_name
from trueup.core.field_table import FieldTable, top_of
from trueup.core.memory.state import State
from trueup.core.migration.imports import (
    FittedBody,
    ImportedAssistant,
    Imports,
    Link,
    NewFile,
    NotAnAssistant,
    Omission,
    add_override,
    fit_body,
    list_omissions,
    make_override,
    slim_body,
)
from trueup.core.migration.new_files import FOLDER, Parts, find_free_name, find_shared_parts, make_stem
from trueup.core.plans.live import LiveAssistant, stamp_of
from trueup.core.projects.project import Target
from trueup.edge import schemas
from trueup.edge.definitions.documents import Documents
from trueup.edge.definitions.drafts import (
    Proof,
    draft_definition,
    find_schema_path,
    find_taken_names,
    is_prose_part,
    part_text,
    read_parts,
    shorten_tools,
)
from trueup.edge.definitions.edits import edit_file
from trueup.edge.definitions.loader import LoadResult, Workspace
from trueup.edge.files import read_content
from trueup.edge.schemas import format_of
from trueup.edge.yaml.editor import CannotEdit
from trueup.engine.facts import declare_fields
from trueup.engine.takeover import ImportMatches, KnownAssistants, find_obstacle, has_room, match_imports
from trueup.wire.registry import adapter_for, protocols, row_of

NAMELESS: Final = "its source has no name, so the live name is ignored (lifecycle.ignore_changes)"


@dataclass(frozen=True, slots=True)
class ImportInput:
    """What is to be imported. `seen` is everything that is live on the target, `chosen` the ids of it that are meant,
    `extra` what each held beside its fields; `loose` came from files and stays unlinked, `elsewhere` are the ids of
    those that are live on another target; `unread` is what no assistant was."""

    seen: Mapping[str, LiveAssistant] = field(default_factory=dict)
    chosen: Sequence[str] = ()
    extra: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    loose: Sequence[ImportedAssistant] = ()
    elsewhere: Collection[str] = ()
    unread: Sequence[NotAnAssistant] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """One assistant on its way into a file, which is to leave the fields `ignored` to whoever changes them."""

    found: ImportedAssistant
    body: Mapping[str, Any]
    name: str = ""
    id: str = ""
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DefinitionForm:
    """How definitions of one protocol are written: the fields they may hold, what is checked, and what there is."""

    proof: Proof
    written: FieldTable
    table: FieldTable
    definitions: tuple[Definition, ...]


class ImportBuilder:
    """One import of one session, made step by step; nothing outside is changed."""

    def __init__(self, session: Session, loaded: LoadResult, state: State) -> None:
        self._session = session
        self._loaded = loaded
        self._state = state
        self._folder = session.project.definitions
        self._forms: dict[str, DefinitionForm] = {}
        self._outside: dict[str, str] = {}
        self._omissions: dict[str, tuple[Omission, ...]] = {}
        self._remarks: dict[str, tuple[str, ...]] = {}
        self._managed: dict[str, str] = {}
        self._unlinked: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        self._on_disk = find_taken_names(session.root, self._folder, protocols())

    def _form(self, protocol: str) -> DefinitionForm:
        """Return how definitions of a protocol are written; live assistants use the target's own."""
        if protocol not in self._forms:
            self._forms[protocol] = find_form(self._session, self._loaded, protocol)
        return self._forms[protocol]

    @property
    def _own(self) -> DefinitionForm:
        return self._form(self._session.target.protocol)

    def build(self, given: ImportInput) -> Imports:
        """Build the whole import."""
        bodies = self._draft_live(given)
        known = KnownAssistants(
            {item.name: item for item in self._loaded.definitions},
            self._loaded.names,
            self._state,
            self._session.identity,
            self._session.project.moved,
        )
        claimed = match_imports(given.seen, given.chosen, {key: draft.body for key, draft in bodies.items()}, known)
        links = tuple(self._make_link(item, live, bodies) for item, live in self._find_linkable(claimed, given))
        drafts = [
            replace(bodies[live_id], name=name)
            for live_id, name in claimed.new.items()
            if self._check_importable(live_id, bodies, given)
        ]
        drafts += self._draft_loose(given)
        files, parts = self._make_files(drafts, given)
        self._managed.update(claimed.managed)
        spoken = {item.origin for item in files} | {item.id for item in links}
        return Imports(
            self._session.target.name, files, parts | self._texts, links,
            {origin: omitted for origin, omitted in self._omissions.items() if origin in spoken and omitted},
            {origin: said for origin, said in self._remarks.items() if origin in spoken and said},
            self._managed, claimed.foreign, self._outside, claimed.ambiguous, tuple(given.unread),
            unlinked=self._unlinked, selection=self._session.target.selection,
        )  # fmt: skip

    def _draft_live(self, given: ImportInput) -> dict[str, Draft]:
        """Draft a definition for each chosen assistant that has no file yet."""
        with_file = {record.id for name, record in self._state.records.items() if name in self._loaded.names}
        drafts = {}
        for live_id in given.chosen:
            if live_id not in with_file:
                live = given.seen[live_id]
                extra = given.extra.get(live_id, {})
                protocol = self._session.target.protocol
                found = ImportedAssistant(live_id, live.body, live_id, live.created_at, extra, protocol=protocol)
                drafts[live_id] = self._draft(found, linked=True)
        return drafts

    def _draft(self, found: ImportedAssistant, *, linked: bool) -> Draft:
        model, models = found.body.get("model"), self._session.target.models if linked else {}
        said = [name for name, here in models.items() if here == model]
        if not said and models.get(str(model), model) != model:
            self._outside[found.where] = f"its model {model} is called {models[str(model)]} in files here"
        form = self._form(found.protocol)
        raw = {**found.body, "model": said[0] if said else model}
        body = slim_body(raw, form.written, form.table, linked=linked)
        result: FittedBody = fit_body(body, form.written, form.proof.problems, linked=linked)
        if holds_credential(result.body):
            self._outside[found.where] = "it contains a credential of this target, which must not be in a file"
        if result.reason:
            self._outside.setdefault(found.where, f"no definition can hold it: {result.reason}")
        self._omissions[found.where] = (*list_omissions(found), *result.omissions)
        has_name = linked or "name" in found.body
        self._remarks[found.where] = (
            *found.remarks,
            *([] if has_name else [NAMELESS]),
            *self._note_mapped_model(model, linked),
        )
        return Draft(found, result.body, id=found.id if linked else "", ignored=() if has_name else ("name",))

    def _note_mapped_model(self, model: Any, linked: bool) -> Iterable[str]:
        """Yield a remark where the target maps the model to another name."""
        target = self._session.target
        here = target.models.get(model) if isinstance(model, str) else None
        if here is not None and here != model and not linked:
            yield f"its model {model} is {here} on {target.name}, as targets.{target.name}.models says"

    def _check_importable(self, live_id: str, bodies: Mapping[str, Draft], given: ImportInput) -> bool:
        """Return whether a live assistant can be imported; note the reason where it cannot."""
        live = given.seen[live_id]
        if live_id not in self._outside and self._lacks_room(live):
            self._outside[live_id] = "its metadata is full: there is no room for the stamp, which this target needs"
        return live_id in bodies and live_id not in self._outside

    def _lacks_room(self, live: LiveAssistant) -> bool:
        return (
            self._session.target.state == "stamps" and live.stamp is None and not has_room(live, self._session.adapter)
        )

    def _find_linkable(self, claimed: ImportMatches, given: ImportInput) -> Iterable[tuple[Definition, LiveAssistant]]:
        for definition, live in claimed.links:
            if live.id in self._outside:
                continue
            found = find_obstacle(definition.name, live, self._session.identity, self._state, given.seen)
            if found is not None or self._lacks_room(live):
                full = "its metadata is full: there is no room for the stamp"
                self._outside[live.id] = found.why.rstrip(".") if found is not None else full
            else:
                yield definition, live

    def _make_link(self, definition: Definition, live: LiveAssistant, bodies: Mapping[str, Draft]) -> Link:
        """Make a link, with the override for the target where the file differs from live."""
        fields = declare_fields(definition, self._session.adapter)
        managed = {top_of(name) for name in fields.keys() - definition.ignored}
        self._omissions[live.id] = tuple(item for item in self._omissions[live.id] if item.field in managed)
        patch = make_override(fields, live.fields, bodies[live.id].body, self._own.table, definition.ignored)
        if not patch:
            return Link(definition.name, definition.file, live.id)
        patch = self._write_patch(definition, patch)
        try:
            before = read_content(self._session.root, definition.file)
            document = Documents(self._session.root).mapping(definition.file).value
            patched = add_override(document, self._session.target.name, patch, self._own.table)
            after = edit_file(before, definition.file, patched)
        except CannotEdit as error:
            return Link(definition.name, definition.file, live.id, patch, None, str(error).rstrip("."))
        return Link(definition.name, definition.file, live.id, patch, (before, after))

    def _write_patch(self, definition: Definition, patch: Mapping[str, Any]) -> dict[str, Any]:
        """Write the patch as people do: a long text becomes a file beside the definition."""
        made = dict(patch)
        tools, prompt = self._own.written.tools, self._own.written.prompt
        if tools in made:
            made[tools] = shorten_tools(made[tools], definition.file, self._folder, Parts())
        if is_prose_part(made.get(prompt)):
            place = PurePosixPath(definition.file)
            taken = self._on_disk | {fold_name(path) for path in self._texts}
            inner = str(
                place.parent.relative_to(self._folder) / f"_{place.stem}.{self._session.target.name}"
            ).removeprefix("./")
            path = f"{self._folder}/{find_free_name(inner, taken)}.md"
            self._texts[path] = f"{made[prompt]}\n"
            made[prompt] = {"file": PurePosixPath(path).name}
        return made

    def _draft_loose(self, given: ImportInput) -> list[Draft]:
        """Draft what stays unlinked, except what a definition says already."""
        owners = {record.id: name for name, record in self._state.records.items()}
        drafts: list[Draft] = []
        for item in given.loose:
            draft = self._draft(self._remove_stamp(item), linked=False)
            known = self._form(item.protocol).definitions
            same = [definition for definition in known if definition.body == draft.body]
            names = {other.body.get("name"): other.file for other in known if other.body.get("name")}
            if item.where in self._outside:
                continue
            owner = owners.get(item.id, "")
            if same:
                self._managed[item.where] = same[0].file
                self._note_unlinked_again(item, owner, same, given)
            elif owner in self._loaded.names:
                self._outside[item.where] = f"{item.id} is already {owner}, whose definition differs"
            elif draft.body.get("name") in names:
                file = names[draft.body["name"]]
                self._outside[item.where] = f"{file} already has its display name, and differs"
            else:
                drafts.append(replace(draft, name=owner))
        return drafts

    def _note_unlinked_again(
        self, item: ImportedAssistant, owner: str, same: Sequence[Definition], given: ImportInput
    ) -> None:
        """Note a definition of an earlier import that has no record yet; stamps are not known without asking."""
        if owner or self._session.target.state == "stamps":
            return
        free = (other.name for other in same if other.name not in {**self._state.records, **self._unlinked})
        if (name := next(free, "")) and self._is_linkable(item, given):
            self._unlinked[name] = item.id

    def _is_linkable(self, found: ImportedAssistant, given: ImportInput) -> bool:
        """Return whether an assistant may be live on this target, and has no stamp of another one."""
        if found.protocol != self._session.target.protocol:
            return False
        stamp, identity = stamp_of(found.body, self._own.table), self._session.identity
        is_free = stamp is None or (stamp.project, stamp.target) == (identity.project, identity.target)
        return bool(found.id) and found.id not in given.elsewhere and is_free

    def _remove_stamp(self, found: ImportedAssistant) -> ImportedAssistant:
        table = self._form(found.protocol).table
        holder: Any = found.body
        for step in table.path_of(table.stamp):
            if not isinstance(holder, Mapping) or step not in holder:
                return found
            holder = holder[step]
        stamp = stamp_of(found.body, table)
        whose = f" of {stamp.name} of {stamp.project}/{stamp.target}" if stamp is not None and stamp.name else ""
        said = f"the stamp{whose} is not imported: creating it from this definition writes a new one"
        return replace(found, remarks=(*found.remarks, said))

    def _make_files(self, drafts: Sequence[Draft], given: ImportInput) -> tuple[tuple[NewFile, ...], dict[str, str]]:
        """Return the new definitions, and the texts that they share."""
        root, project = self._session.root, self._session.project
        taken = self._on_disk | {fold_name(name) for name in self._loaded.names}
        taken |= {fold_name(name) for name in (*self._state.records, *project.moved, *project.released)}
        taken |= {fold_name(live.stamp.name) for live in given.seen.values() if live.stamp is not None}
        taken |= {fold_name(draft.name) for draft in drafts if draft.name}
        parts = find_shared_parts([draft.body for draft in drafts], self._read_parts())
        files = []
        for draft in drafts:
            made = self._make_file(draft, taken, parts, given)
            files += [made] if made is not None else []
        texts = {f"{self._folder}/{path}": part_text(tool) for path, tool in parts.fresh.items()} if files else {}
        written = {draft.found.protocol for draft in drafts} if files else set()
        for protocol in sorted(written):
            if not (root / find_schema_path(protocol)).exists():
                texts[find_schema_path(protocol)] = schemas.read_text(row_of(protocol).editor_schema)
        return tuple(files), texts

    def _read_parts(self) -> dict[str, Any]:
        found = read_parts(self._session.root, f"{self._folder}/{FOLDER}")
        return {f"{FOLDER}/{path}": value for path, value in found.items()}

    def _make_file(self, draft: Draft, taken: set[str], parts: Parts, given: ImportInput) -> NewFile | None:
        name = draft.name or find_free_name(make_stem(draft.found.display_name), taken)
        taken.add(fold_name(name))
        if draft.name and (definition_name_problem(name) or fold_name(name) in self._on_disk):
            self._outside[draft.found.where] = f"its name {name} is taken by a file that is not a definition"
            return None
        form = self._form(draft.found.protocol)
        made = draft_definition(name, draft.body, self._folder, parts, form.proof, draft.ignored)
        if made is None:
            self._outside[draft.found.where] = "no file can hold it without a change"
            return None
        if not (draft.id or draft.name) and self._is_linkable(draft.found, given):
            self._unlinked[name] = draft.found.id
        return NewFile(name, *made, draft.found.where, draft.id)


def find_form(session: Session, loaded: LoadResult, protocol: str) -> DefinitionForm:
    """Return how an import writes definitions of a protocol; `loaded` are those of the session's target."""
    project = session.project
    if protocol == session.target.protocol:
        proof = Proof(project, session.target, session.adapter.audit)
        return DefinitionForm(proof, find_writable_fields(session), session.adapter.dialect.table, loaded.definitions)
    target = Target(session.target.name, project.name, protocol=protocol, dialect=row_of(protocol).dialect)
    adapter = adapter_for(target)
    there = (session.root / project.definitions).exists()
    definitions = Workspace(session.root, project).load(target, session.flags.vars).definitions if there else ()
    written = format_of(protocol).written_fields(adapter.dialect.table)
    return DefinitionForm(Proof(project, target, adapter.audit), written, adapter.dialect.table, definitions)


def find_writable_fields(session: Session) -> FieldTable:
    """Return the fields that new definitions in the names of the session's target may hold."""
    return format_of(session.target.protocol).written_fields(session.adapter.dialect.table)
