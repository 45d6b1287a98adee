"""The embedded server of the assistants API, in the dialect of each vendor that speaks it."""

from trueup.local.openai_assistants.server import Server

__all__ = ["Server"]
