"""Placeholders and tools that appeared or vanished: what counts as one, and what only looks like one."""

from __future__ import annotations

import pytest

from trueup.core.texts.prose import Mention, Sort
from trueup.core.texts.words import find_mentions, function_names


def _texts(before: str, after: str, *tools: str) -> list[tuple[str, bool]]:
    return [(item.text, item.appeared) for item in find_mentions(before, after, tools)]


@pytest.mark.parametrize(
    "text", ["{{name}}", "{{ user.name }}", "{{#each items}}", "{name}", "{größe}", "<name>", "<a-b>"]
)
def test_a_placeholder_is_told_in_both_directions(text: str) -> None:
    assert _texts("", f"Hello {text}!") == [(text, True)]
    assert _texts(f"Hello {text}!", "Hello!") == [(text, False)]
    assert _texts(f"Hello {text}!", f"{text} again, {text}") == []


@pytest.mark.parametrize(
    "text", ['{"a": 1}', "{ }", "{}", "a < b > c", "<3", "</name>", "{1}", "{a\nb}", "<!-- x -->", "{a b}", "<" * 50]
)
def test_what_only_looks_like_one_is_none(text: str) -> None:
    assert _texts("", text) == []


def test_tools_are_told_by_whole_names_that_are_known() -> None:
    assert _texts("Use get_weather.", "Use get_weather_now and file_search.", "get_weather", "file_search") == [
        ("file_search", True),
        ("get_weather", False),
    ]
    assert _texts("Call `look-up`.", "Call it.", "look-up") == [("look-up", False)]


def test_a_mention_has_its_first_line_in_its_own_text() -> None:
    assert find_mentions("a\n{x}\n{x}", "b\n\n{y}") == (
        Mention(Sort.PLACEHOLDER, "{y}", True, 3),
        Mention(Sort.PLACEHOLDER, "{x}", False, 2),
    )


def test_many_are_told_with_their_lines_in_one_pass() -> None:
    many = "\n".join(f"{{a{n}}}" for n in range(20_000))
    assert [(item.text, item.line) for item in find_mentions("", many)] == [(f"{{a{n}}}", n + 1) for n in range(20_000)]


def test_names_are_found_in_tools_of_any_form() -> None:
    tools = [
        {"type": "function", "function": {"name": "f"}},
        {"name": "g"},
        {"server_label": "s"},
        "x",
        {"function": 3},
    ]
    assert function_names(tools) == ("f", "g", "s")
    assert function_names({"name": "f"}) == ()
    assert function_names([{"function": {"name": ["f"]}}]) == ()
