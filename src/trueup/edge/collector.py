"""The cyclic garbage collector's turn, put off while something large is built. Knows nothing of what is built.

Building thousands of values that are kept makes the collector look at each of them again and again, for nothing: it
doubles what reading a fleet costs. Nor is there anything to find in them later, or when the process ends.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

MANY = 100_000
"""Objects that one block leaves behind, from which on they are left out of every later round."""


@contextmanager
def pause_collector() -> Iterator[None]:
    """Keep the collector from running until the block is left, also when it waits on a network meanwhile."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            if gc.get_count()[0] > MANY:
                gc.freeze()
            gc.enable()
