"""Headless Chromium as a test sees a page: its size, its text, and a picture. Talks over two pipes, loads nothing.

The commands are those of the DevTools protocol; messages are JSON, each ended by a zero byte.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
SWITCHES = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-pipe",
)  # fmt: skip


def find() -> str | None:
    """Return the browser's file, None if none is installed."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Browser:
    """One browser with one page."""

    def __init__(self, reads: int, writes: int) -> None:
        self._reads, self._writes = os.fdopen(reads, "rb"), os.fdopen(writes, "wb")
        self._number = 0
        self._session = ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")
        self.messages: list[str] = []
        self.call("Log.enable")

    def close(self) -> None:
        """Close both pipes."""
        self._reads.close()
        self._writes.close()

    def call(self, method: str, **params: Any) -> Any:
        """Send one command and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._writes.write(json.dumps(message).encode() + b"\0")
        self._writes.flush()
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _next(self) -> dict[str, Any]:
        data = bytearray()
        while (sign := self._reads.read(1)) not in (b"\0", b""):
            data += sign
        found: dict[str, Any] = json.loads(data)
        if found.get("method") == "Log.entryAdded":
            self.messages.append(found["params"]["entry"]["text"])
        return found

    def show(self, file: Path, width: int, *, dark: bool = False, height: int = 900) -> None:
        """Open a file in a window so many pixels wide."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Page.navigate", url=file.resolve().as_uri())
        while self._next().get("method") != "Page.loadEventFired":
            pass

    def value(self, expression: str) -> Any:
        """Return what an expression of ours comes to in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def picture(self, file: Path) -> None:
        """Write a PNG of the whole page."""
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(answer["data"]))


@contextmanager
def browser(program: str, profile: Path) -> Iterator[Browser]:
    """Run a browser with an empty profile; it ends with its page."""
    (their_end, write), (read, other_end) = os.pipe(), os.pipe()
    command = f'exec 3<&{their_end} 4>&{other_end}; exec "$0" "$@"'
    arguments = ["bash", "-c", command, program, *SWITCHES, f"--user-data-dir={profile}"]
    process = subprocess.Popen(
        arguments, pass_fds=(their_end, other_end), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(their_end)
    os.close(other_end)
    try:
        one = Browser(read, write)
        yield one
        one.call("Browser.close")
        one.close()
    finally:
        process.terminate()
        process.wait(20)
