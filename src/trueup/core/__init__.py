"""Pure values and rules: values in, values out. Knows no file, clock, network or terminal."""
