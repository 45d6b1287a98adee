"""Answers as rows of toned text, for a terminal or a pipe."""
