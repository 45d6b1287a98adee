"""Plan pull requests, apply merges and report drift, for Trueup's GitHub action and GitLab template.

Knows CI providers, git and the command `trueup`, and nothing about assistants: it reads their facts from the command's
JSON documents. No file of a pull request is ever executed: Trueup reads it, and nothing else does.
"""
