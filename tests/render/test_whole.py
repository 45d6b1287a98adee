"""What is new is told whole: each string, key, number and boolean of a create, and of a tool that came or went."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.render import parsed, text
from tests.render.changes import field_change
from tests.render.hostile import NASTY
from tests.render.test_hostile import LAW, _large
from trueup.core.plans.plan import MISSING, Action, Cause, Plan
from trueup.core.yaml_text import LOGGED, format_lines
from trueup.edge.yaml.reader import read_yaml
from trueup.render import pages
from trueup.render.markup import html, markdown
from trueup.render.style import Look, Tone, disarm, paint
from trueup.render.terminal.values import FOLD, whole_rows
from trueup.render.values import BRIEF
from trueup.render.visible import count_columns, make_visible

LOOK = Look(color=False, width=100_000, verbose=True)
WORDS = st.one_of(st.sampled_from(NASTY), st.text(max_size=12), st.just("some words " * 30), st.just("x" * 90))
SHAPES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 9), st.floats(0, 9), WORDS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=14,
)
PARAMETERS = st.dictionaries(WORDS, SHAPES, max_size=4)
SIDES = pytest.mark.parametrize("way", ["create", "added", "removed"])


def _tool(name: str, description: str, parameters: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    inner = {"name": name, "description": description, "parameters": parameters, "strict": True, **more}
    return {"type": "function", "function": inner}


def _told_apart(value: Any, count: Iterator[int]) -> Any:
    """Return the value with every string, key and number made one that stands nowhere else."""
    if isinstance(value, Mapping):
        return {f"{key}k{next(count)}q": _told_apart(entry, count) for key, entry in value.items()}
    if isinstance(value, list):
        return [_told_apart(entry, count) for entry in value]
    if isinstance(value, str):
        return f"{value}s{next(count)}q"
    return value if value is None or isinstance(value, bool) else value + next(count)


def _needles(value: Any) -> Iterator[str]:
    """Return what must stand in an answer, as it is written there: keys and scalars as YAML, longer texts by line."""
    if isinstance(value, Mapping):
        for key, entry in value.items():
            (line,) = format_lines({key: True}, LOGGED)
            yield line.removesuffix("true") + ("true" if entry is True else "false" if entry is False else "")
            yield from _needles(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _needles(entry)
    elif value is not None and not isinstance(value, bool):
        yield from (line.lstrip(" ").removeprefix("- ") for line in format_lines([value], LOGGED) if line != "- |-")


def _squeezed(shown: str) -> str:
    """Without what a row's end puts between: blanks and breaks, and the blank that parts a runner's command."""
    return re.sub(r"[\s\u200b]", "", disarm(shown))


def _missing(value: Any, shown: str) -> list[str]:
    whole = _squeezed(shown)
    return [needle for needle in _needles(value) if _squeezed(make_visible(needle, LOOK)) not in whole]


def _plan(way: str, tool: Any) -> Plan:
    kept: Any = {"type": "code_interpreter"}
    before, after = {"create": (MISSING, [tool]), "added": ([kept], [kept, tool]), "removed": ([kept, tool], [kept])}[
        way
    ]
    plan = _large([field_change("tools", before, after, Cause.EDITED)])
    action = Action.CREATE if way == "create" else Action.MODIFY
    return replace(plan, changes=(replace(plan.changes[0], action=action),))


@SIDES
@given(PARAMETERS, WORDS)
@LAW
def test_a_function_that_comes_or_goes_is_told_whole(way: str, parameters: dict[str, Any], said: str) -> None:
    parameters = _told_apart(parameters, iter(range(100, 10_000)))
    plan = _plan(way, _tool("h", f"{said}d99q", parameters))
    for shown in (
        parsed.Parsed(html.write_page(pages.plan_page(plan))).text,
        parsed.markdown(markdown.write_page(pages.plan_page(plan))).text,
        text.plan(plan, color=False, width=80, verbose=True),
        text.plan(plan, color=False, width=100_000, verbose=True),
    ):
        assert _missing([f"{said}d99q", parameters], shown) == []
        assert "strict: true" in shown


@given(SHAPES, WORDS)
@LAW
def test_all_fields_of_a_create_are_told_whole(shape: Any, said: str) -> None:
    count = iter(range(100, 10_000))
    form = {"type": "json_schema", "json_schema": {"name": "o", "schema": _told_apart(shape, count)}}
    key, entry, ids = "k" * 60, f"{said}e99q", [f"vs_{number}" for number in range(40)]
    fields = [
        field_change("response_format", MISSING, form, Cause.EDITED),
        field_change(f"metadata.{key}", MISSING, entry[-512:], Cause.EDITED),
        field_change("tool_resources.file_search.vector_store_ids", MISSING, ids, Cause.EDITED),
    ]
    for action in (Action.CREATE, Action.MODIFY):
        plan = _large(fields)
        plan = replace(plan, changes=(replace(plan.changes[0], action=action),))
        for shown in (
            parsed.Parsed(html.write_page(pages.plan_page(plan))).text,
            text.plan(plan, color=False, width=80, verbose=True),
        ):
            assert _missing([form["json_schema"]], shown) == []
            assert _missing(ids, shown) == []
            assert f"metadata.{key}" in _squeezed(shown)
            assert "e99q" in shown


@given(SHAPES)
@LAW
def test_the_rows_of_a_value_read_back_as_the_value(shape: Any) -> None:
    assume(not re.search(r"\\ud[89a-f]", "".join(format_lines(shape, LOGGED))))  # half a sign, which YAML cannot hold
    shown = paint(whole_rows({"value": shape}, LOOK, 0, "", Tone.PLAIN), color=False)
    document = read_yaml(shown.encode("utf-8"), "x.yaml")
    assert not document.diagnostics
    assert _seen(document.value) == _seen({"value": shape})


def _seen(value: Any) -> Any:
    """Return the value as a person sees it: of two texts that look alike no row can tell which it is."""
    if isinstance(value, Mapping):
        return {_seen(key): _seen(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_seen(entry) for entry in value]
    return tuple(make_visible(line, LOOK) for line in value.split("\n")) if isinstance(value, str) else value


@SIDES
@given(PARAMETERS, WORDS)
@settings(LAW, max_examples=30)
def test_every_row_of_a_tool_fits(way: str, parameters: Any, said: str) -> None:
    for verbose in (False, True):
        shown = text.plan(_plan(way, _tool("h", said, parameters)), color=False, width=60, verbose=verbose)
        assert all(count_columns(line) <= 60 for line in shown.splitlines()[:-1])


LONG = _tool("h", "what it is for", {f"p{number:02}": {"type": "string"} for number in range(30)})
"""63 lines beside its name and type."""


@pytest.mark.parametrize(
    ("way", "told"),
    [
        ("create", "      ⋯ function h: 63 more lines (-v shows all)"),
        ("added", f"          ⋯ {63 - FOLD} more lines (-v shows all)"),
        ("removed", "      - function h  ⋯ 63 lines (-v shows all)"),
    ],
)
def test_a_long_tool_is_folded_and_its_lines_are_counted(way: str, told: str) -> None:
    shown = text.plan(_plan(way, LONG), color=False, width=80)
    assert told in shown.split("\n")
    assert ("what it is for" in shown) == (way == "added")
    assert len(shown.splitlines()) < FOLD + 14


def test_a_long_line_of_a_new_tool_leaves_room_for_the_others_and_says_so() -> None:
    shown = text.plan(_plan("added", _tool("h", "word " * 2_000, {"p": {"type": "string"}})), color=False, width=80)
    assert re.search(r"⋯ 9,\d\d\d more characters \(-v shows all\)", " ".join(shown.split()))
    assert "strict: true" in shown


@pytest.mark.parametrize("verbose", [False, True])
def test_a_short_value_that_changed_is_never_cut(verbose: bool) -> None:
    start = "the same beginning of both descriptions, and then: "
    tools = [[_tool("h", "d", {"properties": {"p" * 40: {"description": start + end}}})] for end in ("x1y", "x2y")]
    plan = _large(
        [
            field_change("tools", tools[0], tools[1], Cause.EDITED),
            field_change("name", f"{start}a3", f"{start}b4", Cause.EDITED),
        ]
    )
    shown = _squeezed(text.plan(plan, color=False, width=60, verbose=verbose))
    assert all(end in shown for end in ("x1y", "x2y", "a3", "b4", "p" * 40))


def test_entries_that_differ_at_their_end_alone_are_not_taken_for_one() -> None:
    one, other = ("vs_" + "0" * 55 + end for end in "12")
    plan = _large([field_change("tool_resources.file_search.vector_store_ids", [one], [other], Cause.EDITED)])
    shown = _squeezed(text.plan(plan, color=False, width=60))
    assert one in shown
    assert other in shown


def test_what_is_too_much_for_a_row_has_rows_of_its_own_wherever_the_row_would_end() -> None:
    for start in range(BRIEF + 9):
        schema = {"k" * start: "a", "type": "object", "properties": {f"p{number}": {} for number in range(30)}}
        tools = [[_tool("h", "d", {"properties": inner})] for inner in ({}, {"x": schema})]
        shown = text.plan(_large([field_change("tools", tools[0], tools[1], Cause.EDITED)]), color=False, width=80)
        assert "            + type: object" in shown.split("\n")
        assert "more lines (-v shows all)" in shown


@pytest.mark.parametrize("old", ["auto", MISSING, None])
def test_a_schema_that_an_assistant_gets_is_told_whole(old: Any) -> None:
    form = {
        "type": "json_schema",
        "json_schema": {"name": "o", "schema": {"properties": {"p" * 30: {"type": "x" * 50}}}},
    }
    plan = _large([field_change("response_format", old, form, Cause.EDITED)])
    for shown in (
        text.plan(plan, color=False, width=80),
        markdown.write_page(pages.plan_page(plan)),
        html.write_page(pages.plan_page(plan)),
    ):
        assert "p" * 30 in shown
        assert "x" * 50 in shown


@pytest.mark.parametrize("way", [Action.CREATE, Action.MODIFY])
def test_a_list_without_tools_is_told_as_one(way: Action) -> None:
    plan = _large([field_change("tools", MISSING, [], Cause.EDITED)])
    plan = replace(plan, changes=(replace(plan.changes[0], action=way),))
    for verbose in (False, True):
        assert re.search(r"tools  .*\[\]", text.plan(plan, color=False, width=80, verbose=verbose))
    assert "<code>[]</code>" in markdown.write_page(pages.plan_page(plan))


@pytest.mark.parametrize(
    "tool", ["file_search", 7, None, [], {}, {"type": 3, "x": "odd"}, {"type": "function", "function": "odd"}]
)
def test_a_tool_of_no_known_shape_is_told_whole_too(tool: Any) -> None:
    beside = {key: entry for key, entry in tool.items() if entry != "function"} if isinstance(tool, dict) else tool
    plan = _plan("added", tool)
    assert _missing(beside, text.plan(plan, color=False, width=80)) == []
    assert _missing(beside, parsed.Parsed(html.write_page(pages.plan_page(plan))).text) == []
