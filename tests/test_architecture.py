"""Holds the house together: who may import whom, one door for each third party, and limits of size.

Reads the source as syntax trees and imports none of it, so that it also sees lazy imports and those for types alone.
What `import_module` loads by name (a command, a protocol) is data to it: those tables are walked by their own tests.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"
PACKAGE = SOURCE / "trueup"

BELOW: Mapping[str, frozenset[str]] = {
    "core": frozenset(),
    "wire": frozenset({"core"}),
    "edge": frozenset({"wire", "core"}),
    "local": frozenset({"wire", "core"}),
    "render": frozenset({"wire", "core"}),
    "engine": frozenset({"wire", "core"}),
    "cli": frozenset({"engine", "render", "local", "edge", "wire", "core"}),
    "__main__": frozenset({"cli"}),
}
"""Layer to the layers it may import beside itself. The four in the middle do not know each other."""

DOORS: Mapping[str, frozenset[str]] = {
    "yaml": frozenset({"edge/yaml/reader.py"}),
    "httpx": frozenset({"edge/http/client.py"}),
    "jsonschema": frozenset({"core/rules/validate.py"}),
    "deepdiff": frozenset({"core/plans/diff.py"}),
    "rfc8785": frozenset({"core/canonical.py"}),
    "starlette": frozenset({"local/serve.py"}),
    "uvicorn": frozenset({"local/serve.py"}),
}
"""Third party to the files that may import it; click may be imported by all of `cli` and by nothing else."""

Defined = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

PURE = ("core", "wire", "render")
OUTSIDE = frozenset(
    {"asyncio", "fcntl", "http", "io", "logging", "multiprocessing", "os", "random", "secrets", "select", "selectors"}
    | {"shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile", "threading", "time"}
)
"""Standard modules through which a pure layer would reach files, clocks, networks, chance or other threads."""

LINES, FUNCTION_LINES = 800, 60
"""Hard limits; the house aims at 300 and 40."""

FOGGY = frozenset({"utils", "util", "helpers", "helper", "common", "manager", "misc"})

FILES = sorted(PACKAGE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def _layer(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _module(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


MODULES = {_module(path): path for path in FILES}


def _imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every imported module with its line; `from a import b` is `a.b` where that is a module of ours."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
            module = node.module or ""
            for alias in node.names:
                inner = f"{module}.{alias.name}"
                yield (inner if inner in MODULES else module), node.lineno


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _public(tree: ast.Module) -> Iterator[Defined]:
    """Functions and classes that others may use, and the methods of those classes."""
    for node in tree.body:
        if isinstance(node, Defined) and node.name[0] != "_":
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (item for item in node.body if isinstance(item, Defined) and item.name[0] != "_")


def _is_shape(node: Defined) -> bool:
    """Return whether a method only has a foreign library's shape: its body is `...`."""
    last = node.body[-1]
    return isinstance(last, ast.Expr) and isinstance(last.value, ast.Constant) and last.value.value is ...


def _dotted(node: ast.expr) -> str:
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""


def test_there_is_something_to_hold_together() -> None:
    layers = {path.relative_to(PACKAGE).parts[0] for path in FILES if path.parent != PACKAGE}
    assert layers == set(BELOW) - {"__main__"}


def test_imports_only_go_downwards() -> None:
    wrong = []
    for path, tree in TREES.items():
        layer = _layer(path)
        for module, line in _imports(tree):
            parts = module.split(".")
            if parts[0] != "trueup" or len(parts) == 1:
                continue
            if parts[1] != layer and parts[1] not in BELOW.get(layer, frozenset()):
                wrong.append(f"{_name(path)}:{line} imports {module}, which {layer} may not know")
    assert wrong == []


def test_one_function_starts_git_and_one_a_command_for_a_credential() -> None:
    starters = {_name(path) for path, tree in TREES.items() for module, _ in _imports(tree) if module == "subprocess"}
    assert starters == {"edge/definitions/edits.py", "edge/http/credentials.py"}
    calls = [
        f"{_name(path)}: {function.name}"
        for path, tree in TREES.items()
        for function in _functions(tree)
        if any(isinstance(node, ast.Constant) and node.value == "git" for node in ast.walk(function))
    ]
    assert calls == ["edge/definitions/edits.py: run_git"]


