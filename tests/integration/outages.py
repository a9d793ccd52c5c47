"""Two real outages to be lived through again: what was served around them, a day in a minute, as it comes."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mlvitals.clock import MINUTE, format_time, parse_time
from mlvitals.config import load
from mlvitals.setup.reference import build_reference
from mlvitals.windows.reference import write_reference
from tests.app.real_streams import Event, RealSet, write_lines

SPEED: Final = 1440  # a day in a minute
LATENESS: Final = "10s"
PAGES_PER_WEEK: Final = 0.5 * SPEED  # the default, by the same factor

_PAUSE: Final = 0.05  # seconds
_NAMES: Final = ("predictions.jsonl", "labels.jsonl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A stretch of an event set with an outage in it. days: of the stretch that lie before the story begins."""

    set: str
    model: str
    subject: str
    since: str
    until: str
    begins: str
    ends: str
    days: int


FRAUD: Final = Outage(
    set="fraud",
    model="card-fraud",
    subject="terminal_risk_7d",
    since="2018-07-13",
    until="2018-08-15",
    begins="2018-07-16",
    ends="2018-07-19",
    days=0,
)
HOUSES: Final = Outage(
    set="kc_house",
    model="house-price",
    subject="sqft_living",
    since="2015-01-12",
    until="2015-03-15",
    begins="2015-02-09",
    ends="2015-02-16",
    days=25,
)


def prepare(data: Path, outage: Outage, folder: Path) -> None:
    """Write the stretch as it was served, planted in the time of the outage alone, and a reference of daily windows."""
    real = RealSet(folder=data / outage.set, size="1d", maturities=["1d"])
    served = real.served(outage.since, outage.until)
    instead = {one["prediction_id"]: one for one in real.served(outage.begins, outage.ends, planted=True).events}
    folder.mkdir()
    write_lines(folder / _NAMES[0], (instead.get(one["prediction_id"], one) for one in served.events))
    write_lines(folder / _NAMES[1], (one for one in served.labels if one["timestamp"] < outage.until))
    daily = folder / "daily.yaml"
    daily.write_text(json.dumps(config([(outage, folder)], size="1d", maturity="1d", lateness="10m")), "utf-8")
    built = build_reference(load(daily, {}).models[0], version=None, paths=[str(served.reference)], complete=False)
    write_reference(built.reference, folder / "model.reference")


def replayed(mlvitals: Callable[..., Any], outage: Outage, source: Path, target: Path, *, begin: int) -> None:
    """Shift the stretch by `mlvitals replay`, so that its story begins at a moment (microseconds since the epoch)."""
    start = format_time(begin - outage.days * MINUTE)
    words = ("--start", start, "--speed", SPEED, "--reference", source / "model.reference", "--output", target)
    done = mlvitals("replay", *(source / name for name in _NAMES), *words)
    assert done.code == 0, done.err


def config(
    outages: list[tuple[Outage, Path]], *, size: str = "1m", maturity: str = "1m", lateness: str = LATENESS
) -> dict[str, Any]:
    """Return a configuration of models and what they read: files `live-…` beside the replayed ones."""
    models = [
        {
            "name": outage.model,
            "operating": {"path": str(folder / "model.reference")},
            "windows": {"size": size, "lateness": lateness},
            "labels": {"maturities": [maturity]},
        }
        for outage, folder in outages
    ]
    sources = [
        {
            "type": "file",
            "name": f"{outage.set}-{role}",
            "role": role,
            "path": str(folder / f"live-{role}.jsonl"),
        }
        for outage, folder in outages
        for role in ("predictions", "labels")
    ]
    return {"models": models, "sources": sources, "sinks": [{"type": "local"}], "state": {"path": "state.db"}}


@contextmanager
def fed(folders: Mapping[str, Path], now: Callable[[], int]) -> Iterator[None]:
    """Append each replayed line to its live file when its time has come, until the block ends.

    now: microseconds since the epoch.
    """
    ended = threading.Event()
    feeds = [(folder / name, folder / f"live-{name}") for folder in folders.values() for name in _NAMES]
    for _, live in feeds:
        live.touch()
    thread = threading.Thread(target=_feed, args=(feeds, now, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _feed(feeds: list[tuple[Path, Path]], now: Callable[[], int], ended: threading.Event) -> None:
    waiting: list[tuple[Path, list[tuple[int, str]]]] = []
    for source, live in feeds:
        with source.open(encoding="utf-8") as lines:
            timed = [(_time(json.loads(line)), line) for line in lines]
        waiting.append((live, sorted(timed, reverse=True)))
    while not ended.wait(_PAUSE):
        moment = now()
        for live, later in waiting:
            due = []
            while later and later[-1][0] <= moment:
                due.append(later.pop()[1])
            if due:
                with live.open("a", encoding="utf-8") as file:
                    file.write("".join(due))


def _time(event: Event) -> int:
    return parse_time(event["timestamp"])
