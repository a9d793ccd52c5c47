"""A real browser for the report: headless Chromium, driven over its own DevTools protocol through two pipes."""

import base64
import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE = 30.0


class Browser:
    """A running Chromium. A message is JSON and a null byte; descriptor 3 takes commands, 4 gives answers, events."""

    def __init__(self, program: str, profile: Path) -> None:
        to_read, self._to = os.pipe()
        from_read, to_write = os.pipe()
        # The shell puts the ends where Chromium looks for them, whatever numbers they have here.
        words = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run"]
        quiet = ["--disable-background-networking", "--disable-component-update", f"--user-data-dir={profile}"]
        shell = f'exec "$@" 3<&{to_read} 4>&{to_write}'
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", shell, "chromium", program, *words, *quiet, "about:blank"],
            pass_fds=(to_read, to_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)
        self.messages: queue.Queue[dict[str, Any]] = queue.Queue()
        self._last = 0
        threading.Thread(target=self._listen, args=(from_read,), daemon=True).start()

    def _listen(self, descriptor: int) -> None:
        waiting = b""
        while part := os.read(descriptor, 1 << 16):
            *whole, waiting = (waiting + part).split(b"\0")
            for message in whole:
                self.messages.put(json.loads(message))
        os.close(descriptor)

    def send(self, method: str, session: str | None, values: dict[str, Any]) -> int:
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": values}
        if session is not None:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._to, data) :]
        return self._last

    def close(self) -> None:
        os.close(self._to)  # Chromium ends with its pipe
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()


class Tab:
    """A page in the browser, and all that it said: console messages, errors, and what it asked the network for."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.said: list[str] = []
        self.requests: list[str] = []
        self._events: list[str] = []
        self._session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._target = target
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **values: Any) -> dict[str, Any]:
        session = None if method.startswith("Target.") else self._session
        wanted = self._browser.send(method, session, values)
        end = time.monotonic() + PATIENCE
        while True:
            message = self._browser.messages.get(timeout=max(0.1, end - time.monotonic()))
            if message.get("id") == wanted:
                assert "error" not in message, f"{method}: {message}"
                result: dict[str, Any] = message["result"]
                return result
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        if message.get("sessionId") != self._session:
            return
        method, values = message.get("method", ""), message.get("params", {})
        self._events.append(method)
        if method == "Runtime.consoleAPICalled":
            self.said.append(f"console: {[one.get('value') for one in values['args']]}")
        elif method == "Runtime.exceptionThrown":
            self.said.append(f"error: {values['exceptionDetails']}")
        elif method == "Log.entryAdded":
            self.said.append(f"log: {values['entry']['text']}")
        elif method == "Page.javascriptDialogOpening":
            self.said.append(f"dialog: {values['message']}")
            self._browser.send("Page.handleJavaScriptDialog", self._session, {"accept": True})
        elif method == "Network.requestWillBeSent" and not values["request"]["url"].startswith("data:"):
            self.requests.append(values["request"]["url"])

    def resize(self, width: int, height: int = 900, *, phone: bool = False) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)

    def media(self, kind: str = "", **features: str) -> None:
        """Emulate a medium, such as print, and preferences, such as prefers_color_scheme."""
        listed = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.call("Emulation.setEmulatedMedia", media=kind, features=listed)

    def open(self, path: Path) -> None:
        self._events.clear()
        self.call("Page.navigate", url=path.as_uri())
        self.wait("document.readyState === 'complete'")

    def run(self, expression: str) -> Any:
        """Return what a JavaScript expression gives."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, expression: str, seconds: float = PATIENCE) -> None:
        end = time.monotonic() + seconds
        while not self.run(expression):
            assert time.monotonic() < end, f"waited for {expression}"
            time.sleep(0.02)

    def press(self, key: str, *, code: int, text: str = "") -> None:
        values = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **values)
        self.call("Input.dispatchKeyEvent", type="keyUp", **values)

    def picture(self, path: Path, *, whole: bool = False) -> None:
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        path.write_bytes(base64.b64decode(data))

    def accessible(self) -> list[dict[str, Any]]:
        """Return the nodes that a screen reader is told of."""
        nodes: list[dict[str, Any]] = self.call("Accessibility.getFullAXTree")["nodes"]
        return [node for node in nodes if not node.get("ignored")]

    def close(self) -> None:
        self.call("Target.closeTarget", targetId=self._target)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: `make browser` installs Debian's")
    with tempfile.TemporaryDirectory(prefix="mlvitals-chromium", ignore_cleanup_errors=True) as profile:
        running = Browser(CHROMIUM, Path(profile))
        yield running
        running.close()


@pytest.fixture
def tab(browser: Browser) -> Iterator[Tab]:
    opened = Tab(browser)
    yield opened
    opened.close()
