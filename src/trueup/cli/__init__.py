"""The composition root: the only place with click, print, exit codes and `asyncio.run`."""
