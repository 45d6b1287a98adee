"""What in a text is obeyed or hidden where it is only shown: commands to a runner of CI, signs that fool a terminal.

Says what they are and where they stand. How each format breaks them is its own business.
"""

from __future__ import annotations

import re
from typing import Final

COMMAND: Final = re.compile(r"##(?=[\w.-]*\[)")
"""The beginning of what a runner takes for a command anywhere in a line of a log, of stdout and stderr alike.

`##[` is obeyed by GitHub Actions and Azure Pipelines, `##vso[` by Azure Pipelines, `##teamcity[` by TeamCity; whatever
word stands between is taken for one. Two colons, which GitHub obeys where a line begins with them, depend on the line
and not on the text alone.
"""

SIGNS: Final = (
    "\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
)
"""For a class of a regular expression: what a terminal obeys, what turns the direction of writing, and what shows
nothing at all and still is read by a model. Joiners (U+200C, U+200D) are none: scripts and emoji are written with them.
"""

UNSEEN: Final = re.compile(f"[\x00-\x08\x0b-\x1f{SIGNS}]")
"""One of these signs, or a control character that is no tab and no line break."""


def names_of(text: str, most: int = 3) -> str:
    """The unseen signs of a text by their numbers, in the order they come: `U+202E, U+2066 and 2 more`."""
    found = list(dict.fromkeys(f"U+{ord(sign):04X}" for sign in UNSEEN.findall(text)))
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more
