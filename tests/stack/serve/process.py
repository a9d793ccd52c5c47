"""A server for the time of a test session: started, waited for, asked, and ended by its process id."""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

READY_WITHIN: Final = 120.0  # seconds; a Java node on a busy machine
ENDED_WITHIN: Final = 30.0

_ANSWER_WITHIN: Final = 30.0
_PAUSE: Final = 0.1
_LAST_LINES: Final = 20

# Servers here are on loopback: a proxy of the environment must not come between.
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@contextmanager
def running(command: Sequence[object], *, folder: Path, ready: Callable[[], bool]) -> Iterator[None]:
    """Run a server until the block ends; it stands in `folder`, where `server.log` holds what it says.

    Raises:
        RuntimeError: it ended, or was not ready in time; the message holds its last lines.

    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "server.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [str(part) for part in command], cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
    try:
        _wait(process, ready, log)
        yield
    finally:
        _end(process)


def until(done: Callable[[], bool], *, within: float = 15.0, what: str) -> None:
    """Return as soon as something is so.

    Raises:
        AssertionError: it is not so in time.

    """
    deadline = time.monotonic() + within
    while not done():
        if time.monotonic() > deadline:
            raise AssertionError(f"after {within:g} s still not so: {what}")
        time.sleep(_PAUSE)


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that nobody listens on, each another one."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def ask(url: str, *, method: str = "GET", body: Any = None, headers: Mapping[str, str] | None = None) -> str:
    """Return a server's answer as text; a body that is not text is sent as JSON.

    Raises:
        AssertionError: the answer is no success; the message holds it.

    """
    content = body.encode() if isinstance(body, str) else None if body is None else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", **(headers or {})} if content is not None else dict(headers or {})
    request = urllib.request.Request(url, data=content, headers=sent, method=method)  # noqa: S310  # loopback only
    try:
        with _OPENER.open(request, timeout=_ANSWER_WITHIN) as answer:
            text: str = answer.read().decode()
            return text
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{method} {url}: {error.code} {error.read().decode(errors='replace')}") from error


def answers(url: str) -> bool:
    """Tell whether a server answers with success by now."""
    try:
        ask(url)
    except (AssertionError, OSError):
        return False
    return True


def _wait(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while not ready():
        ended = process.poll()
        if ended is not None or time.monotonic() > deadline:
            state = "is not ready" if ended is None else f"ended with {ended}"
            last = "\n".join(log.read_text("utf-8", "replace").splitlines()[-_LAST_LINES:])
            raise RuntimeError(f"{process.args!r} {state}:\n{last}")
        time.sleep(_PAUSE)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(ENDED_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
