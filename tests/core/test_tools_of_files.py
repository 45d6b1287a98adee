"""A file that holds a list of tools: they take the place of its reference, and an accepted value goes back there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.test_resolve import Held, resolved
from trueup.core.acceptance.placing import Edit, EditPlacer, Elsewhere
from trueup.core.definitions.layers import Origin
from trueup.core.source import Path
from trueup.edge.yaml.editor import set_value
from trueup.wire.openai_assistants.fields import DEFINITIONS

F = {"type": "function", "function": {"name": "f"}}
G = {"type": "function", "function": {"name": "g"}}
ONE = {"type": "file_search"}


def test_the_tools_of_a_file_take_the_place_of_its_reference() -> None:
    found = resolved(
        {
            "d/a.yaml": {"tools": ["x", {"file": "_list.yaml"}, {"file": "_none.yaml"}, F, {"file": "_one.yaml"}, "y"]},
            "d/_list.yaml": ["code_interpreter", G],
            "d/_none.yaml": [],
            "d/_one.yaml": ONE,
        }
    )
    assert found.diagnostics == ()
    assert found.body["tools"] == [{"type": "x"}, {"type": "code_interpreter"}, G, F, ONE, {"type": "y"}]
    assert found.parts == ("d/_list.yaml", "d/_none.yaml", "d/_one.yaml")
    places = [found.tree.origin(("tools", index)) for index in range(6)]
    assert [(place.file, place.path) for place in places] == [
        ("d/a.yaml", ("tools", 0)),
        ("d/_list.yaml", (0,)),
        ("d/_list.yaml", (1,)),
        ("d/a.yaml", ("tools", 3)),
        ("d/_one.yaml", ()),
        ("d/a.yaml", ("tools", 5)),
    ]
    name = found.tree.origin(("tools", 2, "function", "name"))
    assert (name.file, name.path) == ("d/_list.yaml", (1, "function", "name"))


def test_references_after_a_list_lead_to_their_own_places() -> None:
    tool = {"type": "function", "function": {"name": {"var": "n"}, "parameters": {"file": "_schema.json"}}}
    files = {"d/a.yaml": {"tools": [{"file": "_list.yaml"}, tool]}, "d/_list.yaml": [F, G], "d/_schema.json": {"a": 1}}
    found = resolved(files)
    assert found.body["tools"][2] == {"type": "function", "function": {"name": 1, "parameters": {"a": 1}}}
    assert found.tree.origin(("tools", 2, "function", "name")).file == "trueup.yaml"
    assert found.tree.origin(("tools", 2, "function", "parameters", "a")).file == "d/_schema.json"
    assert found.tree.origin(("tools", 2, "type")).path == ("tools", 1, "type")


def test_a_list_holds_no_references_of_its_own() -> None:
    found = resolved({"d/a.yaml": {"tools": [{"file": "_list.yaml"}]}, "d/_list.yaml": [F, {"file": "_one.yaml"}]})
    assert [(one.code, one.path) for one in found.diagnostics] == [("file-not-here", ("tools", 1))]


def test_tools_as_a_whole_come_from_a_file() -> None:
    files = {"d/a.yaml": {"tools": {"file": "_list.yaml"}}, "d/_list.yaml": [F, "file_search"]}
    found = resolved(files)
    assert found.diagnostics == ()
    assert found.body["tools"] == [F, {"type": "file_search"}]
    placing = EditPlacer("d/a.yaml", "local", found.tree, dict(found.body), Held(files), DEFINITIONS)
    assert placing.edits_for(("tools",), [F]) == [Edit(Origin("d/_list.yaml"), [F])]


TOOLS = st.sampled_from("abcdef").map(lambda name: {"type": "function", "function": {"name": name}}) | st.sampled_from(
    ["file_search", "code_interpreter"]
)
CHANGED = st.tuples(st.sampled_from("abcdefg"), st.sampled_from(["", "new"])).map(
    lambda pair: {"type": "function", "function": {"name": pair[0], **({"description": pair[1]} if pair[1] else {})}}
)


@given(
    st.lists(st.tuples(st.booleans(), st.lists(TOOLS, max_size=3)), min_size=1, max_size=4),
    st.lists(CHANGED | st.just(ONE), max_size=6),
    st.booleans(),
)
def test_what_is_accepted_goes_where_it_came_from(
    shares: list[tuple[bool, list[Any]]], wanted: list[Any], keeps_most: bool
) -> None:
    """The files with the edits come to the live tools; or the value is refused."""
    files: dict[str, Any] = {"d/a.yaml": {"tools": []}}
    for index, (is_file, tools) in enumerate(shares):
        entries = [{"file": f"_{index}.yaml"}] if is_file else tools
        files |= {f"d/_{index}.yaml": tools} if is_file else {}
        files["d/a.yaml"]["tools"] += entries
    before = resolved(files)
    old = before.body["tools"]
    new = [*old[: len(old) // 2], *wanted[:1], *old[len(old) // 2 + 1 :]] if keeps_most else wanted
    placing = EditPlacer("d/a.yaml", "local", before.tree, dict(before.body), Held(files), DEFINITIONS)
    try:
        edits = placing.edits_for(("tools",), new)
    except Elsewhere:
        return
    for edit in edits:
        files[edit.origin.file] = set_value(files[edit.origin.file], edit.origin.path, edit.value)
    assert resolved(files).body["tools"] == new
    assert len({edit.origin.file for edit in edits}) == len(edits)


@pytest.mark.parametrize(
    ("new", "edited"),
    [
        ([F, {**ONE}, G], {}),
        ([{"type": "function", "function": {"name": "f", "description": "d"}}, ONE, G], {("d/_list.yaml", ())}),
        ([F, ONE, {"type": "function", "function": {"name": "g", "strict": True}}], {("d/a.yaml", ("tools",))}),
        ([F, ONE, G, ONE], {("d/a.yaml", ("tools",))}),
        ([F, G], {("d/_list.yaml", ())}),
        ([G], {("d/a.yaml", ("tools",))}),
    ],
)
def test_only_the_file_that_holds_a_tool_is_edited(new: list[Any], edited: set[tuple[str, Path]]) -> None:
    files = {"d/a.yaml": {"tools": [{"file": "_list.yaml"}, G]}, "d/_list.yaml": [F, "file_search"]}
    before = resolved(files)
    edits = EditPlacer("d/a.yaml", "local", before.tree, dict(before.body), Held(files), DEFINITIONS).edits_for(
        ("tools",), new
    )
    assert {(edit.origin.file, edit.origin.path) for edit in edits} == set(edited)
