"""Two real outages, lived through again by a running job, which tells of them on every way that a team is paged."""

import json
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from mlvitals.decisions.episode_rows import read_episodes
from tests.cli.conftest import in_a_process
from tests.integration import hurried
from tests.integration.outages import FRAUD, HOUSES, PAGES_PER_WEEK, Outage, config, fed, prepare, replayed
from tests.stack.serve.process import running

# The job's clock runs so many times as fast: an outage is over after 24 windows, which cannot be shorter than a minute.
FACTOR: Final = 10
TELEMETRY: Final = 4  # seconds
OUTAGES: Final = (FRAUD, HOUSES)
OWNER: Final = "risk-ml"  # of the first one's model
WITHIN: Final = 480  # seconds
QUIET: Final = 15  # seconds in which nothing may follow


class Way(Protocol):
    """How pages come from the job to whom they wake."""

    @property
    def sink(self) -> Mapping[str, Any]:
        """The sink, as the job's configuration has it."""

    def begin(self, folder: Path) -> None:
        """Bring what pages; the job runs in a folder by the `mlvitals.yaml` in it."""

    def step(self) -> None:
        """Do what goes on by itself in a team's own backend."""

    def pages(self) -> list[tuple[str, str]]:
        """Return what PagerDuty heard: `trigger` or `resolve`, and of what, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The job's clock, and since when it is the faster one. Times are nanoseconds since the epoch."""

    since: int

    def now(self) -> int:
        return hurried.hurried(FACTOR, self.since)

    def slow(self, moment: int) -> int:
        """Return the system's time at a moment of this clock."""
        return hurried.unhurried(FACTOR, self.since, moment)


def prepared(data: Path, folder: Path) -> dict[str, Path]:
    """Replay both stretches so that their stories begin now; return the folder of each set."""
    for outage in OUTAGES:
        prepare(data, outage, folder / f"{outage.set}-served")
    begin = time.time_ns() // 60_000_000_000 * 60_000_000
    folders = {outage.set: folder / outage.set for outage in OUTAGES}
    for outage in OUTAGES:
        replayed(in_a_process, outage, folder / f"{outage.set}-served", folders[outage.set], begin=begin)
    return folders


@contextmanager
def job(folders: Mapping[str, Path], sinks: Sequence[Mapping[str, Any]], clock: Clock, folder: Path) -> Iterator[None]:
    """Run `mlvitals run` in a folder by the faster clock, fed as it goes, until the block ends."""
    document = config([(outage, folders[outage.set]) for outage in OUTAGES])
    document["models"][0]["owner"] = OWNER
    document |= {
        "service": {"name": "story", "environment": "prod"},
        "sinks": list(sinks),
        "decisions": {"pages_per_week": PAGES_PER_WEEK},
        "telemetry": {"interval": f"{TELEMETRY}s"},
    }
    (folder / "mlvitals.yaml").write_text(json.dumps(document), "utf-8")
    words = [sys.executable, Path(hurried.__file__), FACTOR, clock.since, "run", "-c", folder / "mlvitals.yaml"]
    with ExitStack() as stack:
        stack.enter_context(fed(folders, lambda: clock.now() // 1_000))
        stack.enter_context(running(words, folder=folder / "job", ready=(folder / "state.db").exists))
        yield


def live_through(ways: Sequence[Way]) -> None:
    """Let the ways work until each has told of both outages and that they are over, and for a while longer."""

    def go_on(done: Callable[[], bool], within: float) -> bool:
        deadline = time.monotonic() + within
        while not (there := done()) and time.monotonic() < deadline:
            for way in ways:
                way.step()
            time.sleep(0.2)
        return there

    told = 2 * len(OUTAGES)
    over = go_on(lambda: all(len(way.pages()) >= told for way in ways), WITHIN)
    assert over, f"not every outage was told and over; heard: {[way.pages() for way in ways]}"
    go_on(lambda: False, QUIET)


def says(outage: Outage) -> str:
    """Return what is told of an outage, whose model has no price."""
    return f"{outage.model}: feature {outage.subject} moved; what it costs is not known"


def episodes(folder: Path) -> dict[str, Any]:
    """Return the episodes of the job in a folder by their models."""
    with closing(sqlite3.connect(folder / "state.db")) as connection:
        return {one.model: one for one in read_episodes(connection)}
