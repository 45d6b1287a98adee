"""Everything that touches the outside: files, HTTP, credentials, locks. Knows no vendor protocol and no plan."""
