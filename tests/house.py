"""Print figures about the structure of the source: `python -m tests.house [FOLDER]`, by default `src`.

Nothing here passes or fails. What is enforced (no cycle, function and file length, one place for each protocol) is in
`tests/test_architecture.py`.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tempfile
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SMALL = 90
"""Lines below which a module with a single importer probably belongs to that importer."""
WIDE = 20
"""Entries above which a folder is hard to take in."""
PARTICIPLES = frozenset(
    {
        "begun",
        "bound",
        "broken",
        "built",
        "chosen",
        "done",
        "drawn",
        "fed",
        "felt",
        "found",
        "given",
        "gone",
        "had",
        "held",
        "hidden",
        "kept",
        "known",
        "laid",
        "left",
        "lent",
        "lost",
        "made",
        "meant",
        "met",
        "paid",
        "said",
        "seen",
        "sent",
        "shown",
        "spent",
        "spoken",
        "taken",
        "taught",
        "thought",
        "told",
        "torn",
        "undone",
        "written",
    }
)
"""Past participles that do not end in "ed"; those that are imperatives too (set, put, read) are left out."""
_STARTS = {"plan": ["plan"], "validate": ["validate"], "--version": ["--version"]}


def main(folder: Path) -> None:
    """Print one line for each figure."""
    modules = {_module_name(path, folder): path for path in sorted(folder.rglob("*.py"))}
    trees = {name: ast.parse(path.read_text("utf-8")) for name, path in modules.items()}
    importers = _importers(trees)
    functions = [
        node.name
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    classes = Counter(node.name for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    lonely = [name for name, path in modules.items() if len(importers[name]) == 1 and _lines(path) < SMALL]
    wide = {str(each.relative_to(folder)): count for each in _folders(folder) if (count := _entries(each)) > WIDE}
    named = [name for name in functions if not name.startswith("__")]
    participles = [name for name in named if _is_participle(name)]
    doubles = sorted(name for name, count in classes.items() if count > 1)
    print(f"source files                                   {len(modules)}")
    print(f"lines                                          {sum(map(_lines, modules.values()))}")
    print(f"lines of code (no blank, comment, docstring)   {sum(map(_code_lines, modules.values()))}")
    print(f"modules under {SMALL} lines with a single importer   {len(lonely)}")
    print(f"folders with more than {WIDE} entries              {len(wide)}  {wide or ''}")
    print(f"functions                                      {len(named)}")
    print(f"functions named by a past participle           {len(participles)} ({len(participles) / len(named):.1%})")
    print(f"class names defined twice                      {len(doubles)}  {' '.join(doubles)}")
    for command, arguments in _STARTS.items():
        print(f"modules of ours that `{command}` imports{' ' * (20 - len(command))}{_imported(arguments)}")
    print(f"frames of ours from `plan` to its first read   {_frames()}")
    if lonely:
        print("\nmodules with a single importer:")
        for name in lonely:
            print(f"  {_lines(modules[name]):>3}  {name}  <-  {next(iter(importers[name]))}")


def _module_name(path: Path, folder: Path) -> str:
    parts = path.relative_to(folder).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _importers(trees: dict[str, ast.Module]) -> dict[str, set[str]]:
    """Return for each module the modules that import it."""
    found: dict[str, set[str]] = {name: set() for name in trees}
    for name, tree in trees.items():
        for imported in _imports(tree):
            if imported in found and imported != name:
                found[imported].add(name)
    return found


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def _code_lines(path: Path) -> int:
    """Return the number of lines that hold anything but blanks, comments and docstrings."""
    text = path.read_text("utf-8")
    ignored = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    counted: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in ignored:
            counted.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            counted.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(counted)


def _folders(folder: Path) -> list[Path]:
    return [folder, *sorted(each for each in folder.rglob("*") if each.is_dir() and each.name != "__pycache__")]


def _entries(folder: Path) -> int:
    return sum(each.name not in {"__pycache__", "__init__.py"} for each in folder.iterdir())


def _is_participle(name: str) -> bool:
    word = re.split("_", name.lstrip("_"))[0]
    return word in PARTICIPLES or (
        len(word) > 4 and word.endswith("ed") and word not in {"need", "feed", "embed", "exceed"}
    )


def _imported(arguments: list[str]) -> int:
    code = (
        "import sys\nfrom trueup.cli.entry import run\nsys.argv = ['trueup', *sys.argv[1:]]\n"
        "try:\n    run()\nexcept SystemExit:\n    pass\n"
        "print(sum(name.split('.')[0] == 'trueup' for name in sys.modules), file=sys.stderr)\n"
    )
    return int(_run(code, *arguments))


def _frames() -> str:
    """Return how deep the stack of ours is when `plan` sends its first request to the embedded server."""
    code = (
        "import sys, traceback\nfrom trueup.cli.entry import run\nfrom trueup.local import server\n"
        "sys.argv = ['trueup', *sys.argv[1:]]\n"
        "def stop(self, call, *more, **others):\n"
        "    names = [f.filename for f in traceback.extract_stack()[:-1] if '/trueup/' in f.filename]\n"
        "    print(len(names), file=sys.stderr)\n    sys.stderr.flush()\n    import os\n    os._exit(0)\n"
        "server.EmbeddedServer.answer = stop\nrun()\n"
    )
    return _run(code, "plan")


def _run(code: str, *arguments: str) -> str:
    """Run Python code in a copy of the example and return the last line of its standard error."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["cp", "-r", str(ROOT / "assistants"), str(ROOT / "trueup.yaml"), folder], check=True)
        ran = subprocess.run(
            [sys.executable, "-c", code, *arguments], cwd=folder, capture_output=True, text=True, check=False
        )
    return (ran.stderr.strip().splitlines() or ["?"])[-1]


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT / "src")