PROTOCOLS = sorted(path.parent.name for path in (PACKAGE / "wire").glob("*/__init__.py"))
"""The packages of protocols, which have the same name in `wire` and in `local`."""

REGISTRIES = ("wire/registry.py", "local/registry.py")
"""Where a protocol has its row."""

FOREIGN_FORMATS = "core/migration/"
"""What reads files of other tools, and of what protocols were before."""


def _own_places(protocol: str) -> tuple[str, ...]:
    return f"wire/{protocol}/", f"local/{protocol}/", FOREIGN_FORMATS, *REGISTRIES


def _words(protocol: str) -> frozenset[str]:
    """Return the `WORDS` of a protocol's package."""
    for node in TREES[PACKAGE / "wire" / protocol / "__init__.py"].body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "WORDS":
            assert isinstance(node.value, ast.Call)
            return frozenset(ast.literal_eval(node.value.args[0]))
    return frozenset()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_file_outside_a_protocols_own_knows_its_words(protocol: str) -> None:
    """A translation also knows the portable format, which is the assistants protocol's."""
    words = _words(protocol)
    assert words, f"wire/{protocol}/__init__.py lists no WORDS"
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in sorted(words)))
    wrong = {
        f"{_name(path)} knows {found}"
        for path in FILES
        if not _name(path).startswith(_own_places(protocol))
        and not (path.name == "translation.py" and path.parent.name in PROTOCOLS)
        for found in pattern.findall(path.read_text(encoding="utf-8"))
    }
    assert sorted(wrong) == []


def test_no_file_outside_a_protocols_own_imports_it() -> None:
    wrong = [
        f"{_name(path)}:{line} imports {module}"
        for path, tree in TREES.items()
        for module, line in _imports(tree)
        for protocol in PROTOCOLS
        if module.startswith((f"trueup.wire.{protocol}", f"trueup.local.{protocol}"))
        and not _name(path).startswith(_own_places(protocol))
    ]
    assert wrong == []


def test_no_module_needs_itself() -> None:
    graph = {
        module: {found for found, _ in _imports(TREES[path]) if found in MODULES and found not in (module, "trueup")}
        for module, path in MODULES.items()
    }
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_each_third_party_has_one_door() -> None:
    wrong = []
    for path, tree in TREES.items():
        for module, line in _imports(tree):
            top = module.split(".")[0]
            if top in DOORS and _name(path) not in DOORS[top]:
                wrong.append(f"{_name(path)}:{line} imports {top}; its door is {', '.join(sorted(DOORS[top]))}")
            if top == "click" and _layer(path) != "cli":
                wrong.append(f"{_name(path)}:{line} imports click outside cli")
    assert wrong == []


