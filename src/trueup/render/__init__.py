"""One model, many outputs; every function returns a string. Knows no terminal, no file and no engine."""
