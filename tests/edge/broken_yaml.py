"""Files that are not YAML, by name; run as a program, it prints what the reader reports of each.

Needs PyYAML alone beside the package's own source, so that any version of PyYAML can be asked:
`PYTHONPATH=src:. python -m tests.edge.broken_yaml`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Final

import yaml

from trueup.edge.yaml import reader

BROKEN: Final[dict[str, str]] = {
    "tab before a key": "model: m\nmetadata:\n\ta: b\n",
    "tab before a key after a word": "metadata:\n  a: b\n\tc: d\n",
    "tab after spaces": "metadata:\n  \ta: b\n",
    "tab before a dash": "tools:\n\t- file_search\n",
    "tab after a dash": "tools:\n  -\ttype: function\n",
    "tab before a text": "instructions: |\n\tHello\n",
    "tab alone in a line": "model: m\n\t\nname: n\n",
    "starts with @": "model: @latest\n",
    "starts with a backtick": "model: `m`\n",
    "starts with %": "description: %d items\n",
    "starts with bold text": "description: **Important**\n",
    "starts with &": "description: & more\n",
    "starts with a comma": "description: , more\n",
    "line that starts with %": "model: m\n%d: x\n",
    "directive": "%YAML 1.2\nmodel: m\n",
    "two colons": "description: Note: be brief\n",
    "colon in a text that goes on": "description: Be brief,\n  and: polite\n",
    "no space after a colon": "model: m\nname:n\n",
    "no space after the first colon": "model:m\nname: n\n",
    "no colon": "model: m\ndescription\nname: n\n",
    "no colon at the end": "model: m\ndescription",
    "text that is not indented": "model: m\ninstructions: |\nHello\nname: n\n",
    "text that is indented less": "instructions: |\n    Hello\n  there\nname: n\n",
    "text on the line of its sign": "instructions: |Hello\n",
    "bracket without an end": "tools: [file_search\n",
    "bracket without an end before a key": "tools: [file_search\nname: n\n",
    "brace without an end": "tools:\n  - {type: function\n  - file_search\n",
    "bracket that a brace closes": "tools: [file_search}\n",
    "bracket that closes nothing": "name: ]\n",
    "comma too many": "tools: [file_search,, code_interpreter]\n",
    "comma too few": 'tools: ["file_search" "code_interpreter"]\n',
    "comma too few in braces": "metadata: {a: b c: d}\n",
    "comma too few between lines": "tools: [\n  {type: file_search}\n  {type: code_interpreter}\n]\n",
    "dash in brackets": "tools: [- file_search]\n",
    "JSON without a comma": '{"model": "m"\n "name": "n"}\n',
    "JSON without a colon": '{"model" "m"}\n',
    "JSON without an end": '{"model": "m", "metadata": {"a": "b"}\n',
    "double quote without an end": 'name: "n\nmodel: m\n',
    "single quote without an end": "model: m\nname: 'n\n",
    "double quote without an end before another": 'name: "n\nmodel: "m"\n',
    "quote before the end that has a backslash": 'name: "C:\\"\nmodel: m\n',
    "apostrophe in single quotes": "name: 'it's'\n",
    "text after a quote": 'name: "a" b\n',
    "text after a quote that holds backslashes": 'name: "C:\\\\dir" b\n',
    "text after a bracket": "name: [a] b\n",
    "placeholder": "name: {{ name }} b\n",
    "path in double quotes": 'name: "C:\\Users"\n',
    "half a character": 'name: "\\ud83d"\n',
    "no character": 'name: "\\U00110000"\n',
    "list on the line of its key": "tools: - file_search\n",
    "list entry among keys": "model: m\n- file_search\n",
    "key among list entries": "tools:\n  - file_search\n  name: n\n",
    "indented more": "model: m\n  name: n\n",
    "indented less": "metadata:\n    a: b\n  c: d\n",
    "list indented less": "tools:\n  - file_search\n - code_interpreter\n",
    "block text in brackets": "tools: [|\n  text\n]\n",
    "two anchors": "name: &a &b n\n",
    "anchor before an alias": "model: &a m\nname: &b *a\n",
    "tag of nobody": "name: !x!y n\n",
    "tag without an end": "name: !<x\n",
    "another document": "model: m\n...\nname: n\n",
    "key of 1,100 characters": "model: m\n" + "a" * 1100 + ": n\n",
    "only dashes": "---",
    "50,000 open brackets": "a: " + "[" * 50_000,
    "50,000 closed brackets": "a: " + "[" * 50_000 + "]" * 50_000,
    "50,000 open brackets in lines": "a: " + "[\n" * 50_000,
    "50,000 open braces": "a: " + "{a: " * 50_000,
    "brackets and pairs": "a:\n b:\n  - - [a: [b: [c: " + "[" * 5_000,
    "50,000 nested lists": "a:\n " + "- " * 50_000,
    "50,000 nested keys": "? " * 50_000,
    "nested mappings": "".join(" " * level + "a:\n" for level in range(1_900)),
    "25,000 quotes in quotes": "a: " + "\"'" * 25_000,
    "50,000 quotes in brackets": "a: " + "['" * 25_000,
}


class LimitedLoader(reader.PureLoader):
    """A parser that refuses deep nesting by itself, as the C parser of PyYAML 6.0.4 does."""

    def fetch_flow_collection_start(self, token: Any) -> None:
        """Refuse the 1,000th open bracket."""
        if self.flow_level >= 999:
            raise yaml.MarkedYAMLError("limit", None, "something else in English", self.get_mark())
        super().fetch_flow_collection_start(token)


PARSERS: Final[dict[str, Any]] = {
    "C": getattr(yaml, "CSafeLoader", None),
    "Python": reader.PureLoader,
    "limited": LimitedLoader,
}


def report(name: str) -> str:
    """Return what is reported of a broken file."""
    found = reader.read_yaml(BROKEN[name].encode(), "a.yaml").diagnostics
    lines = [
        f"  {one.code} {one.position and f'{one.position.line}:{one.position.column}'} {one.message}\n    {one.hint}\n"
        for one in found
    ]
    return "".join([f"{name}\n", *lines])


def report_all(parser: Any) -> Iterator[str]:
    """Return what is reported of all of them when a parser reads."""
    reader._LOADER = parser  # type: ignore[misc] # this program is there to exchange it
    return map(report, BROKEN)


if __name__ == "__main__":
    sys.stdout.writelines(report_all(PARSERS[sys.argv[1]]))
