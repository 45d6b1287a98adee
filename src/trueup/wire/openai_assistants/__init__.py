"""The OpenAI Assistants API, versions 2 and 1, and the servers that speak it: its fields, dialects and requests."""
