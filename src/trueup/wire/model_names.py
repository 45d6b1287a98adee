"""Names of models: what a target calls one, whose it looks like, and which reason. Knows patterns, and no protocol."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Final

VENDORS: Final[Mapping[str, str]] = {
    "claude-*": "Anthropic",
    "codestral-*": "Mistral",
    "devstral-*": "Mistral",
    "magistral-*": "Mistral",
    "ministral-*": "Mistral",
    "mistral-*": "Mistral",
    "open-mistral-*": "Mistral",
    "open-mixtral-*": "Mistral",
    "pixtral-*": "Mistral",
    "command-*": "Cohere",
    "deepseek-*": "DeepSeek",
    "gemini-*": "Google",
    "grok-*": "xAI",
    "chatgpt-*": "OpenAI",
    "codex-*": "OpenAI",
    "gpt-*": "OpenAI",
    "o1*": "OpenAI",
    "o3*": "OpenAI",
    "o4*": "OpenAI",
}
"""Whose a model is by its name, as the vendors document their names; `*` for any text."""


def vendor_of(model: object) -> str:
    """Return the vendor whose model a name looks like, empty for a name that is nobody's."""
    if not isinstance(model, str):
        return ""
    return next((vendor for pattern, vendor in VENDORS.items() if fnmatchcase(model.lower(), pattern)), "")


def is_reasoning(model: object, table: Mapping[str, bool]) -> bool:
    """Return whether a model refuses sampling: the first name or pattern that fits decides, none is a no."""
    if not isinstance(model, str):
        return False
    name = model.rsplit("/", 1)[-1].lower()  # a gateway's `@provider/model` is the model all the same
    exact = table.get(model)
    if exact is not None:
        return exact
    return next((sure for pattern, sure in table.items() if fnmatchcase(name, pattern.lower())), False)


def name_in_files(model: str, models: Mapping[str, str]) -> str:
    """Return what the files call a model of a target: the first name that `models` maps to it, else the same name."""
    return next((there for there, here in models.items() if here == model), model)
