"""From the words in files to one definition: layers, references, variables and names. Reads no file."""
