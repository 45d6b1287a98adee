"""YAML: read with positions, explained where it is none, written, and edited in place."""
