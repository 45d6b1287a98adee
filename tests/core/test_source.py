"""The nearest known place to what a server means."""

from __future__ import annotations

import pytest

from trueup.core.source import Path, Position, SourceMap

PLACES: dict[Path, Position] = {
    path: Position("a.yaml", line, 1)
    for line, path in enumerate(
        [
            (),
            ("tools",),
            ("tools", 0),
            ("tools", 0, "function"),
            ("tools", 0, "function", "name"),
            ("metadata",),
            ("metadata", "a.b"),
            ("metadata", "7"),
        ],
        1,
    )
}


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("seed",), 1),
        (("tools", 0, "function", "name"), 5),
        (("tools", "0", "function", "name"), 5),
        (("tools", 0, "ToolFunction", "function", "name"), 5),
        (("tools", 0, "function", "strict"), 4),
        (("tools", 0, "x", "y", "function"), 3),
        (("tools", 9, "function"), 2),
        (("metadata", "a", "b"), 7),
        (("metadata", 7), 8),
        (("metadata", "a", "c"), 6),
        (("tools", "٣"), 2),
    ],
)
def test_as_far_as_a_path_leads(path: Path, line: int) -> None:
    assert SourceMap(PLACES).nearest(path) == Position("a.yaml", line, 1)


def test_where_nothing_is_known_there_is_no_place() -> None:
    assert SourceMap().nearest(("tools", 0)) is None
