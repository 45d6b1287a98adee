"""JSON documents: how each one is written, and definitions as `render` shows them, as JSON or YAML."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trueup.core.yaml_text import LOGGED, format_entries
from trueup.render.style import disarm_json, disarm_line

if TYPE_CHECKING:
    from trueup.core.definitions.definition import Definition

FORMAT_VERSION = 1


def write_document(kind: str, content: Mapping[str, Any], *, sort_keys: bool = True) -> str:
    """Return one versioned document, ended by a newline; JSON's own escapes make untrusted values harmless."""
    document = {"format_version": FORMAT_VERSION, "kind": kind, **content}
    return disarm_json(json.dumps(document, indent=2, sort_keys=sort_keys, allow_nan=False)) + "\n"


def write_definitions(definitions: Sequence[Definition], target: str) -> str:
    """Return one document with the body of each assistant by name."""
    bodies = {item.name: dict(item.body) for item in definitions}
    return write_document("render", {"target": target, "assistants": bodies}, sort_keys=False)


def write_definitions_yaml(definitions: Sequence[Definition], target: str) -> str:
    """Return one YAML document for each assistant, with its name, file and target in a comment."""
    return "---\n".join(
        disarm_line(f"# {item.name} (target {target}), from {item.file}")
        + "\n"
        + "\n".join(format_entries(item.body, 0, LOGGED))
        + "\n"
        for item in definitions
    )
