"""How a definition is put together: the laws of laying over, and what each reference becomes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.definitions.document import Document
from trueup.core.definitions.layers import Origin, Tree, lay_over
from trueup.core.definitions.resolve import ResolvedDefinition, read_lifecycle, resolve
from trueup.core.definitions.sources import Setting
from trueup.core.projects.project import Target
from trueup.core.source import Path, Position, SourceMap
from trueup.wire.openai_agents.fields import DEFINITIONS as AGENTS
from trueup.wire.openai_assistants.fields import DEFINITIONS

MERGED = {*DEFINITIONS.maps, "lifecycle"}


class Held:
    """Documents in memory."""

    def __init__(self, files: dict[str, Any]) -> None:
        self.files = files

    def mapping(self, file: str) -> Document:
        return self._document(file, dict)

    def included(self, file: str) -> Document:
        return self._document(file, (dict, list))

    def text(self, file: str) -> Document:
        return self._document(file, str)

    def is_definition(self, file: str) -> bool:
        return file.startswith("d/") and not file.startswith("d/_")

    def source(self, file: str) -> SourceMap:
        return SourceMap({(): Position(file, 1, 1)})

    def at(self, file: str, path: Path, *, key: bool = False) -> Position:
        return Position(file, len(path) + 1, 2 if key else 1)

    def _document(self, file: str, kind: type | tuple[type, ...]) -> Document:
        value = self.files.get(file)
        return Document(file, value) if isinstance(value, kind) else Document(file, refusal="does not exist")


def resolved(files: dict[str, Any], *, target: Target | None = None, **overrides: str) -> ResolvedDefinition:
    """`d/a.yaml` for a target among `local` and `prod`."""
    setting = Setting(
        target or Target("local", "p"),
        ["local", "prod"],
        {"n": 1, "l": ("x",)},
        overrides,
        lambda _: frozenset(),
        "openai-assistants",
        DEFINITIONS,
    )
    return resolve("d/a.yaml", setting, Held(files))


def body(*layers: dict[str, Any], target: Target | None = None) -> Any:
    """Return the body of a chain of files, the innermost base first; `name` apart."""
    files: dict[str, Any] = {f"d/_{index}.yaml": layer for index, layer in enumerate(layers[:-1])}
    files["d/a.yaml"] = layers[-1]
    for index in range(1, len(layers)):
        key = f"d/_{index}.yaml" if index < len(layers) - 1 else "d/a.yaml"
        files[key] = {**files[key], "extends": f"_{index - 1}.yaml"}
    found = resolved(files, target=target)
    assert found.diagnostics == ()
    return {key: value for key, value in found.checked.items() if key != "name"}


@pytest.mark.parametrize(
    ("base", "patch", "expected"),
    [
        ({"model": "a", "top_p": 1}, {"model": "b"}, {"model": "b", "top_p": 1}),
        ({"model": "a", "top_p": None}, {}, {"model": "a", "top_p": None}),
        ({"model": "a", "top_p": 1}, {"top_p": None}, {"model": "a"}),
        ({"tools": ["a"]}, {"tools": ["b"]}, {"tools": [{"type": "b"}]}),
        (
            {"response_format": {"type": "a", "x": 1}},
            {"response_format": {"type": "b"}},
            {"response_format": {"type": "b"}},
        ),
        ({"metadata": {"a": "1", "b": "2"}}, {"metadata": {"b": None, "c": "3"}}, {"metadata": {"a": "1", "c": "3"}}),
        ({"metadata": {"a": None}}, {"metadata": {"b": "1"}}, {"metadata": {"a": None, "b": "1"}}),
        ({"metadata": {"a": "1"}}, {"metadata": None}, {}),
        ({}, {"metadata": {"a": None}}, {}),
        ({}, {"metadata": {}}, {"metadata": {}}),
        ({"metadata": None}, {"metadata": {"a": "1"}}, {"metadata": {"a": "1"}}),
        (
            {"tool_resources": {"file_search": {"vector_store_ids": ["x"]}, "code_interpreter": {"file_ids": ["f"]}}},
            {"tool_resources": {"file_search": {"vector_store_ids": ["y"]}}},
            {"tool_resources": {"file_search": {"vector_store_ids": ["y"]}, "code_interpreter": {"file_ids": ["f"]}}},
        ),
        (
            {"lifecycle": {"protect": True}},
            {"lifecycle": {"ignore_changes": []}},
            {"lifecycle": {"protect": True, "ignore_changes": []}},
        ),
        ({"metadata": {"a": {"var": "n"}}}, {"metadata": {"a": "x"}}, {"metadata": {"a": "x"}}),
        ({"instructions": ["a\n", "b"]}, {}, {"instructions": "a\n\nb"}),
    ],
)
def test_extends(base: dict[str, Any], patch: dict[str, Any], expected: dict[str, Any]) -> None:
    assert body(base, patch) == expected


def test_the_target_comes_after_extends_and_null_there_takes_away() -> None:
    prod = Target("prod", "p")
    base = {"model": "a", "top_p": 1, "targets": {"prod": {"top_p": 0.5, "metadata": {"s": "1"}}}}
    child = {"model": "b", "targets": {"prod": {"model": "c", "metadata": {"t": "2"}}}}
    assert body(base, child) == {"model": "b", "top_p": 1}
    assert body(base, child, target=prod) == {"model": "c", "top_p": 0.5, "metadata": {"s": "1", "t": "2"}}
    assert body(base, {"targets": {"prod": {"top_p": None}}}, target=prod) == {"model": "a", "metadata": {"s": "1"}}
    assert body(base, {"targets": {"prod": None}}, target=prod) == {"model": "a", "top_p": 1}
    assert body({"response_format": {"a": 1}, "targets": {"prod": {"response_format": {"b": 1}}}}, target=prod) == {
        "response_format": {"b": 1}
    }


def test_false_leaves_out() -> None:
    files = {"d/a.yaml": {"model": "m", "targets": {"prod": False}}}
    assert resolved(files, target=Target("prod", "p")).left_out
    assert not resolved(files).left_out


def test_the_model_is_mapped_last() -> None:
    target = Target("local", "p", models={"m": "here"}, vars={"m": "m"})
    assert body({"model": {"var": "m"}}, target=target) == {"model": "here"}


def test_a_targets_var_wins_over_the_projects_and_the_flag_over_both() -> None:
    files = {"d/a.yaml": {"model": "m", "temperature": {"var": "n"}}}
    assert resolved(files).body["temperature"] == 1
    assert resolved(files, target=Target("local", "p", vars={"n": 2})).body["temperature"] == 2
    assert resolved(files, target=Target("local", "p", vars={"n": 2}), n="3").body["temperature"] == "3"


def test_a_file_path_is_seen_from_the_file_it_stands_in() -> None:
    files = {
        "d/a.yaml": {"extends": "../x/_b.yaml"},
        "x/_b.yaml": {"model": "m", "instructions": {"file": "t.md"}},
        "x/t.md": "hello",
    }
    found = resolved(files)
    assert found.body["instructions"] == "hello"
    assert found.parts == ("x/_b.yaml", "x/t.md")


def test_a_path_from_a_variable_is_one_error() -> None:
    found = resolved(
        {"d/a.yaml": {"model": "m", "tools": [{"file": {"var": "n"}}], "instructions": [{"file": {"var": "n"}}]}}
    )
    assert [(item.code, item.path) for item in found.diagnostics] == [
        ("var-not-here", ("tools", 0)),
        ("var-not-here", ("instructions", 0)),
    ]


def test_metadata_may_have_keys_that_look_like_references() -> None:
    assert body({"metadata": {"file": "x"}}) == {"metadata": {"file": "x"}}


def test_empty_parts_leave_no_gap() -> None:
    files = {"d/a.yaml": {"instructions": [{"file": "_e.md"}, "a", "", "b\n"]}, "d/_e.md": ""}
    assert resolved(files).body["instructions"] == "a\n\nb\n"


def test_a_lifecycle_is_told_in_both_forms() -> None:
    found = read_lifecycle(
        {"protect": False, "ignore_changes": ["tools", {"field": "metadata.a", "until": "2027-01-31"}]}
    )
    assert found.protect is False
    assert [(entry.field, entry.reason, entry.until) for entry in found.ignore_changes] == [
        ("tools", "", ""),
        ("metadata.a", "", "2027-01-31"),
    ]


LEAVES = st.none() | st.integers(0, 3) | st.lists(st.integers(0, 2), max_size=2)
INNER = st.dictionaries(
    st.sampled_from("abc"), LEAVES | st.dictionaries(st.sampled_from("xy"), LEAVES, max_size=2), max_size=3
)
MAPPINGS = st.fixed_dictionaries(
    {},
    optional={
        "model": LEAVES,
        "tools": LEAVES,
        "response_format": INNER,
        "metadata": LEAVES | INNER,
        "tool_resources": INNER,
    },
)


def laid(*values: dict[str, Any]) -> Tree:
    """Values laid over each other in order."""
    trees = [Tree(dict(value), {(): Origin(str(index))}) for index, value in enumerate(values)]
    result = trees[0]
    for tree in trees[1:]:
        result = lay_over(result, tree, DEFINITIONS)
    return result


@given(MAPPINGS, MAPPINGS)
def test_laying_over_twice_is_laying_over_once(base: dict[str, Any], patch: dict[str, Any]) -> None:
    assert laid(base, patch, patch).value == laid(base, patch).value


@given(MAPPINGS)
def test_an_empty_patch_changes_nothing(base: dict[str, Any]) -> None:
    assert laid(base, {}).value == base


@given(MAPPINGS, MAPPINGS)
def test_no_input_is_changed(base: dict[str, Any], patch: dict[str, Any]) -> None:
    before = repr((base, patch))
    laid(base, patch)
    assert repr((base, patch)) == before


@given(MAPPINGS, MAPPINGS)
def test_each_field_comes_from_one_side_or_merges(base: dict[str, Any], patch: dict[str, Any]) -> None:
    result = laid(base, patch).value
    for key in base.keys() | patch.keys():
        if key not in patch:
            assert result[key] == base[key]
        elif patch[key] is None:
            assert key not in result
        elif key not in MERGED or not isinstance(patch[key], dict):
            assert result[key] == patch[key]


@given(MAPPINGS, MAPPINGS, MAPPINGS)
def test_every_value_comes_from_where_its_origin_says(
    first: dict[str, Any], second: dict[str, Any], third: dict[str, Any]
) -> None:
    values = (first, second, third)
    tree = laid(*values)
    waiting: list[tuple[Path, Any]] = [((key,), value) for key, value in tree.value.items()]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict) and path[0] in MERGED:
            waiting.extend(((*path, key), entry) for key, entry in value.items())
            continue
        origin = tree.origin(path)
        found: Any = values[int(origin.file)]
        for part in origin.path:
            found = found[part]
        assert found == value


def test_texts_that_no_platform_takes_are_refused_before_they_are_joined() -> None:
    """9 KB that include one text 3,000 times took 4 GB."""
    parts = [{"file": "_part.md"}] * 3_000
    found = resolved({"d/a.yaml": {"instructions": parts}, "d/_part.md": "x" * 1_000_000})
    assert [item.code for item in found.diagnostics] == ["text-too-long"]
    assert "instructions" not in found.body or found.body["instructions"] is None
    assert resolved({"d/a.yaml": {"instructions": parts[:1]}, "d/_part.md": "x" * 1_000_000}).diagnostics == ()


def test_files_that_no_platform_takes_together_are_refused_before_anything_is_made_of_them() -> None:
    """9 KB that include one schema of 1.5 MB a hundred times took minutes and gigabytes."""
    schema = {"type": "object", "properties": {f"p{place}": {"type": "string"} for place in range(15_000)}}
    tools = [{"type": "function", "function": {"name": f"f{n}", "parameters": {"file": "_s.yaml"}}} for n in range(100)]
    found = resolved({"d/a.yaml": {"tools": tools}, "d/_s.yaml": schema})
    assert [item.code for item in found.diagnostics] == ["too-large"]
    assert resolved({"d/a.yaml": {"tools": tools[:2]}, "d/_s.yaml": schema}).diagnostics == ()


def native(files: dict[str, Any], target: Target | None = None) -> Any:
    """Return the body of `d/a.yaml`, a definition of OpenAI's saved agents."""
    setting = Setting(
        target or Target("local", "p"), ["local", "prod"], {}, {}, lambda _: frozenset(), "openai-agents", AGENTS
    )
    found = resolve("d/a.yaml", setting, Held({f"d/{name}.yaml": value for name, value in files.items()}))
    assert found.diagnostics == ()
    return {key: value for key, value in found.body.items() if key != "name"}


