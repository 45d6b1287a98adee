"""The event loop that one command's work runs in, from its start to its result. Knows no command."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


def complete(work: Coroutine[Any, Any, Result]) -> Result:
    """What the work comes to; a Ctrl-C is raised in it, as `asyncio.run` does.

    The loop's task is never given the result: Python 3.11 spells a task out, with all that it returned, each time
    the handler of Ctrl-C is put back, and for a plan of thousands that takes seconds.
    """
    found: list[Result] = []

    async def kept() -> None:
        found.append(await work)

    asyncio.run(kept())
    return found[0]
