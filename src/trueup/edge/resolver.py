"""Puts the definitions of a project together for its targets, translated where a target speaks another protocol."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from trueup.core.definitions.definition import DefinitionFile
from trueup.core.definitions.layers import source_map
from trueup.core.definitions.protocols import Native, resolve_translated
from trueup.core.definitions.resolve import Resolved, resolve
from trueup.core.definitions.sources import Setting, Sources
from trueup.core.errors import TrueupError
from trueup.core.projects.project import Project, Target
from trueup.core.source import Diagnostic, SourceMap
from trueup.edge.formats import format_of
from trueup.wire.registry import PORTABLE, translator


def takes(target: Target, protocol: str) -> bool:
    """Whether a target takes definitions of a protocol: its own, and portable ones where it translates."""
    return protocol == target.protocol or (target.translate and protocol == PORTABLE)


def choose_files(files: Iterable[DefinitionFile], target: Target) -> dict[str, DefinitionFile]:
    """Return the files of a target's definitions by name: those of its protocol, then those that are translated."""
    chosen: dict[str, DefinitionFile] = {}
    for found in files:
        if takes(target, found.protocol) and (found.protocol == target.protocol or found.name not in chosen):
            chosen[found.name] = found
    return chosen


class Resolver:
    """Puts definitions together for one target; `overrides` are the texts of `--var`."""

    def __init__(self, project: Project, target: Target, overrides: Mapping[str, str]) -> None:
        self._project = project
        self._target = target
        self._overrides = overrides
        self._settings: dict[str, Setting] = {}

    def resolve(self, found: DefinitionFile, sources: Sources) -> Resolved:
        """Return what a file comes to on the target. Raises TrueupError where nothing translates it."""
        setting = self._setting(found.protocol)
        if found.protocol == self._target.protocol:
            return resolve(found.file, setting, sources)
        translate = translator(found.protocol, self._target.protocol)
        if translate is None:
            raise TrueupError(f"Nothing translates {found.protocol} to {self._target.protocol}.", "Remove `translate`.")

        def check(portable: Resolved) -> Collection[Diagnostic]:
            """Return what the schema refuses; a field that is missing may stand in the target's own patch."""
            refused = format_of(found.protocol).checker.problems(portable.checked, lambda: locate(portable, sources))
            return [item for item in refused if item.code != "missing-key" or len(item.path) > 1]

        return resolve_translated(
            found.file, setting, sources, Native(self._setting(self._target.protocol), translate, check)
        )

    def _setting(self, protocol: str) -> Setting:
        """Return what definitions of a protocol are resolved for."""
        if protocol not in self._settings:
            found, project = format_of(protocol), self._project
            self._settings[protocol] = Setting(
                self._target, project.targets.keys(), project.vars, self._overrides, found.wanted, protocol, found.table
            )
        return self._settings[protocol]


def locate(resolved: Resolved, sources: Sources) -> SourceMap:
    """Return where each value of a definition stands, each in the file that it came from."""
    files = {origin.file for origin in resolved.tree.origins.values()}
    return source_map(resolved.tree, resolved.checked, {name: sources.source(name) for name in files}, resolved.prompt)
