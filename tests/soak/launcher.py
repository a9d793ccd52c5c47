"""Runs `mlvitals` as it is, but by a clock that jumps, with shorter pauses, and on a disk that takes no more.

    python launcher.py PLAN CONFIG

PLAN is JSON. runs: for each a list of the command's words and the jumps of its clock, each [from when on, in
nanoseconds of the monotonic clock, how far ahead of the system's, in nanoseconds]. pages: so many more the state may
take. bytes: so large a file may become. Of several runs each tells in a line of JSON what it answered and what was
enqueued so far for each destination of `state`, and the next waits for a line.
"""

import faulthandler
import json
import resource
import sqlite3
import sys
import time
from contextlib import closing
from typing import Any

FIRST_PAUSE, LONGEST_PAUSE = 10_000, 150_000  # microseconds, in place of a second and of minutes

_time_ns = time.time_ns
_connect = sqlite3.connect


class Jumping:
    """The system's clock, and how far ahead of it we are."""

    jumps: list[tuple[int, int]]

    def time_ns(self) -> int:
        moment = time.monotonic_ns()
        return _time_ns() + next((ahead for since, ahead in reversed(self.jumps) if since <= moment), 0)


def fill(pages: int) -> None:
    """Let every connection find the disk full after so many more pages."""

    def connect(*given: Any, **named: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = _connect(*given, **named)
        (count,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {count + pages}")
        return connection

    sqlite3.connect = connect  # type: ignore[assignment]


def enqueued(state: str) -> dict[str, int]:
    with closing(_connect(state)) as connection:
        query = "SELECT destination, items FROM delivery_total WHERE fate = 'enqueued'"
        return dict(connection.execute(query).fetchall())


def main() -> int:
    faulthandler.enable()
    plan = json.loads(sys.argv[1])
    clock = Jumping()
    time.time_ns = clock.time_ns  # what our clocks ask; gRPC reckons its deadlines by `time.time` and its own clock
    if plan.get("pages") is not None:
        fill(plan["pages"])
    if plan.get("bytes") is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (plan["bytes"], resource.RLIM_INFINITY))

    from mlvitals.cli import main as mlvitals  # noqa: PLC0415  # by the clock above
    from mlvitals.delivery import sender  # noqa: PLC0415  # as above

    sender._FIRST_PAUSE, sender._LONGEST_PAUSE = FIRST_PAUSE, LONGEST_PAUSE  # type: ignore[misc]
    code = 0
    for words, jumps in plan["runs"]:
        clock.jumps = [(since, ahead) for since, ahead in jumps]
        try:
            mlvitals(words)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        if len(plan["runs"]) > 1:
            sys.stdout.write(json.dumps([code, enqueued(plan["state"])]) + "\n")
            sys.stdout.flush()
            sys.stdin.readline()
    return code


if __name__ == "__main__":
    sys.exit(main())
