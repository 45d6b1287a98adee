"""What each dialect does not support is said at its place, and is neither sent nor compared where that is allowed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.canonical import canonical, same
from trueup.core.definitions.definition import Definition
from trueup.core.projects.project import Target
from trueup.core.rules.fault import count_losses
from trueup.core.source import Position, Severity, SourceMap, dotted
from trueup.wire.bodies import remove_losses
from trueup.wire.model_names import is_reasoning, name_in_files
from trueup.wire.openai_assistants.fields import DIALECTS
from trueup.wire.openai_assistants.rules import fill_required, lacking, loss_keys, losses
from trueup.wire.registry import adapter_for

ROWS = sorted(DIALECTS)
FUNCTION: dict[str, Any] = {"name": "look_up", "description": "Looks it up.", "parameters": {"type": "object"}}
SCHEMA: dict[str, Any] = {"name": "answer", "schema": {"type": "object"}}


def target(dialect: str, **more: Any) -> Target:
    return Target("prod", "acme", dialect=dialect, base_url="https://assistants.example.com/v1", **more)


def told(dialect: str, body: dict[str, Any], **more: Any) -> list[tuple[str, str, str]]:
    """Severity, code and place of all that is wrong with a body."""
    found = adapter_for(target(dialect, **more)).audit(Definition("a", {"model": "gpt-4o", **body}, "a.yaml"))
    return [(item.severity.value, item.code, dotted(item.path)) for item in found]


def function(**more: Any) -> dict[str, Any]:
    return {"tools": [{"type": "function", "function": {**FUNCTION, **more}}]}


def json_schema(**more: Any) -> dict[str, Any]:
    return {"response_format": {"type": "json_schema", "json_schema": {**SCHEMA, **more}}}


RANKED = {"tools": [{"type": "file_search", "file_search": {"ranking_options": {"score_threshold": 0.5}}}]}
EVERY = frozenset(ROWS)

REFUSED: list[tuple[str, dict[str, Any], str, frozenset[str]]] = [
    ("reasoning_effort", {"reasoning_effort": "low"}, "reasoning_effort", EVERY - {"openai"}),
    ("files on the assistant", {"file_ids": ["file-1"]}, "file_ids", EVERY - {"openai-v1"}),
    ("retrieval", {"tools": [{"type": "retrieval"}]}, "tools[0]", EVERY - {"openai-v1"}),
    ("file_search", {"tools": [{"type": "file_search"}]}, "tools[0]", frozenset({"openai-v1"})),
    (
        "resources",
        {"tool_resources": {"code_interpreter": {"file_ids": ["file-1"]}}},
        "tool_resources",
        frozenset({"openai-v1"}),
    ),
    ("no format at all", {"response_format": "none"}, "response_format", EVERY - {"openai-v1"}),
    ("a schema of answers", json_schema(), "response_format", frozenset({"openai-v1"})),
    (
        "strict answers",
        json_schema(strict=True),
        "response_format.json_schema.strict",
        frozenset({"foundry-classic"}),
    ),
    ("a strict function", function(strict=True), "tools[0].function.strict", EVERY - {"openai"}),
    ("a ranking", RANKED, "tools[0].file_search.ranking_options", frozenset({"azure-openai"})),
]


@pytest.mark.parametrize("dialect", ROWS)
@pytest.mark.parametrize(("what", "body", "place", "refusing"), REFUSED, ids=[case[0] for case in REFUSED])
def test_what_a_dialect_has_no_word_for_is_refused_at_its_place(
    dialect: str, what: str, body: dict[str, Any], place: str, refusing: frozenset[str]
) -> None:
    """A schema of answers has no `strict` of its own to be told where the whole format is unknown."""
    if what == "strict answers" and dialect == "openai-v1":
        return
    assert (("error", "not-held", place) in told(dialect, body)) == (dialect in refusing)


@pytest.mark.parametrize("dialect", ROWS)
@pytest.mark.parametrize(("what", "body", "place", "refusing"), REFUSED, ids=[case[0] for case in REFUSED])
def test_a_loss_that_is_allowed_is_a_warning_and_is_not_sent(
    dialect: str, what: str, body: dict[str, Any], place: str, refusing: frozenset[str]
) -> None:
    if dialect not in refusing:
        return
    row = DIALECTS[dialect]
    allowed = tuple(loss.key for loss in losses(body, row))
    assert ("warning", "loss-allowed", place) in told(dialect, body, allow_loss=allowed)
    assert all(severity == "warning" for severity, _, _ in told(dialect, body, allow_loss=allowed))
    top = tuple(key.partition(".")[0] for key in allowed)
    assert told(dialect, body, allow_loss=top) == told(dialect, body, allow_loss=allowed), (
        "a whole field covers its parts"
    )
    adapter = adapter_for(target(dialect, allow_loss=allowed))
    kept = adapter.drop_unsupported(Definition("a", {"model": "gpt-4o", **body}, "a.yaml"))
    assert list(losses(kept.body, row)) == [], what


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        ("azure-openai", {"reasoning_effort": None}),
        ("azure-openai", function(strict=False)),
        ("foundry-classic", function(strict=None)),
        ("foundry-classic", json_schema(strict=False)),
        ("openai-v1", {"tool_resources": {}}),
        ("openai", {"file_ids": []}),
    ],
)
def test_what_only_says_the_default_is_left_out_without_a_word(dialect: str, body: dict[str, Any]) -> None:
    assert told(dialect, body) == []
    assert list(losses(remove_losses(body, losses(body, DIALECTS[dialect])), DIALECTS[dialect])) == []


def test_azure_wants_to_be_told_what_a_function_does() -> None:
    body = {"tools": [{"type": "function", "function": {"name": "f"}}]}
    assert told("azure-openai", body) == [("error", "missing-key", "tools[0].function.description")]
    assert told("foundry-classic", body) == []
    assert told("openai", body) == []


@pytest.mark.parametrize("dialect", ["azure-openai", "foundry-classic"])
def test_an_answers_schema_is_wanted_by_microsoft(dialect: str) -> None:
    body = {"response_format": {"type": "json_schema", "json_schema": {"name": "answer"}}}
    assert told(dialect, body) == [("error", "missing-key", "response_format.json_schema.schema")]
    assert told("openai", body) == []


def test_what_azure_may_create_and_not_change_is_a_warning() -> None:
    assert told("azure-openai", {"instructions": "x" * 32_769}) == [("warning", "too-long-to-change", "instructions")]
    assert told("azure-openai", {"instructions": "x" * 32_768}) == []
    assert told("foundry-classic", {"instructions": "x" * 32_769}) == []


def test_a_first_assistant_has_twenty_files() -> None:
    assert told("openai-v1", {"file_ids": ["f"] * 21}) == [("error", "too-long", "file_ids")]
    assert told("openai-v1", {"file_ids": ["f"] * 20}) == []


@pytest.mark.parametrize("dialect", ROWS)
def test_sampling_on_a_reasoning_model_is_warned_of(dialect: str) -> None:
    found = told(dialect, {"model": "o3-mini", "temperature": 0.5, "top_p": None})
    assert found == [("warning", "sampling-refused", "temperature")]
    assert told(dialect, {"temperature": 0.5}) == []


def test_a_deployment_reasons_if_the_model_it_stands_for_does() -> None:
    body = {"model": "our-thinker", "top_p": 1}
    assert told("azure-openai", body) == []
    assert told("azure-openai", body, models={"o3-mini": "our-thinker"}) == [("warning", "sampling-refused", "top_p")]
    assert told("azure-openai", body, reasoning_models={"our-*": True}) == [("warning", "sampling-refused", "top_p")]
    settled = {"models": {"o3-mini": "our-thinker"}, "reasoning_models": {"our-thinker": False}}
    assert told("azure-openai", body, **settled) == []


@pytest.mark.parametrize(
    ("model", "reasons"),
    [
        ("gpt-4o", False), ("gpt-4.1", False), ("gpt-3.5-turbo", False), ("o1", True), ("o3-mini", True),
        ("o4-mini-2025-04-16", True), ("gpt-5", True), ("gpt-5-mini", True), ("gpt-5.1", True), ("GPT-5", True),
        ("gpt-5-chat-latest", False), ("@openai-prod/o3", True), ("olmo", False), ("", False), (None, False),
    ],
)  # fmt: skip
def test_which_models_reason(model: object, reasons: bool) -> None:
    assert is_reasoning(model, DIALECTS["openai"].reasoning) is reasons


def test_a_name_comes_back_as_the_files_have_it() -> None:
    models = {"gpt-5": "our-gpt", "gpt-4o": "our-gpt", "o3": "our-o3"}
    assert [name_in_files(name, models) for name in ("our-gpt", "our-o3", "else")] == ["gpt-5", "o3", "else"]


def test_a_problem_has_its_line_and_says_what_to_write() -> None:
    at = Position("assistants/a.yaml", 3, 1, "file_ids: [f]")
    definition = Definition(
        "a", {"model": "m", "file_ids": ["f"]}, "a.yaml", locate=lambda: SourceMap({}, {("file_ids",): at})
    )
    item = adapter_for(target("openai")).audit(definition)[0]
    assert (item.severity, item.position) == (Severity.ERROR, at)
    assert "openai does not support file_ids" in item.message
    assert "tool_resources.code_interpreter.file_ids" in item.hint
    lost = adapter_for(target("azure-openai")).audit(
        Definition("a", {"model": "m", "reasoning_effort": "low"}, "a.yaml")
    )
    assert "`targets: {TARGET: {reasoning_effort: null}}`" in lost[0].hint
    assert "`allow_loss: [reasoning_effort]`" in lost[0].hint


# --- laws

NAMES = st.sampled_from(["look_up", "send"])
TOOLS = st.one_of(
    st.sampled_from([{"type": kind} for kind in ("code_interpreter", "file_search", "retrieval")]),
    st.fixed_dictionaries(
        {"name": NAMES},
        optional={"description": st.text(), "parameters": st.just({"type": "object"}), "strict": st.booleans()},
    ).map(lambda inner: {"type": "function", "function": inner}),
    st.fixed_dictionaries(
        {},
        optional={
            "max_num_results": st.integers(1, 50),
            "ranking_options": st.fixed_dictionaries({"score_threshold": st.floats(0, 1)}),
        },
    ).map(lambda inner: {"type": "file_search", "file_search": inner}),
)
BODIES = st.fixed_dictionaries(
    {"model": st.sampled_from(["gpt-4o", "o3"])},
    optional={
        "tools": st.none() | st.lists(TOOLS, max_size=4),
        "file_ids": st.none() | st.lists(st.text(min_size=1), max_size=3),
        "tool_resources": st.none() | st.just({"code_interpreter": {"file_ids": ["f"]}}),
        "reasoning_effort": st.none() | st.just("low"),
        "response_format": st.none()
        | st.sampled_from(["auto", "none", {"type": "text"}])
        | st.booleans().map(lambda strict: json_schema(strict=strict)["response_format"]),
    },
)


@given(BODIES, st.sampled_from(ROWS))
def test_what_is_held_has_no_losses_and_holding_it_again_changes_nothing(body: dict[str, Any], dialect: str) -> None:
    before = repr(body)
    row = DIALECTS[dialect]
    kept = remove_losses(body, losses(body, row))
    assert list(losses(kept, row)) == []
    assert remove_losses(kept, losses(kept, row)) == kept
    assert kept.keys() <= set(row.fields)
    assert repr(body) == before


@given(BODIES, st.sampled_from(ROWS))
def test_what_is_filled_in_says_nothing_new(body: dict[str, Any], dialect: str) -> None:
    row = DIALECTS[dialect]
    kept = remove_losses(body, losses(body, row))
    sent = fill_required(kept, row.holds.fills)
    for name, value in kept.items():
        assert same(canonical(name, value, row.table), canonical(name, sent[name], row.table)), name
    assert sent.keys() == kept.keys()


def test_every_word_of_allow_loss_is_one_that_some_dialect_lacks() -> None:
    known = loss_keys(DIALECTS.values())
    for row in DIALECTS.values():
        assert set(lacking(row)) <= known
    assert lacking(DIALECTS["openai"]) == ()
    assert "reasoning_effort" in lacking(DIALECTS["foundry-classic"])
    assert "name" not in known


def test_a_row_is_not_changed_by_a_target() -> None:
    before = repr(DIALECTS)
    adapter_for(replace(target("azure-openai"), reasoning_models={"x": True}, api_version="2024-05-01-preview"))
    assert repr(DIALECTS) == before


def test_many_losses_of_one_kind_are_one_warning_that_counts_them() -> None:
    adapter = adapter_for(target("azure-openai", allow_loss=("reasoning_effort", "tools")))
    bodies = [{"reasoning_effort": "low"}, {"reasoning_effort": "high"}, function(strict=True)]
    found = [item for body in bodies for item in adapter.audit(Definition("a", {"model": "m", **body}, "a.yaml"))]
    assert [item.message for item in count_losses(found)] == [
        "azure-openai does not support reasoning_effort; it is left out, in 2 places",
        "azure-openai does not support tools.function.strict; it is left out",
    ]
