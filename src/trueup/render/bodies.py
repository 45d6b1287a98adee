"""Definitions as `render` shows them: JSON, or YAML that reads back as the same values. Pure; knows no file."""

from __future__ import annotations

import json
from collections.abc import Sequence

from trueup.core.definitions.definition import Definition
from trueup.core.yaml_text import LOGGED, entries
from trueup.render.style import disarm_json, disarm_line

FORMAT_VERSION = 1


def write_json(definitions: Sequence[Definition], target: str) -> str:
    """Return one versioned document: the body of each assistant by name."""
    shown = {item.name: dict(item.body) for item in definitions}
    document = {"format_version": FORMAT_VERSION, "kind": "render", "target": target, "assistants": shown}
    return disarm_json(json.dumps(document, indent=2, allow_nan=False)) + "\n"


def write_yaml(definitions: Sequence[Definition], target: str) -> str:
    """Return one YAML document for each assistant, with its name, file and target in a comment."""
    return "---\n".join(
        disarm_line(f"# {item.name} (target {target}), from {item.file}")
        + "\n"
        + "\n".join(entries(item.body, 0, LOGGED))
        + "\n"
        for item in definitions
    )
