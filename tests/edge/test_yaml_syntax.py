"""What is wrong with a broken file is reported in our words, at the same place, whichever parser reads it.

`tests/golden/syntax.txt` is rewritten with TRUEUP_REGOLD=1. `TRUEUP_PYYAML="6.0.1 6.0.3"` asks these versions too, each
in an environment of its own.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
import venv
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.edge.broken_yaml import BROKEN, PARSERS, report
from trueup.edge.yaml import reader
from trueup.edge.yaml.reader import read_yaml

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "syntax.txt"
HERE = [name for name, parser in PARSERS.items() if parser is not None]
ENGLISH = re.compile("the parser|cannot start any token|did not find|expected|in this context|block mapping|scanning")
"""Words of parsers, which a user never sees."""


@pytest.fixture(params=HERE)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each parser in turn, in the reader's hands."""
    monkeypatch.setattr(reader, "_LOADER", PARSERS[request.param])
    return str(request.param)


def expected() -> dict[str, str]:
    """Return what the golden file holds of each broken file."""
    texts = re.split(r"^(?=\S)", GOLDEN.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {text.splitlines()[0]: text for text in texts if text}


def test_golden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_LOADER", PARSERS[HERE[0]])
    text = "".join(map(report, BROKEN))
    if os.environ.get("TRUEUP_REGOLD") == "1":
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", BROKEN)
def test_every_parser_leads_to_the_same_report(parser: str, name: str) -> None:
    started = time.process_time()
    assert report(name) == expected()[name], parser
    assert time.process_time() - started < 10
    assert read_yaml(BROKEN[name].encode(), "a.yaml", locate=True).value is None


def test_no_word_of_a_parser_is_reported() -> None:
    assert ENGLISH.findall(GOLDEN.read_text(encoding="utf-8")) == []
    assert "this cannot be read as YAML" not in GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a:\tb\n", "b"),
        ("a: b\t\n", "b"),
        ("a: b\t# c\n", "b"),
        ("a: b\tc\n", "b\tc"),
        ("a: b\n \tc\n", "b c"),
        ("a: {\n\tb: [c,\td]}\n", {"b": ["c", "d"]}),
        ('{\n\t"a": {\n\t\t"b": 1\n\t}\n}\n', {"b": 1}),
        ("a: |\n  b\tc\n", "b\tc\n"),
        ('a: "\\ud83d\\ude00"\n', "\U0001f600"),
        ('a: "\\U0001F600\\x41\\/"\n', "\U0001f600A/"),
        ("a: 'it''s'\n", "it's"),
    ],
)
def test_every_parser_reads_what_yaml_allows(parser: str, text: str, value: Any) -> None:
    document = read_yaml(text.encode(), "a.json" if "ud83d" in text else "a.yaml")
    assert document.value == {"a": value}, (parser, document.diagnostics)


@given(st.sampled_from(sorted(BROKEN)), st.data())
def test_no_broken_file_raises_and_every_place_is_in_it(name: str, data: st.DataObject) -> None:
    """A piece of one broken file in another: whatever the parser, what is refused has its place in the file."""
    text, other = BROKEN[name][:200], BROKEN[data.draw(st.sampled_from(sorted(BROKEN)))][:200]
    start, end = (data.draw(st.integers(0, len(text))) for _ in range(2))
    text = text[:start] + other + text[end:]
    lines = text.split("\n")
    kept = reader._LOADER
    try:
        for parser in HERE:
            reader._LOADER = PARSERS[parser]  # type: ignore[misc] # put back below
            document = read_yaml(text.encode(), "a.yaml", locate=True)
            assert (document.value is None) == bool(document.diagnostics), parser
            for one in document.diagnostics:
                assert one.position is not None
                assert one.position.line <= len(lines)
                assert one.position.column <= len(lines[one.position.line - 1]) + 1
                assert ENGLISH.findall(one.message + one.hint) == []
    finally:
        reader._LOADER = kept  # type: ignore[misc]


@pytest.mark.parametrize("version", os.environ.get("TRUEUP_PYYAML", "").split() or ["none"])
def test_every_version_leads_to_the_same_report(version: str, tmp_path: Path) -> None:
    if version == "none":
        pytest.skip("TRUEUP_PYYAML names no versions of PyYAML to install")
    venv.create(tmp_path, with_pip=True)
    python = tmp_path / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", f"pyyaml=={version}"], check=True, capture_output=True)
    for name in ("C", "Python"):
        ran = subprocess.run(
            [python, "-W", "error", "-m", "tests.edge.broken_yaml", name],
            check=True,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
        )
        assert ran.stdout == GOLDEN.read_text(encoding="utf-8"), (version, name)
