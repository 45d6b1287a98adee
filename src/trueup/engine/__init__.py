"""Refresh, plan and apply. Is handed transport, journal, clock and randomness; knows no file and no terminal."""
