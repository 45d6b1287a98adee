"""The exceptions of Trueup. Each says what happened and what to do next; none knows how it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from trueup.core.source import Diagnostic


class Exit(IntEnum):
    """Exit codes; if several hold, the one earliest in `PRECEDENCE` is given."""

    OK = 0
    ERROR = 1
    DIFFERS = 2
    HELD = 3
    REFUSED = 4
    PARTIAL = 5
    UNREADABLE = 6
    INTERRUPTED = 130


PRECEDENCE = (
    Exit.INTERRUPTED, Exit.ERROR, Exit.UNREADABLE, Exit.PARTIAL, Exit.REFUSED, Exit.HELD, Exit.DIFFERS, Exit.OK,
)  # fmt: skip


def worst(codes: Sequence[Exit]) -> Exit:
    """Return the highest-precedence exit code."""
    return next((code for code in PRECEDENCE if code in codes), Exit.OK)


class TrueupError(Exception):
    """A problem that ends the command; `hint` says how to go on."""

    exit = Exit.ERROR

    def __init__(self, message: str, hint: str = "", diagnostics: Sequence[Diagnostic] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.diagnostics = tuple(diagnostics)


class DefinitionError(TrueupError):
    """One or more definitions or the project file are wrong; `diagnostics` holds every problem."""


class CredentialError(TrueupError):
    """A key or token could not be had; the message never contains one."""


class StateError(TrueupError):
    """State or journal cannot be used as it is; `hint` names the command that mends it."""

    exit = Exit.REFUSED


class ForeignStateError(StateError):
    """The state is whole, but it is another target's or a newer version's: nothing that a rebuild may put aside."""


class RefusedError(TrueupError):
    """A guard refused; nothing was sent."""

    exit = Exit.REFUSED


class EndpointError(TrueupError):
    """The target answered in a way that makes any plan impossible (endpoint gone, credentials refused)."""


class UnreadableError(TrueupError):
    """Not everything could be read, and a part of it is not enough."""

    exit = Exit.UNREADABLE


class InterruptedRun(TrueupError):
    """A person or a scheduler ended the command before it had anything to report."""

    exit = Exit.INTERRUPTED


class NotSent(Exception):
    """The request certainly did not reach the server (no connection, no name, TLS refused): repeating it is safe."""


class OutcomeUnknown(Exception):
    """The request may have been carried out: the connection broke or timed out after it was sent."""
