"""What became of one text in another: alignment, the difference people read, merges, patches. Knows no assistant."""
