"""`trueup.yaml` as values: the project, its targets, and what they may be told. Reads no file and holds no secret."""
