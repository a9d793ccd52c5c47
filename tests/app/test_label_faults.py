"""Label feeds that break, through the whole job: each fault pages as one of labels, and what is none does not."""

import json
import sqlite3
import subprocess
import sys
from collections import defaultdict
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

import numpy as np
import pytest

from mlvitals.clock import DAY, HOUR, format_time, parse_time
from mlvitals.config import load
from mlvitals.decisions.episode_rows import read_episodes
from mlvitals.setup.reference import build_reference
from mlvitals.windows.reference import write_reference

MONDAY = parse_time("2026-03-02T00:00:00Z")
DAYS = 36
FAULT = 24
BROKEN = MONDAY + FAULT * DAY  # from then on something is wrong
PAGE, JOINED = "mlvitals.page", "mlvitals.page.joined"
CHANNELS = ("web", "shop", "app", "phone")


@dataclass(frozen=True)
class World:
    """What is wrong from a day on, by default nothing.

    Of what the feed carries, whenever that was predicted: it stops; its labels are late; those of a channel are
    missing; they are flipped; a share of them is lost. Of what is served: rows of a day; whether scores say nothing.
    positives: from the first day on labels come of the positive class alone.
    """

    stops: bool = False
    late: int = 0
    missing: str = ""
    flips: bool = False
    lost: float = 0.0
    rows: int = 60
    blind: bool = False
    positives: bool = False


FAULTS = {
    "stops": World(stops=True),
    "late": World(late=3 * DAY),
    "channel": World(missing="web"),
    "flipped": World(flips=True),
    "positives-stop": World(stops=True, positives=True),
}
SOUND = {
    "as-ever": World(),
    "fewer-served": World(rows=30),
    "blind": World(blind=True),
    "few-lost": World(lost=0.03),
    "positives": World(positives=True),
}
POSITIVES = {"positives", "positives-stop"}


def events(model, world, days):
    """Yield predictions, each with its label, which comes after half an hour to a week, or never."""
    random = np.random.default_rng([len(days), *model.encode()])
    for day in days:
        now = world if day >= FAULT else World()
        for row in range(now.rows):
            time = MONDAY + day * DAY + row * DAY // now.rows
            score = float(random.beta(0.6, 1.4))
            truth = bool(random.random() < (0.3 if now.blind else score))
            name, channel = f"{model} {day} {row}", CHANNELS[random.integers(4)]
            about = {"model": model, "model_version": "1", "prediction_id": name}
            yield {
                "event": "prediction",
                "timestamp": format_time(time),
                **about,
                "features": {"channel": channel},
                "prediction": {"score": score, "label": int(score > 0.5)},
            }
            told = time + int(min(6.5 * DAY, 0.5 * HOUR + random.exponential(1.2) * DAY))
            feed = world if told >= BROKEN else World()
            if random.random() < max(0.1, feed.lost) or feed.stops or channel == feed.missing:
                continue
            said = int(truth != feed.flips)
            if world.positives and not said:
                continue
            yield {"event": "label", "timestamp": format_time(told + feed.late), **about, "label": said}


def lines(some):
    return "".join(json.dumps(one) + "\n" for one in sorted(some, key=lambda one: one["timestamp"]))


