"""In which names an import writes: those of the target for what is live there, and of its protocol for a file's."""

from __future__ import annotations

from dataclasses import dataclass

from trueup.cli.session import Session
from trueup.core.canonical import Semantics
from trueup.core.definitions.definition import Definition
from trueup.core.field_table import FieldTable
from trueup.core.projects.project import Target
from trueup.edge.definitions.drafts import Proof
from trueup.edge.definitions.loader import Loaded, Workspace
from trueup.edge.schemas import format_of
from trueup.wire.registry import adapter_for, row_of


@dataclass(frozen=True, slots=True)
class Form:
    """How definitions of one protocol are written: the fields they may hold, what is checked, and what there is."""

    proof: Proof
    written: FieldTable
    semantics: Semantics
    definitions: tuple[Definition, ...]


def form_of(session: Session, loaded: Loaded, protocol: str) -> Form:
    """Return how an import writes definitions of a protocol; `loaded` are those of the session's target."""
    project = session.project
    if protocol == session.target.protocol:
        proof = Proof(project, session.target, session.adapter.audit)
        return Form(proof, written_fields(session), session.adapter.dialect.semantics, loaded.definitions)
    target = Target(session.target.name, project.name, protocol=protocol, dialect=row_of(protocol).dialect)
    adapter = adapter_for(target)
    there = (session.root / project.definitions).exists()
    definitions = Workspace(session.root, project).load(target, session.flags.vars).definitions if there else ()
    written = format_of(protocol).written(adapter.dialect.table)
    return Form(Proof(project, target, adapter.audit), written, adapter.dialect.semantics, definitions)


def written_fields(session: Session) -> FieldTable:
    """Return the fields that new definitions in the names of the session's target may hold."""
    return format_of(session.target.protocol).written(session.adapter.dialect.table)
