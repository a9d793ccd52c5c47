"""A real browser, headless Chromium driven over its DevTools protocol by two pipes, and worlds for it to look at."""

import base64
import json
import os
import queue
import random
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mlvitals.app.pipeline import MIGRATIONS
from mlvitals.app.run import run_once
from mlvitals.clock import HOUR, format_time
from mlvitals.config import Config, load
from mlvitals.report.page import Page, make_page
from mlvitals.setup.reference import build_reference
from mlvitals.sinks.pages import Page as SinkPage
from mlvitals.sinks.pages import pack, unpack
from mlvitals.state import Store
from mlvitals.windows.reference import write_reference

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE = 60.0  # seconds; where two processors are shared, the tree of accessible nodes alone may take ten


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
            assert time.monotonic() < end, f"waited for {expression}; {self.said}"
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


@dataclass(frozen=True)
class World:
    """A configuration, its state and its reference in a folder."""

    folder: Path

    @property
    def config(self) -> Config:
        return load(self.folder / "mlvitals.yaml", {})

    def page(self, **how: Any) -> Page:
        with Store.open_read_only(self.config.state.path) as store:
            return make_page(store, self.config, now=HOUR, **how)

    def report(self, **how: Any) -> Path:
        path = self.folder / "report.html"
        path.write_text(self.page(**how).html, encoding="utf-8")
        return path

    def configure(self, **model: Any) -> None:
        document = {
            "models": [
                {
                    "name": "m",
                    "owner": "someone",
                    "operating": {"path": "m.reference"},
                    "windows": {"size": "1h", "lateness": "1m"},
                    "labels": {"maturities": ["1h", "6h"]},
                    **model,
                }
            ],
            "sources": [{"type": "file", "path": "events.jsonl", "role": "both"}],
            "sinks": [{"type": "local"}],
            "state": {"path": "state.db"},
        }
        (self.folder / "mlvitals.yaml").write_text(json.dumps(document), encoding="utf-8")

    def run(self, hours: int, names: Sequence[str] = ("x",), *, model: str = "m") -> None:
        """Take a reference, then serve some hours; from two thirds on the first feature has moved by three."""
        write = (self.folder / "events.jsonl").write_text
        write("\n".join(_events(40, names, moved=40, model=model)), encoding="utf-8")
        (configured,) = self.config.models
        paths = [str(self.folder / "events.jsonl")]
        built = build_reference(configured, version=None, paths=paths, complete=True)
        write_reference(built.reference, self.folder / "m.reference")
        write("\n".join([*_events(hours, names, moved=hours * 2 // 3, model=model), "no event"]), encoding="utf-8")
        assert run_once(self.config, until=None, progress=lambda _: None).delivered


def _events(hours: int, names: Sequence[str], *, moved: int, model: str) -> Iterator[str]:
    draw = random.Random(hours)
    for number in range(hours * 120):
        time, shift = number * HOUR // 120, 3.0 if number // 120 >= moved else 0.0
        values = {name: draw.gauss() + (shift if place == 0 else 0.0) for place, name in enumerate(names)}
        score = draw.random()
        event = {
            "event": "prediction",
            "timestamp": format_time(time),
            "model": model,
            "model_version": "1" if number < hours * 60 else "2",
            "prediction_id": str(number),
            "features": {**values, "colour": draw.choice(["red", "green", "blue"])},
            "prediction": {"label": str(int(score > 0.5)), "score": score},
            "latency_ms": 1 + draw.random(),
        }
        label = {"event": "label", "timestamp": format_time(time + HOUR // 2), "model": model}
        yield json.dumps(event)
        if draw.random() < 0.8:
            yield json.dumps({**label, "prediction_id": str(number), "label": str(int(draw.random() < score))})


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Thirty hours of a model whose feature x moved after twenty, and whose version changed after fifteen."""
    made = World(tmp_path_factory.mktemp("world"))
    made.configure(groups={"view": {"features": ["x*"], "owner": "platform", "upstream": "batch"}})
    made.run(30, ["x", "secret"])
    return made


HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\u202eright to left",
    "with\0null",
    "x" * 10_000,
    "\"quoted\" & 'quoted'",
    "{{ 7 * 7 }}{% raw %}",
    "\u2028line\u2029",
)


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A model and features with names that would break out of a careless page."""
    made = World(tmp_path_factory.mktemp("hostile"))
    name = "\"><svg onload=alert(2)> ' </title>"
    price = {"currency": "EUR", "false_negative": 10.0, "false_positive": 1.0}
    made.configure(name=name, owner="<b>owner</b>", cost=price)
    made.run(12, HOSTILE, model=name)
    return made


@pytest.fixture(scope="session")
def wide(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Two hundred features in five hundred hours, five measurements of each in each: half a million documents."""
    made = World(tmp_path_factory.mktemp("wide"))
    made.configure()
    made.run(3, [f"feature_{number:03}" for number in range(199)])
    with Store.open(made.config.state.path, MIGRATIONS) as store, store.transaction() as connection:
        (last,) = connection.execute("SELECT max(window_start) FROM measurement_page").fetchone()
        pages = connection.execute(
            "SELECT * FROM measurement_page WHERE window_start = 0 AND ("
            "signal NOT LIKE '%.feature.%' OR signal LIKE '%missing%' "
            "OR signal LIKE '%drift.location' OR shared LIKE '%\"psi\"%')"
        ).fetchall()
        draw = random.Random(0)
        for hour in range(last // HOUR + 1, 500):
            connection.executemany(
                f"INSERT INTO measurement_page VALUES ({', '.join('?' * len(SinkPage._fields))})",
                (_again(SinkPage(*page), hour * HOUR, draw) for page in pages),
            )
    return made


def _again(page: SinkPage, start: int, draw: random.Random) -> SinkPage:
    """Return a stored page once more, of another hour and with other values."""
    documents = msgspec.json.decode(unpack(page.documents))
    for one in documents:
        one["value"] = 120.0 if "count" in page.signal else draw.gauss() / 9
    end = start + HOUR
    return page._replace(window_start=start, window_end=end, stamp=end, documents=pack(documents))
