"""The speed suite: `python -m benchmarks` prints one table, each row a ratio within one run."""
