"""Hold what the Dockerfile promises, without an engine; `.ci/image` builds the image and uses it where one answers."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
IGNORE = (ROOT / ".dockerignore").read_text(encoding="utf-8")
TOOLS = re.compile(r"\b(apt-get|apk|gcc|make|git|curl|wget|build-essential)\b")


def _instructions(text: str) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile: word and arguments, continued lines joined."""
    joined = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
    rows = [line.split(None, 1) for line in joined.splitlines() if line.strip()]
    return [(word.upper(), " ".join(rest[0].split()) if rest else "") for word, *rest in rows]


def _last_stage(instructions: list[tuple[str, str]]) -> list[tuple[str, str]]:
    start = max(number for number, (word, _) in enumerate(instructions) if word == "FROM")
    return instructions[start:]


def _find_loose_bases(instructions: list[tuple[str, str]]) -> list[str]:
    stages: set[str] = set()
    loose = []
    for _, rest in (item for item in instructions if item[0] == "FROM"):
        image, _, name = rest.partition(" AS ")
        if image not in stages and not re.fullmatch(r"[\w./-]+:\d+\.\d+[\w.-]*", image):
            loose.append(f"the base {image} has no tag that names a version")
        stages.add(name)
    return loose


def find_faults(text: str) -> list[str]:
    """Return what a Dockerfile does against the promises that docs/installing.md makes."""
    instructions = _instructions(text)
    last = _last_stage(instructions)
    faults = _find_loose_bases(instructions)
    faults += [f"ADD {rest} may fetch from anywhere; use COPY" for word, rest in instructions if word == "ADD"]
    faults += [f"the last stage installs: {rest}" for word, rest in last if word == "RUN" and TOOLS.search(rest)]
    faults += [
        f"installed without the lock: {rest}" for word, rest in instructions if word == "RUN" and _is_loose(rest)
    ]
    if not any(word == "RUN" and "pip uninstall" in rest for word, rest in last):
        faults.append("the last stage keeps pip")
    users = [rest for word, rest in last if word == "USER"]
    if not users or not re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1]):
        faults.append("the command does not run as a numeric user other than root")
    if ("ENTRYPOINT", '["trueup"]') not in last:
        faults.append("the entry point is not the command")
    if ("WORKDIR", "/work") not in last:
        faults.append("the folder to work in is not /work")
    return faults


def _is_loose(command: str) -> bool:
    return " install " in command and "pip " in command and not re.search(r"--require-hashes|--no-deps|pip un", command)


def test_the_image_keeps_its_promises() -> None:
    assert find_faults(DOCKERFILE) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("FROM python:3.13-slim-bookworm\n", "FROM python\n", "the base python has no tag"),
        ("FROM python:3.13-slim-bookworm\n", "FROM python:latest\n", "the base python:latest has no tag"),
        ("COPY schemas schemas", "ADD https://example.com/x.tar.gz schemas", "ADD https://"),
        ("COPY --from=build", "RUN apt-get install -y gcc\nCOPY --from=build", "the last stage installs"),
        ("--require-hashes", "", "installed without the lock"),
        ("RUN pip uninstall --yes", "RUN echo", "the last stage keeps pip"),
        ("USER 65532:65532\n", "", "the command does not run as"),
        ("USER 65532:65532", "USER 0:0", "the command does not run as"),
        ("USER 65532:65532", "USER root", "the command does not run as"),
        ('ENTRYPOINT ["trueup"]', "ENTRYPOINT trueup", "the entry point"),
        ("WORKDIR /work", "WORKDIR /", "the folder to work in"),
    ],
)
def test_a_broken_promise_is_found(old: str, new: str, fault: str) -> None:
    assert old in DOCKERFILE
    faults = find_faults(DOCKERFILE.replace(old, new))
    assert [found for found in faults if found.startswith(fault)] != []


def _is_sent(path: str) -> bool:
    """Say whether a build gets to see a path: the last pattern of .dockerignore that matches decides."""
    sent = True
    for line in IGNORE.splitlines():
        pattern = line.removeprefix("!")
        if not pattern or pattern.startswith("#"):
            continue
        parts = path.split("/")
        above = ["/".join(parts[: number + 1]) for number in range(len(parts))]
        anywhere = pattern.startswith("**/")
        names = parts if anywhere else above
        if any(fnmatch(name, pattern.removeprefix("**/")) for name in names):
            sent = line.startswith("!")
    return sent


def test_a_build_sees_what_it_copies_and_nothing_else() -> None:
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("this is no checkout of git, so nothing tells what belongs into the image")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    tracked = set(listed.stdout.splitlines())
    copied = [word for name, rest in _instructions(DOCKERFILE) if name == "COPY" for word in rest.split()[:-1]]
    sources = {word for word in copied if not word.startswith("--") and not word.startswith("/opt")}
    assert {"src", "schemas", "ci/requirements.txt"} <= sources
    wanted = {path for path in tracked if any(path == name or path.startswith(f"{name}/") for name in sources)}
    assert {path for path in tracked if _is_sent(path)} == wanted


@pytest.mark.parametrize(
    "path",
    [
        *(".env", ".git/config", ".trueup/prod.state.json", "src/.env", "src/trueup/.env", "src/trueup/core/.x"),
        *("src/stray.py", "build/x.py", "ci/secrets.txt", "assistants/a.yaml", "src/trueup/__pycache__/a.pyc"),
    ],
)
def test_no_build_sees_a_secret_or_a_leftover(path: str) -> None:
    assert not _is_sent(path)


def test_the_linter_finds_nothing() -> None:
    linter = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if linter is None:
        pytest.skip("hadolint is not installed; the extra `dev` brings it")
    ran = subprocess.run([linter, str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
