"""The commands, one file for each family; `main` lists them, and a file is imported when its command is called."""
