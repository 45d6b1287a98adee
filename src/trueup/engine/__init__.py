"""Refresh, plan and apply. Is handed transport, journal, clock and randomness; knows no file, no HTTP and no terminal."""
