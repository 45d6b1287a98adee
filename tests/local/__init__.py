"""The embedded server, held against what was recorded, published and promised."""
