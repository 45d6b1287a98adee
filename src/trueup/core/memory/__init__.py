"""What is remembered between runs: state, journal and the stamp, as values and as text. Knows no file."""
