"""The reader against YAML 1.2, against hostile input, and against the parser it replaces."""

from __future__ import annotations

import json
import math
import re
import time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.definitions.document import SIZE_LIMIT, Document, read_scalar
from trueup.edge.yaml.reader import HAS_C, read_yaml

FILE = "a.yaml"


def codes(document: Document) -> list[tuple[str, str]]:
    """Code and place of each diagnostic."""
    return [(item.code, str(item.position)) for item in document.diagnostics]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("Null", None),
        ("12", 12),
        ("012", 12),
        ("0o14", 12),
        ("0x1F", 31),
        ("-7", -7),
        ("+7", 7),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("1e3", 1000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-1.5e-3", -0.0015),
        ("1e", "1e"),
        (".", "."),
        ("0b1", "0b1"),
        ("2026-01-31", "2026-01-31"),
        ("2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z"),
        ("1.2.3", "1.2.3"),
        ("=", "="),
        ("-.5", -0.5),
        ("0o8", "0o8"),
        ("+0x1", "+0x1"),
        ("\u0661", "\u0661"),
        ("<<", "<<"),
    ],
)
def test_plain_scalars_mean_what_yaml_1_2_says(text: str, value: Any) -> None:
    found = read_yaml(f"a: {text}\n".encode(), FILE).value["a"]
    assert found == value
    assert type(found) is type(value)


def test_quoted_and_block_scalars_are_text() -> None:
    text = "a: '1'\nb: \"true\"\nc: |\n  12\n\n  x\nd: >-\n  one\n  two\n"
    assert read_yaml(text.encode(), FILE).value == {"a": "1", "b": "true", "c": "12\n\nx\n", "d": "one two"}


def test_aliases_and_merges_work_and_share_nothing() -> None:
    text = "x: &x {a: 1, b: [2]}\ny: &y {b: 3, c: 4}\nz: {<<: [*x, *y], d: 5}\nw:\n  c: 6\n  <<: *y\nv: *x\n"
    value = read_yaml(text.encode(), FILE).value
    assert value["z"] == {"a": 1, "b": [2], "c": 4, "d": 5}
    assert value["w"] == {"b": 3, "c": 6}
    value["v"]["b"].append(9)
    value["z"]["b"].append(8)
    assert value["x"] == {"a": 1, "b": [2]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", [("empty-file", "a.yaml:1:1")]),
        (b"# only a comment\n", [("empty-file", "a.yaml:1:1")]),
        (b"- a\n", [("not-a-mapping", "a.yaml:1:1")]),
        (b"text\n", [("not-a-mapping", "a.yaml:1:1")]),
        (b"a: 1\nb: 2\na: 3\nb: 4\n", [("duplicate-key", "a.yaml:3:1"), ("duplicate-key", "a.yaml:4:1")]),
        (b"1: a\ntrue: b\n~: c\n", [("key-not-text", f"a.yaml:{line}:1") for line in (1, 2, 3)]),
        (b"? [a]\n: b\n", [("complex-key", "a.yaml:1:3")]),
        (b"a: !!python/object:os.system x\n", [("tag", "a.yaml:1:4")]),
        (b"a: !!str 5\nb: !x [1]\nc: ! y\n", [("tag", "a.yaml:1:4"), ("tag", "a.yaml:2:4"), ("tag", "a.yaml:3:4")]),
        (b"a: &a [*a]\n", [("recursive-alias", "a.yaml:1:8")]),
        (b"a: &a {b: {c: *a}}\n", [("recursive-alias", "a.yaml:1:15")]),
        (b"a: *nowhere\n", [("unknown-alias", "a.yaml:1:4")]),
        (b"a: 1\n---\nb: 2\n", [("several-documents", "a.yaml:2:1")]),
        (b"a: {<<: 5}\n", [("merge-needs-mapping", "a.yaml:1:5")]),
        (b"a: .nan\nb: -.inf\nc: 1e400\n", [("not-a-number", f"a.yaml:{line}:4") for line in (1, 2, 3)]),
        (b"a: " + b"9" * 5000, [("not-a-number", "a.yaml:1:4")]),
        (b"a: x\x00y\n", [("control-character", "a.yaml:1:5")]),
        (b"a: \x1b[31m\n", [("control-character", "a.yaml:1:4")]),
        (b"a: b\xff\n", [("not-utf-8", "a.yaml:1:5")]),
        (b"\xff\xfea\x00:\x00", [("not-utf-8", "a.yaml:1:1")]),
        (b"a: \xed\xa0\x80\n", [("not-utf-8", "a.yaml:1:4")]),
        (b'a: "\\ud800"\n', [("yaml-syntax", "a.yaml:1:5")]),
        (b"a: b: c\n", [("yaml-syntax", "a.yaml:1:5")]),
        (b"a: [1, 2\n", [("yaml-syntax", "a.yaml:1:4")]),
        (b"a: 'x\n", [("yaml-syntax", "a.yaml:1:4")]),
        (b"a:\n\tb: 1\n", [("yaml-syntax", "a.yaml:2:1")]),
        (b"a: 1\na: 2\nb: [\n", [("duplicate-key", "a.yaml:2:1"), ("yaml-syntax", "a.yaml:3:4")]),
    ],
)
def test_what_is_refused_says_where(text: bytes, expected: list[tuple[str, str]]) -> None:
    document = read_yaml(text, FILE)
    assert codes(document) == expected
    assert document.value is None
    for item in document.diagnostics:
        assert not item.message.endswith(".")
        assert item.hint