def document(names):
    model: dict[str, Any] = {
        "windows": {"size": "1d", "lateness": "1h"},
        "labels": {"maturities": ["7d"], "horizon": "14d"},
        "cost": {"currency": "EUR", "false_negative": 10.0, "false_positive": 1.0},
    }
    alone = {"labels": {**model["labels"], "only": "positive"}, "performance": {"positive": "1"}}
    return {
        "models": [
            {"name": name, "operating": {"path": f"{name}.reference"}, **model, **(alone if name in POSITIVES else {})}
            for name in names
        ],
        "decisions": {"pages_per_week": 0.5 * len(names)},  # each has what one alone would have
        "sources": [{"type": "file", "path": "events.jsonl"}],
        "sinks": [{"type": "stdout"}],
        "state": {"path": "state.db"},
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("feeds")


@pytest.fixture(scope="module")
def records(folder):
    """Run every world as a model of its own; return all that is told."""
    worlds = FAULTS | SOUND
    (folder / "mlvitals.yaml").write_text(json.dumps(document(worlds)), encoding="utf-8")
    config = load(folder / "mlvitals.yaml", {})
    for model in config.models:
        rows = folder / "rows.jsonl"
        usual = [one for one in events(model.name, World(), range(-21, 0)) if one["event"] == "prediction"]
        rows.write_text(lines(usual), encoding="utf-8")
        built = build_reference(model, version=None, paths=[str(rows)], complete=True)
        write_reference(built.reference, folder / f"{model.name}.reference")
    served = [one for name, world in worlds.items() for one in events(name, world, range(DAYS))]
    (folder / "events.jsonl").write_text(lines(served), encoding="utf-8")
    command = [sys.executable, "-m", "mlvitals", "run", "-c", str(folder / "mlvitals.yaml"), "--once"]
    out = subprocess.run(command, capture_output=True, check=True, timeout=100).stdout
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture(scope="module")
def pages(records):
    """Return what each world is told of pages, in order."""
    told = defaultdict(list)
    for record in records:
        if record.get("event_name", "") in {PAGE, JOINED}:
            told[record["body"]["parts"][0]["model"]].append(record)
    return told


def found(records):
    """Return what was found since the fault: by detector and component how many days after it that was first known."""
    first: dict[tuple[str, str], float] = {}
    for one in records:
        what, days = (one["body"]["detector"], one["body"]["component"]), (parse_time(one["time"]) - BROKEN) / DAY
        if days > 0:
            first[what] = min(days, first.get(what, days))
    return first


# Days until the page, and not a day more: 36 hours in which a window closes and a cohort comes of age among them.
@pytest.mark.parametrize(("fault", "days"), [("stops", 2.25), ("late", 2.25), ("channel", 8.0)])
def test_labels_that_do_not_come_page_before_performance_is_known_of_the_first_cohort_without(pages, fault, days):
    assert found(pages[fault]) == {("coverage", "rate"): days}


def test_a_feed_of_positives_that_stops_pages_long_before_its_silence_is_taken_for_negatives(pages):
    assert found(pages["positives-stop"]) == {("coverage", "rate"): 3.0, ("performance", "precision"): 8.0}


def test_flipped_labels_page_as_what_contradicts_the_predictions_while_these_did_not_move(pages):
    told = found(pages["flipped"])
    assert told["coverage", "reversed"] == 10.0
    assert {detector for detector, _ in told} == {"coverage", "performance"}
    texts = [one["body"]["text"] for one in pages["flipped"] if one["body"]["component"] == "reversed"]
    assert "labels of flipped at 7d" in texts[0]


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_of_the_feed_is_one_page_at_whatever_ages_it_shows_and_whatever_else_it_spoils(pages, fault):
    assert len([one for one in pages[fault] if one["event_name"] == PAGE and parse_time(one["time"]) > BROKEN]) == 1


def test_the_coverage_that_is_expected_stays_what_it_was_as_labels_stop(records):
    closed = [one["body"]["measurements"] for one in records if one.get("event_name") == "mlvitals.window.closed"]
    told = {
        (one["signal"].removeprefix("mlvitals.label.coverage."), one["window_start"]): one["value"]
        for one in chain.from_iterable(closed)
        if one["model"] == "stops" and one["signal"].startswith("mlvitals.label.coverage.")
    }
    last = max(start for _, start in told)
    assert told["ratio", last] < 0.1
    assert told["expected", last] == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize("world", SOUND)
def test_what_is_no_fault_of_the_feed_pages_as_none(pages, world):
    assert "coverage" not in {detector for detector, _ in found(pages[world])}


def test_what_is_wrong_elsewhere_pages_as_that(pages):
    assert {detector for detector, _ in found(pages["blind"])} == {"performance"}
    assert {detector for detector, _ in found(pages["fewer-served"])} == {"volume"}
    assert found(pages["as-ever"]) == {}


def test_a_page_of_performance_says_what_the_known_mistakes_cost_a_day(pages):
    (page,) = [one["body"] for one in pages["blind"] if one["event_name"] == PAGE and parse_time(one["time"]) > BROKEN]
    harm = page["harm"]
    assert (harm["currency"], harm["coverage"]) == ("EUR", pytest.approx(47 / 60))
    # Three in ten are positive whatever the score, of which three in ten are above the threshold.
    assert harm["per_day"] == pytest.approx(47 * (0.3 * 0.7 * 10 + 0.7 * 0.3), rel=0.3)
    assert f"known mistakes cost {harm['per_day']:,.0f} EUR a day" in page["text"]


def test_what_a_page_said_of_its_cost_is_kept_with_its_episode(pages, folder):
    told = {
        one["body"]["episode"]: one["body"].get("harm")
        for one in chain.from_iterable(pages.values())
        if one["event_name"] == PAGE
    }
    assert any(told.values())
    with closing(sqlite3.connect(folder / "state.db")) as connection:
        kept = {one.id: one.harm for one in read_episodes(connection)}
    assert {
        name: harm and {key: value for key, value in asdict(harm).items() if value is not None}
        for name, harm in kept.items()
    } == told
