"""The embedded vendors: servers on SQLite that behave as the hosted ones are documented to. Knows no client."""
