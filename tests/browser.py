"""A headless Chromium, driven over a pipe by its DevTools protocol; nothing else is needed.

Chromium reads commands from descriptor 3 and writes answers and events to 4, JSON with a NUL after
each: no port is opened.
"""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
SECONDS = 15


def found() -> str | None:
    """The browser's program, None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """A browser and the page that it shows.

    Attributes:
        events: What the page told since it was opened, as (method, parameters).
    """

    def __init__(self, program: str, profile: str) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        to_browser, self._send = os.pipe()
        self._receive, from_browser = os.pipe()

        def place() -> None:
            os.dup2(os.dup(to_browser), 3)
            os.dup2(os.dup(from_browser), 4)
            os.set_inheritable(3, True)
            os.set_inheritable(4, True)

        command = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
                   "--disable-dev-shm-usage", "--disable-extensions", "--hide-scrollbars",
                   "--disable-background-networking", f"--user-data-dir={profile}",
                   "--remote-debugging-pipe", "about:blank"]  # fmt: skip
        self._process = subprocess.Popen(
            command, preexec_fn=place, close_fds=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        os.close(to_browser)
        os.close(from_browser)
        self._buffer = b""
        self._last = 0
        self._session: str | None = None
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(each["targetId"] for each in targets if each["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=page, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Have something done; return the answer."""
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._send, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._last:
                assert "error" not in answer, answer["error"]
                return dict(answer["result"])
            if "method" in answer:
                self.events.append((answer["method"], answer["params"]))

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            if not (piece := os.read(self._receive, 1 << 20)):
                raise EOFError("the browser has ended")
            self._buffer += piece
        text, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(text))

    def open(self, path: Path, *, scripts: bool = True, width: int = 1200, **media: str) -> None:
        """Open a file as a double click does; `prefers_color_scheme="dark"` and the like."""
        features = [{"name": k.replace("_", "-"), "value": v} for k, v in media.items()]
        self.call("Emulation.setEmulatedMedia", media="", features=features)
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900,
                  deviceScaleFactor=1, mobile=False)  # fmt: skip
        self.events.clear()
        self.call("Page.navigate", url=path.resolve().as_uri())
        self.until(lambda: any(method == "Page.loadEventFired" for method, _ in self.events))

    def until(self, holds: Callable[[], Any]) -> Any:
        """Wait until something holds; return it."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            if value := holds():
                return value
            self.call("Runtime.getIsolateId")  # Events come with its answer.
            time.sleep(0.02)
        raise AssertionError("the page never came so far")

    def run(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True, userGesture=True,
                           allowUnsafeEvalBlockedByCSP=False)  # fmt: skip
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def key(self, key: str, code: int, modifiers: int = 0) -> None:
        """Press a key."""
        common = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        text = {"text": "\r"} if key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **common, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def point(self, x: float, y: float) -> None:
        """Move the mouse to a place in the window."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def complaints(self) -> list[str]:
        """What the console says is wrong, and every exception."""
        said = []
        for method, of in self.events:
            if method == "Runtime.exceptionThrown":
                said.append(str(of["exceptionDetails"]))
            elif method == "Log.entryAdded":
                said.append(str(of["entry"]))
            elif method == "Runtime.consoleAPICalled" and of["type"] in ("error", "warning"):
                said.append(str(of["args"]))
        return said

    def requests(self) -> list[str]:
        """What the page has asked for, besides itself and what it holds."""
        urls = [of["request"]["url"] for m, of in self.events if m == "Network.requestWillBeSent"]
        return [url for url in urls[1:] if not url.startswith(("data:", "blob:"))]

    def picture(self, path: Path, *, whole: bool = True) -> Path:
        """Write what is seen as a PNG."""
        clip = {}
        if whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"clip": {**{k: size[k] for k in ("x", "y", "width", "height")}, "scale": 1}}
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=whole, **clip)
        path.write_bytes(base64.b64decode(shot["data"]))
        return path

    def close(self) -> None:
        """End the browser."""
        with contextlib.suppress(OSError, EOFError, AssertionError):
            self._session = None
            self.call("Browser.close")
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._send)
        os.close(self._receive)


@contextlib.contextmanager
def opened(program: str) -> Iterator[Browser]:
    """A browser with a profile of its own, closed at the end."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(program, profile)
        try:
            yield browser
        finally:
            browser.close()
