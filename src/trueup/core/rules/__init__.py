"""What a definition may say, and how a mistake is told. Knows schemas as values and no file."""
