"""Which live values are taken into which files, and in which words. Knows no disk."""
