"""What Trueup's action and pipeline template run: plan a request, apply a merge, look for drift. Python alone.

It knows forges, git and the command `trueup`, and nothing of assistants: what those are is read from the command's
documents. Nothing of a proposed change is ever run, only read, and only by Trueup.
"""
