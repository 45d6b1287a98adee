"""A patch that would not look as it is, or that a runner of CI would obey, is not printed where it is read off.

Bytes for `git apply` cannot be escaped. Whether anybody looks on is `output`'s to tell, as far as can be told.
"""

from __future__ import annotations

from trueup.cli.output import Screen
from trueup.core.acceptance.accepted import Accepted
from trueup.core.command import Command, Message
from trueup.core.errors import TrueupError
from trueup.core.texts.escapes import names_of
from trueup.render.style import defused_lines


def refuse_unseen(screen: Screen, accepted: Accepted, again: Command) -> None:
    """Raises TrueupError before a patch is printed to a terminal or a log that must not have it as it is.

    `again` is the same command for JSON.
    """
    for item in accepted.patches:
        text = item.patch.decode("utf-8", "replace").replace("\r\n", "\n")
        signs = names_of(text) if screen.is_seen else ""
        if signs or (screen.is_logged and defused_lines(text) != text):
            what = f"{signs}, which a terminal obeys or hides" if signs else "what a runner of CI takes for a command"
            raise TrueupError(
                f"The patch was not printed: in {item.file} it holds {what}, and a patch has no escape for it.",
                Message(
                    "Send the output to a file. To see it with escapes: ",
                    again,
                    ". A text in quotes in YAML holds such signs as escapes, a Markdown body cannot.",
                ),
            )