def test_every_third_party_is_known_and_declared() -> None:
    used = {module.split(".")[0] for tree in TREES.values() for module, _ in _imports(tree)}
    foreign = used - set(sys.stdlib_module_names) - {"trueup"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = " ".join([*project["dependencies"], *project["optional-dependencies"]["serve"]])
    assert foreign == set(DOORS) | {"click"}
    assert [name for name in foreign if f"py{name}" not in declared and name not in declared] == []


@pytest.mark.parametrize("layer", PURE)
def test_pure_layers_reach_for_nothing_outside(layer: str) -> None:
    wrong = []
    for path in (path for path in FILES if _layer(path) == layer):
        tree = TREES[path]
        wrong += [f"{_name(path)}:{line} imports {name}" for name, line in _imports(tree) if name in OUTSIDE]
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == "pathlib":
                wrong += [f"{_name(path)}:{node.lineno} pathlib.{a.name}" for a in node.names if "Pure" not in a.name]
            if isinstance(node, ast.Call) and _dotted(node.func) in ("open", "input", "datetime.now", "date.today"):
                wrong.append(f"{_name(path)}:{node.lineno} calls {_dotted(node.func)}")
    assert wrong == []


def test_the_engine_knows_neither_files_nor_transports() -> None:
    refused = {"httpx", "os", "pathlib", "shutil", "socket", "sqlite3", "ssl", "subprocess", "time"}
    wrong = [
        f"{_name(path)}:{line} imports {module}"
        for path, tree in TREES.items()
        if _layer(path) == "engine"
        for module, line in _imports(tree)
        if module.split(".")[0] in refused
    ]
    assert wrong == []


def test_only_cli_prints_exits_or_starts_a_loop() -> None:
    loud = {"print", "exit", "quit", "sys.exit", "sys.stdout.write", "sys.stderr.write", "os._exit", "asyncio.run"}
    wrong = [
        f"{_name(path)}:{node.lineno} calls {_dotted(node.func)}"
        for path, tree in TREES.items()
        if _layer(path) not in ("cli", "__main__")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _dotted(node.func) in loud
    ]
    assert wrong == []


def test_every_module_says_what_it_is() -> None:
    assert [_name(path) for path, tree in TREES.items() if not ast.get_docstring(tree)] == []


def test_every_public_function_and_class_has_its_sentence() -> None:
    wrong = [
        f"{_name(path)}:{node.lineno} {node.name}"
        for path, tree in TREES.items()
        for node in _public(tree)
        if not ast.get_docstring(node) and not _is_shape(node)
    ]
    assert wrong == []


def test_files_and_functions_stay_small() -> None:
    long_files = [f"{_name(path)}: {n} lines" for path in FILES if (n := len(path.read_text().splitlines())) > LINES]
    long_functions = [
        f"{_name(path)}:{node.lineno} {node.name} has {length} lines"
        for path, tree in TREES.items()
        for node in _functions(tree)
        if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES
    ]
    assert long_files + long_functions == []


def test_nothing_has_a_name_that_says_nothing() -> None:
    names = [path for path in (*FILES, *ROOT.joinpath("tests").rglob("*.py")) if FOGGY & set(path.stem.split("_"))]
    assert names == []


def test_no_failure_is_swallowed() -> None:
    wrong = []
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.ExceptHandler):
                continue
            caught = "BaseException" if node.type is None else _dotted(node.type)
            is_silent = all(isinstance(item, ast.Pass | ast.Continue) for item in node.body)
            ends = any(isinstance(item, ast.Raise) for item in ast.walk(node))
            if caught in ("Exception", "BaseException") and is_silent:
                wrong.append(f"{_name(path)}:{node.lineno} swallows {caught}")
            if caught == "BaseException" and not ends:
                wrong.append(f"{_name(path)}:{node.lineno} catches BaseException and does not raise")
    assert wrong == []


def test_dataclasses_of_pure_layers_have_slots() -> None:
    wrong = []
    for path, tree in TREES.items():
        if _layer(path) not in ("core", "wire"):
            continue
        for node in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
            for decorator in node.decorator_list:
                text = ast.unparse(decorator)
                if text.startswith("dataclass") and "slots=True" not in text:
                    wrong.append(f"{_name(path)}:{node.lineno} {node.name}")
    assert wrong == []


def test_every_path_that_the_page_names_is_there() -> None:
    """`core/texts/prose.py`, `edge.files`, `tests/golden/plan/`: from the root of the repository or of the package."""
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    named = re.findall(r"`([a-z_.]+(?:/[a-z_.-]+)+/?)`", page) + re.findall(r"\]\(([^)#:]+)\)", page)
    layers = "|".join(BELOW)
    named += [name.replace(".", "/") for name in re.findall(rf"(?<![\w.])(?:{layers})(?:\.[a-z_]+)+(?![\w(])", page)]
    assert len(named) > 60
    assert [name for name in named if not _is_there(name)] == []


def test_the_page_opens_a_door_into_each_part_of_core() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    parts = sorted(path.name for path in (PACKAGE / "core").iterdir() if (path / "__init__.py").exists())
    assert sorted(re.findall(r"^\| `core/(\w+)` \|", page, re.MULTILINE)) == parts


def _is_there(name: str) -> bool:
    found = [base / f"{name}{suffix}" for base in (ROOT, PACKAGE, ROOT / "docs") for suffix in ("", ".py")]
    return any(path.exists() for path in found)
