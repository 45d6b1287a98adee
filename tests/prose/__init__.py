"""Fifty realistic edits of prompts, and what a reviewer must read of them here and in git's word diff."""
