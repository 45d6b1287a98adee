"""What a probe asks of a server that speaks the assistants protocol, with a sentence for every answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trueup.core.memory.questions import UNKNOWN, Question, Questions

CLEARABLE: Final = (
    "name",
    "description",
    "instructions",
    "temperature",
    "top_p",
    "response_format",
    "reasoning_effort",
    "tools",
    "tool_resources",
    "file_ids",
)
"""Fields that a definition can declare empty, or that can leave it."""

LIMITS: Final = ("name", "description", "instructions", "metadata-key", "metadata-value", "metadata-pairs")
"""Lengths, and how many pairs metadata holds."""

_NULL: Final = {
    "resets": "resets it to the default",
    "keeps": "leaves it as it is",
    "refused": "is refused",
    UNKNOWN: "could not be tried: no other value was taken",
}
_CLEAR: Final = {
    "null": "works by null",
    "default": "works by sending the default, not by null",
    "empty": "works by an empty one",
    "never": "does not work, neither by null nor by the default",
    UNKNOWN: "could not be tried: no other value was taken",
}
_LIMIT: Final = {
    "exact": "ends at {at}, as documented",
    "more": "does not end at the documented {at}",
    "less": "ends before the documented {at}",
    "cut": "is cut short without a word, at {at} or one more",
    UNKNOWN: "could not be tried",
}

_FIXED: Final[Mapping[str, Question]] = {
    "metadata": Question(
        "a modify of metadata",
        {
            "replaces": "replaces all of it",
            "merges": "adds to it, and keys that are not sent stay",
            "ignored": "changes nothing",
            UNKNOWN: "could not be tried",
        },
    ),
    "metadata-key": Question(
        "a metadata key",
        {
            "left-out": "is removed by leaving it out",
            "null": "is removed by null",
            "never": "cannot be removed: neither leaving it out nor null does it",
            UNKNOWN: "could not be tried",
        },
    ),
    "metadata-null": Question("null for all of metadata", _NULL),
    "tools-null": Question("null for tools", _NULL),
    "resources": Question(
        "a modify of one tool's resources",
        {
            "merges": "leaves those of other tools",
            "replaces": "takes those of other tools away",
            UNKNOWN: "could not be tried: the server wants files that exist",
        },
    ),
    "unknown-field": Question(
        "an unknown field",
        {"refused": "is refused", "ignored": "is ignored", "kept": "is kept", UNKNOWN: "could not be tried"},
    ),
    "numbers": Question(
        "a sampling number",
        {
            "exact": "comes back as sent",
            "float32": "comes back in single precision",
            "other": "comes back as another one",
            UNKNOWN: "could not be tried: none was taken",
        },
    ),
    "empty-text": Question(
        "an empty text",
        {"kept": "is kept", "null": "comes back as null", "refused": "is refused", UNKNOWN: "could not be tried"},
    ),
    "json-schema": Question(
        "a JSON schema",
        {
            "as-sent": "comes back as sent",
            "filled": "comes back with more keys",
            "changed": "comes back changed",
            "refused": "is refused",
            UNKNOWN: "could not be tried",
        },
    ),
    "tools": Question(
        "tools",
        {
            "as-sent": "come back as sent",
            "filled": "come back with more keys",
            "changed": "come back changed",
            "refused": "are refused",
            UNKNOWN: "could not be tried",
        },
    ),
    "ranker": Question(
        "the ranker auto",
        {
            "kept": "comes back as auto",
            "replaced": "comes back as another one",
            "refused": "is refused",
            UNKNOWN: "could not be tried",
        },
    ),
    "reads": Question(
        "a read after a modify",
        {"at-once": "shows it at once", "later": "does not show it at once", UNKNOWN: "could not be tried"},
    ),
    "listing": Question(
        "the listing",
        {
            "at-once": "shows a create at once",
            "later": "shows a create only after a while",
            "not-seen": "did not show a create in ten seconds",
            UNKNOWN: "could not be read",
        },
    ),
    "has-more": Question(
        "has_more",
        {
            "honest": "told the truth on pages of one assistant",
            "wrong": "does not tell the truth",
            UNKNOWN: "could not be tried: there is no second assistant",
        },
    ),
    "deleted": Question(
        "what was deleted",
        {
            "own-404": "is answered with the assistant's own 404",
            "other-404": "is answered with a 404 that could also mean a wrong address",
            "other": "is answered with something else than a 404",
            UNKNOWN: "could not be tried",
        },
    ),
}

QUESTIONS: Final = Questions(
    by_name={
        **_FIXED,
        **{
            f"null.{name}": Question(f"null for {name}", _NULL)
            for name in CLEARABLE
            if name not in ("tools", "file_ids")
        },
        **{f"clear.{name}": Question(f"clearing {name}", _CLEAR) for name in CLEARABLE},
        **{f"limit.{name}": Question(f"the limit of {name}", _LIMIT) for name in LIMITS},
    },
    limits=LIMITS,
    filled=("response_format.json_schema", "tools.code_interpreter", "tools.file_search", "tools.function"),
    words=("ranking_options.ranker",),
)
"""All of them by name; what a dialect has no word for is not asked there."""