def test_a_diagnostic_shows_its_line() -> None:
    [item] = read_yaml(b"model: x\nname: {a: 1, a: 2}\n", FILE).diagnostics
    assert item.position is not None
    assert item.position.text == "name: {a: 1, a: 2}"
    assert item.path == ("name", "a")


HOSTILE: dict[str, tuple[bytes, str]] = {
    "alias bomb": (
        b"a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        + b"".join(
            f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 10)}]\n".encode() for n in range(9)
        ),
        "too-many-nodes",
    ),
    "merge bomb": (
        b"a: &a {" + b",".join(f"k{n}: 1".encode() for n in range(1000)) + b"}\nb:\n" + b"  - <<: *a\n" * 200,
        "too-many-nodes",
    ),
    "alias depth": (
        b"a0: &a0 [x]\n" + b"".join(f"a{n}: &a{n} [*a{n - 1}]\n".encode() for n in range(1, 200)),
        "too-deep",
    ),
    "50,000 open brackets": (b"a: " + b"[" * 50_000, "too-deep"),
    "50,000 open braces": (b"a: " + b"{a: " * 50_000, "too-deep"),
    "deep blocks": (b"".join(b" " * n + b"a:\n" for n in range(300)), "too-deep"),
    "wide": (b"a: [" + b"1," * 150_000 + b"]", "too-many-nodes"),
    "10 MB of text": (b"a: " + b"x" * 10_000_000, "too-large"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_input_is_refused_soon(case: str) -> None:
    text, code = HOSTILE[case]
    started = time.process_time()
    assert [item.code for item in read_yaml(text, FILE, locate=True).diagnostics] == [code]
    assert time.process_time() - started < 5


def test_the_size_limit_is_inclusive() -> None:
    assert read_yaml(b"a: " + b"x" * (SIZE_LIMIT - 3), FILE).value is not None
    assert codes(read_yaml(b"a: " + b"x" * (SIZE_LIMIT - 2), FILE)) == [("too-large", "a.yaml:1:1")]


def test_line_breaks_are_those_of_yaml_1_2() -> None:
    value = read_yaml(
        "a: |\r\n  one\u2028two\r\n  three\x85four\u2029\r\nb: 'p\u2028q'\r\n".encode(), FILE, locate=True
    )
    assert value.value == {"a": "one\u2028two\nthree\x85four\u2029\n", "b": "p\u2028q"}
    assert str(value.source.value(("b",))) == "a.yaml:4:4"


def test_a_byte_order_mark_at_the_start_is_dropped() -> None:
    assert read_yaml(b"\xef\xbb\xbfa: 1\n", FILE).value == {"a": 1}


def test_json_escapes_for_one_character_are_joined_in_json() -> None:
    value = {"a": "\U0001f600 \\ud83d / \u00e9", "b": [1, 2.5, None, True]}
    assert read_yaml(json.dumps(value, indent="\t").encode(), "a.json").value == value


def test_positions_lead_to_keys_and_values() -> None:
    source = read_yaml("a:\n  - b: é 1\n    c: [x, y]\nd: &d {e: 2}\nf: *d\n".encode(), FILE, locate=True).source
    assert str(source.value(("a", 0, "c", 1))) == "a.yaml:3:12"
    assert str(source.key(("a", 0, "c"))) == "a.yaml:3:5"
    assert str(source.value(("f", "e"))) == "a.yaml:4:11"
    assert str(source.key(("f",))) == "a.yaml:5:1"
    assert str(source.value(("a", 0, "b", "beyond"))) == "a.yaml:2:8"


def is_in_both_versions(text: str) -> bool:
    """Whether YAML 1.1, which the reference speaks, takes an unquoted word for text only if 1.2 does: not `1e3`."""
    resolver: Any = yaml.resolver.Resolver()
    by_1_1 = resolver.resolve(yaml.ScalarNode, text, (True, False))
    return by_1_1 != "tag:yaml.org,2002:str" or not re.match(r"[-+.]?\d", text) or isinstance(read_scalar(text), str)


KEYS = st.text(max_size=8).filter(is_in_both_versions)
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20).filter(is_in_both_versions),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(KEYS, PLAIN, max_size=5))
def test_agrees_with_the_parser_it_replaces(value: dict[str, Any]) -> None:
    dumper = yaml.CSafeDumper if HAS_C else yaml.SafeDumper
    text = yaml.dump(value, Dumper=dumper, allow_unicode=True, sort_keys=False).encode("utf-8", "surrogatepass")
    document = read_yaml(text, FILE, locate=True)
    plain = read_yaml(text, FILE)
    assert plain.value == document.value
    assert plain.diagnostics == document.diagnostics
    if document.value is None:
        assert document.diagnostics
        return
    loader = yaml.CSafeLoader if HAS_C else yaml.SafeLoader
    assert same(document.value, yaml.load(text, Loader=loader))  # the reference is a safe loader
    assert same(document.value, value)


