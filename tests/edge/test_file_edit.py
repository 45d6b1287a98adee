"""A file is edited in one place: it reads back as wanted, and all lines that are not the value's own stay.

The laws run over generated definitions, values and layouts, hostile texts among them; what cannot be written is refused
with a reason and never written otherwise.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.extent import examples
from trueup.core.definitions.document import BODY, Document
from trueup.core.texts.escapes import UNSEEN
from trueup.edge.definitions.documents import read_markdown
from trueup.edge.definitions.edits import edit_file, edit_text_file, move_prompt_to_fields
from trueup.edge.yaml.editor import CannotEdit, is_equal, rewrite_text, set_value
from trueup.edge.yaml.reader import read_yaml, read_yaml_text

HOSTILE = (
    '---', '...', '- x', '# no comment', 'a: b', 'a #b', '\t', 'a\tb', ' lead', 'trail ', '\n', '\n\n', 'x\n',
    'x\n\n\n', '\n x', '  a\nb', 'a\n\n  b\n', "'", '"', "it's", '"q"', '\\', '{x}', '[x]', '*a', '&a', '!t', '%d',
    '@a', '`a', '|', '>', '?', '? x', 'no', 'Yes', 'null', '~', 'true', '1', '0x1', '1e3', '1:30', '2020-01-01',
    '.5', '', '<<', '=', 'a\rb', 'a\r\nb', '\x00', '\x1b[31m', '\x7f', '\x85', '\u2028', '\u2029', '\ufeff', 'é',
    '日本', '😀', 'a\x85b\n\u2028c', '---\na: b\n---\nbody', 'a\n---\nb', '{var: x}', '<<<<<<< file', ' \n', '\t\n\tx',
    'x\n ', '\n\n\n', 'a  b  c\nd', '\u202ea\u2066', 'a\u200b\n\U000e0041 x', '\xad', '\n\x9b31m', ' \x07\n  b\n',
    "x" * 3000, "word " * 40, "a\n" * 50,
)  # fmt: skip

texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.lists(st.sampled_from(HOSTILE), max_size=4).map("".join),
    st.lists(st.sampled_from(("word", "Be kind.", "", "  in", "# x", "- y", "k: v", "---")), max_size=6).map("\n".join),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)
keys = st.one_of(
    st.sampled_from(("owner", "a b", "x.y", "1", "no", "<<", "é", "k:", "#", "- ")),
    st.text("abz_", min_size=1, max_size=5),
)
scalars = st.one_of(
    texts, st.integers(-(10**20), 10**20), st.booleans(), st.none(),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda number: number + 0.0),
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=8,
)
tops = st.sampled_from(("name", "model", "instructions", "tools", "metadata", "tool_resources", "response_format"))
layouts = st.fixed_dictionaries(
    {
        "default_flow_style": st.sampled_from((True, False, None)),
        "default_style": st.sampled_from((None, None, "'", '"', "|", ">")),
        "indent": st.sampled_from((2, 4)),
        "width": st.sampled_from((20, 80, 4000)),
        "allow_unicode": st.booleans(),
    }
)
comments = st.sampled_from(("", "", "# a note\n", "\n", "\n# one\n#two\n\n"))


def _written(key: str, value: Any, layout: dict[str, Any]) -> str:
    """One entry of a block mapping, its value in whatever layout."""
    text: str = yaml.safe_dump({key: value}, **layout, sort_keys=False)
    return f"{text.strip()[1:-1]}\n" if text.startswith("{") else text


@st.composite
def documents(draw: st.DrawFn) -> tuple[list[str], dict[str, Any]]:
    """Draw the chunks of a YAML text, one for each top-level key with the comments above it, and what they read as."""
    chunks, value = [], {}
    for key in draw(st.lists(tops, min_size=1, max_size=4, unique=True)):
        body = _written(key, draw(values), draw(layouts))
        above = draw(comments)
        chunk = above + body
        found = read_yaml_text(chunk, "f.yaml").value
        assume(isinstance(found, dict) and key in found)  # a form that only YAML 1.1 knows
        chunks.append(chunk)
        value.update(found)
    assume(is_equal(read_yaml_text("".join(chunks), "f.yaml").value, value))
    return chunks, value


SETTINGS = settings(
    max_examples=examples(120), deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)


@pytest.mark.parametrize(
    ("text", "wanted", "made"),
    [
        ("a:\n  _: 1\n  b: 2\n", {"a": {"c": 3, "_": 1}}, "a:\n  _: 1\n  c: 3\n"),
        (
            "a:\n  b:\n    c: 1\n    d: 2\nz: 0\n",
            {"a": {"b": {"c": 1}, "e": 3}, "z": 0},
            "a:\n  b:\n    c: 1\n  e: 3\nz: 0\n",
        ),
        ("a:\n- 1\n- b: 2\n  c: 3\n", {"a": [1, {"b": 2}, 4]}, "a:\n- 1\n- b: 2\n- 4\n"),
        ('{"a": 1, "b": 2, "c": 3}\n', {"a": 1}, '{"a": 1}\n'),
        ('{"a": 1, "b": 2, "c": 3}\n', {"c": 3}, '{"c": 3}\n'),
        ("a: {b: 1,\n    c: 2, d: 3, e: 4}\n", {"a": {"c": 2, "f": 5}}, "a: {c: 2, f: 5}\n"),
        ("a: [1, 2, 3, 4, 5]\n", {"a": [2, 4]}, "a: [2, 4]\n"),
        ("a: [1, 2, 3, 4, 5]\n", {"a": [3]}, "a: [3]\n"),
    ],
)
def test_what_goes_and_what_comes_may_meet(text: str, wanted: Any, made: str) -> None:
    """The last entry of a collection leaves while another is added behind it."""
    assert rewrite_text(text, wanted, "f.yaml") == made


@SETTINGS
@given(documents(), st.data())
def test_one_value_changes_and_no_other_line(made: tuple[list[str], dict[str, Any]], data: st.DataObject) -> None:
    chunks, value = made
    key = data.draw(st.sampled_from(sorted(value)))
    path: tuple[str | int, ...] = (key,)
    inner = value[key]
    while isinstance(inner, (dict, list)) and inner and data.draw(st.booleans()):
        step = data.draw(st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner))))
        path, inner = (*path, step), inner[step]
    wanted = set_value(value, path, data.draw(values))
    text = "".join(chunks)
    result = rewrite_text(text, wanted, "f.yaml")
    assert is_equal(read_yaml_text(result, "f.yaml").value, wanted)
    index = [*value].index(key)
    before, after = "".join(chunks[:index]), "".join(chunks[index + 1 :])
    assert result.startswith(before)
    assert result.endswith(after)


@SETTINGS
@given(
    st.sampled_from((
        "instructions: old\n", "instructions: |\n  old\n  two\n", "instructions: >-\n  old\n", "instructions: 'x'\n",
        'instructions: "a\\n\\\n  b"\n', "{instructions: x, model: m}\n", "model: m\n", "",
    )),
    texts,
)  # fmt: skip
def test_what_is_written_into_yaml_shows_all_that_it_holds(text: str, fresh: str) -> None:
    wanted = {"instructions": fresh, **({"model": "m"} if "model" in text else {})}
    written = rewrite_text(text, wanted, "f.yaml")
    assert not UNSEEN.search(written)
    assert read_yaml_text(written, "f.yaml").value == wanted


@SETTINGS
@given(documents(), tops, values)
def test_a_field_is_added_behind_the_others(made: tuple[list[str], dict[str, Any]], key: str, fresh: Any) -> None:
    chunks, value = made
    assume(key not in value)
    result = rewrite_text("".join(chunks), {**value, key: fresh}, "f.yaml")
    assert is_equal(read_yaml_text(result, "f.yaml").value, {**value, key: fresh})
    assert result.startswith("".join(chunks).removesuffix("...\n").rstrip("\n"))  # `...` ends a document


@SETTINGS
@given(documents(), st.data())
def test_a_field_goes_with_its_lines_alone(made: tuple[list[str], dict[str, Any]], data: st.DataObject) -> None:
    chunks, value = made
    assume(len(value) > 1)
    key = data.draw(st.sampled_from(sorted(value)))
    rest = {name: entry for name, entry in value.items() if name != key}
    result = rewrite_text("".join(chunks), rest, "f.yaml")
    assert is_equal(read_yaml_text(result, "f.yaml").value, rest)
    index = [*value].index(key)
    assert result.startswith("".join(chunks[:index]))
    assert result.endswith("".join(chunks[index + 1 :]))


@SETTINGS
@given(documents())
def test_what_is_as_wanted_is_left_alone(made: tuple[list[str], dict[str, Any]]) -> None:
    chunks, value = made
    assert rewrite_text("".join(chunks), value, "f.yaml") == "".join(chunks)


@SETTINGS
@given(documents(), values, st.sampled_from(("\r\n", "\n")), st.booleans())
def test_line_endings_and_the_mark_at_the_start_stay(
    made: tuple[list[str], dict[str, Any]], fresh: Any, ending: str, marked: bool
) -> None:
    chunks, value = made
    key = min(value)
    data = (b"\xef\xbb\xbf" if marked else b"") + "".join(chunks).replace("\n", ending).encode()
    wanted = {**value, key: fresh}
    try:
        result = edit_file(data, "f.yaml", wanted)
    except CannotEdit:
        assume("\ufeff" in "".join(chunks) or any(ord(sign) < 32 and sign not in "\t\n" for sign in "".join(chunks)))
        return
    assert is_equal(read_yaml(result, "f.yaml").value, wanted)
    assert result.startswith(b"\xef\xbb\xbf") == marked
    if ending == "\r\n":
        assert result.count(b"\n") == result.count(b"\r\n")


def _json_documents() -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(keys, values, min_size=1, max_size=4)


def _is_nothing_for_plain_text(text: str) -> bool:
    """Draw what no body and no part can hold: what is dropped there, and what may stand in no file."""
    escaped = re.search("[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ufeff]", text)
    return text.endswith("\n") or not text.strip() or escaped is not None


def _needs_an_escape_that_json_lacks(value: Any) -> bool:
    return not json.dumps(value).isascii()


@SETTINGS
@given(_json_documents(), keys, values, st.sampled_from((None, 2, "\t")))
def test_json_stays_json(value: dict[str, Any], key: str, fresh: Any, indent: int | str | None) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    before = read_yaml(text.encode(), "f.json").value
    assume(before is not None)
    wanted = {**before, key: fresh}
    try:
        result = edit_file(text.encode(), "f.json", wanted)
    except CannotEdit:
        assert _needs_an_escape_that_json_lacks(fresh)
        return
    assert is_equal(read_yaml(result, "f.json").value, wanted)
    assert isinstance(json.loads(result), dict)


FRONTS = ("---\n---\n", "---\nmodel: x  # c\n---\n", "---\nmodel: x\ninstructions: first\n---\n",
          "---\r\nmodel: x\r\n---\r\n", "---\nmodel: x\ninstructions:\n  - {file: a.md}\n---\n")  # fmt: skip


@SETTINGS
@given(
    st.sampled_from(FRONTS), st.sampled_from(("", "\n", "\n\n")),
    st.sampled_from(("", "Body.\n", "# T\n\nBody.\n\n\n", "x")), texts,
)  # fmt: skip
def test_a_markdown_body_reads_back_or_is_refused(front: str, gap: str, body: str, fresh: str) -> None:
    data = (front + gap + body).encode()
    before: Document = read_markdown(data, "f.md")
    assert isinstance(before.value, dict)
    wanted = move_prompt_to_fields({**before.value, BODY: fresh}, "instructions")
    try:
        result = edit_file(data, "f.md", wanted)
    except CannotEdit:
        assert _is_nothing_for_plain_text(fresh)
        return
    assert is_equal(read_markdown(result, "f.md").value, wanted)
    if fresh.strip():
        assert result.startswith(front.encode())


@SETTINGS
@given(st.sampled_from(("", "Old.\n", "a\r\nb\r\n", "x\n\n\n", "x")), texts)
def test_a_part_reads_back_or_is_refused(old: str, fresh: str) -> None:
    try:
        result = edit_text_file(old.encode(), "_part.md", fresh)
    except CannotEdit:
        assert _is_nothing_for_plain_text(fresh)
        return
    assert result.replace(b"\r\n", b"\n").rstrip(b"\n").decode() == fresh
    assert (b"\r\n" in result) <= (b"\r\n" in old.encode())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("model: x\n", "model: x\ntargets:\n  prod:\n    model: gpt-5\n"),
        ("targets: {dev: false}\n", "targets: {dev: false, prod: {model: gpt-5}}\n"),
    ],
)
def test_an_entry_is_added_for_a_target(before: str, after: str) -> None:
    document = read_yaml_text(before, "f.yaml").value
    assert rewrite_text(before, set_value(document, ("targets", "prod"), {"model": "gpt-5"}), "f.yaml") == after


def test_a_file_with_problems_of_its_own_is_not_edited() -> None:
    with pytest.raises(CannotEdit, match="has other problems, which must be fixed first"):
        rewrite_text("a: [", {"a": 1}, "f.yaml")


def test_a_markdown_body_without_a_last_line_break_gets_none() -> None:
    data = b"---\nname: T\nmodel: m\n---\nHello\nyou"
    wanted = {"name": "T", "model": "m", BODY: "Hallo\nyou"}
    assert edit_file(data, "t.md", wanted) == b"---\nname: T\nmodel: m\n---\nHallo\nyou"
