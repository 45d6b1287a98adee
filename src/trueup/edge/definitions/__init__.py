"""Definitions as files: found, read, put together for a target, written and edited."""