def test_only_what_the_protocol_calls_a_map_is_merged_and_null_in_an_object_is_the_vendor_s() -> None:
    base = {
        "reasoning": {"effort": "low", "summary": "auto"},
        "text": {"verbosity": "low"},
        "experimental": {"time_awareness": True},
        "metadata": {"a": "1"},
        "service_tier": "flex",
    }
    patch = {
        "extends": "_base.yaml",
        "reasoning": {"summary": None},
        "experimental": {"other": True},
        "metadata": {"b": "2"},
        "service_tier": None,
        "targets": {"prod": {"text": None, "experimental": {"time_awareness": None}, "reasoning": {"effort": None}}},
    }
    merged = {"experimental": {"time_awareness": True, "other": True}, "metadata": {"a": "1", "b": "2"}}
    assert native({"a": patch, "_base": base}) == {
        "reasoning": {"summary": None},
        "text": {"verbosity": "low"},
        **merged,
    }
    assert native({"a": patch, "_base": base}, Target("prod", "p")) == {
        "reasoning": {"effort": None}, "experimental": {"other": True}, "metadata": {"a": "1", "b": "2"},
    }  # fmt: skip


def test_a_file_stands_for_any_value_but_inside_schemas_and_maps_of_anybody_s_keys() -> None:
    parameters = {"type": "object", "properties": {"x": {"file": "_x.yaml"}}}
    tool = {"type": "function", "name": "f", "description": "d", "parameters": {"file": "_p.yaml"}}
    files = {
        "a": {"text": {"file": "_text.yaml"}, "tools": [tool, {"file": "_list.yaml"}], "metadata": {"file": "x"}},
        "_text": {"format": {"type": "text"}},
        "_p": {"type": "object"},
        "_list": [{"type": "web_search"}, "computer_use"],
    }
    assert native(files) == {
        "text": {"format": {"type": "text"}},
        "tools": [{**tool, "parameters": {"type": "object"}}, {"type": "web_search"}, {"type": "computer_use"}],
        "metadata": {"file": "x"},
    }
    inside = {"a": {"tools": [{**tool, "parameters": parameters}]}}
    with pytest.raises(AssertionError, match="file-not-here"):
        native(inside)
