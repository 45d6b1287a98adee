"""Trueup: assistants as code. This package imports nothing at start-up, so that `--version` stays instant."""

__version__ = "0.1.0"
