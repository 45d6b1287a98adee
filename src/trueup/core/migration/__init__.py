"""Assistants on their way in and out: exports, other tools' files, the definitions they become. Knows no disk."""
