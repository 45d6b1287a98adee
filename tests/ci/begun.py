"""Worlds that have begun: made once for each kind and state, then copied for each test, and served at the same address.

A copy is of what `World.begin` leaves: the two repositories, what is live, and what the platform remembers.
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import pytest

from tests.ci.platforms import Platform, served
from tests.ci.world import KEY, RUNS, World
from trueup.core.call import Call
from trueup.core.errors import TrueupError
from trueup.local.openai_assistants import Server
from trueup.local.serve import running

W = TypeVar("W", bound=World)
Captured = pytest.CaptureFixture[str]

LISTING = Call("GET", "/assistants", {"limit": "100", "order": "asc"}, None)
TRIES = 3


@dataclass(frozen=True)
class Template:
    """A begun world; its trueup.yaml names the port."""

    folder: Path
    port: int
    platform: Platform
    live: list[tuple[str, str]]


class Templates:
    """The templates of one session, made in a folder when they are first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[tuple[type[World], str], Template] = {}

    @contextmanager
    def copied(self, kind: type[W], platform: Platform, state: str, root: Path, capfd: Captured) -> Iterator[W]:
        """Serve a copy with a new platform while the block runs; `state` is the setting of the target."""
        with ExitStack() as stack:
            vendor = stack.enter_context(Server())
            template, url = self._served(kind, platform, state, capfd, vendor, stack)
            stack.enter_context(served(platform))
            for identifier, text in template.live:
                vendor._database.add(identifier, text)
            for name, value in vars(copy.deepcopy(template.platform)).items():
                if name != "url":
                    setattr(platform, name, value)
            shutil.copytree(template.folder, root, symlinks=True)
            world = kind(root, vendor, url, platform, capfd, state=state)
            world.settle_git()
            yield world

    def _served(
        self, kind: type[World], platform: Platform, state: str, capfd: Captured, vendor: Server, stack: ExitStack
    ) -> tuple[Template, str]:
        """Return the template, and the address of the vendor at its port; another one if somebody took the port."""
        for _ in range(TRIES):
            template = self._made.get((kind, state)) or self._make(kind, platform, state, capfd)
            self._made[kind, state] = template
            try:
                return template, stack.enter_context(running(vendor, port=template.port, key=KEY, faults=True))
            except TrueupError:
                del self._made[kind, state]
        raise AssertionError("The port of a template is taken again and again.")

    def _make(self, kind: type[World], like: Platform, state: str, capfd: Captured) -> Template:
        folder = self._folder / f"{kind.__name__}-{state}-{next(RUNS)}"
        platform = type(like)(me=like.me)
        with Server() as vendor, running(vendor, key=KEY, faults=True) as url, served(platform):
            kind(folder, vendor, url, platform, capfd, state=state).begin()
            live = [
                (entry["id"], vendor._database.get(entry["id"]) or "") for entry in vendor.answer(LISTING).json["data"]
            ]
        return Template(folder, urlsplit(url).port or 0, platform, live)