@given(st.dictionaries(KEYS, PLAIN, max_size=5))
def test_json_is_read_as_json(value: dict[str, Any]) -> None:
    document = read_yaml(json.dumps(value).encode(), "a.json")
    assert document.diagnostics or same(document.value, value)


@given(st.dictionaries(KEYS, PLAIN, max_size=4))
def test_every_value_has_a_position(value: dict[str, Any]) -> None:
    text = json.dumps(value, indent=1, ensure_ascii=True).encode()
    document = read_yaml(text, "a.json", locate=True)
    if document.value is None:
        return
    lines = text.decode().split("\n")
    for path, position in document.source.values.items():
        found: Any = document.value
        for part in path:
            found = found[part]
        start = lines[position.line - 1][position.column - 1 :]
        assert start.startswith(("{", "[") if isinstance(found, (dict, list)) else json.dumps(found)[:2])


@given(st.binary(max_size=60) | st.text(alphabet="ab:&*!<>[]{},|-?#'\"% \n\t\\~1.", max_size=60).map(str.encode))
def test_no_input_raises(data: bytes) -> None:
    document = read_yaml(data, FILE, locate=True)
    assert (document.value is None) == bool(document.diagnostics)
    assert document.value == read_yaml(data, FILE).value


def same(left: Any, right: Any) -> bool:
    """Equal with equal types: True is not 1, 1 is not 1.0."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=1e-15) or left == right
    return type(left) is type(right) and bool(left == right)


def test_speed_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    tool = "- {type: function, function: {name: f, parameters: {type: object, properties: {a: {type: string}}}}}\n"
    text = (
        "model: gpt\ninstructions: |\n" + "  some words in a line of a prompt\n" * 200 + "tools:\n" + tool * 6
    ).encode()
    timings = []
    for once in (
        lambda: yaml.load(text, Loader=yaml.CSafeLoader if HAS_C else yaml.SafeLoader),
        lambda: read_yaml(text, FILE),
    ):
        started = time.process_time()
        for _ in range(20):
            assert once()
        timings.append((time.process_time() - started) / 20 * 1000)
    with capsys.disabled():
        print(f"\nreader {timings[1]:.2f} ms, PyYAML's loader {timings[0]:.2f} ms a file")
