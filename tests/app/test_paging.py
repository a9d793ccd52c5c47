"""Pages through the whole job: real detectors over events, what people say of them, changes, and shared upstreams."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlvitals.app.run import run_once
from mlvitals.app.saying import say, word_of
from mlvitals.clock import DAY, HOUR, MINUTE, SECOND, SystemClock, format_time, parse_time
from mlvitals.config import load
from mlvitals.decisions.discovery import FALSE_SHARE
from mlvitals.decisions.words import Kind
from mlvitals.engines.selfchecking import selfcheck_of
from mlvitals.setup.reference import build_reference
from mlvitals.signals.running import DECISION_PAGE_AGE
from mlvitals.windows.reference import read_reference, write_reference

MONDAY = parse_time("2026-03-02T00:00:00Z")
REFERENCE = 30
ROWS = 40
MOVED = 8


def day(number):
    """Return when a day begins that is served; the reference is of the days before."""
    return MONDAY + number * DAY


def predictions(model, days, *, moved=None):
    """Yield a day's rows, one after the other; in days of `moved` the amount is 3 standard deviations up."""
    for one in days:
        random = np.random.default_rng([one + REFERENCE, sum(map(ord, model))])
        up = 3.0 if moved is not None and one in moved else 0.0
        for row in range(ROWS):
            amount, score = random.normal(up), random.random()
            yield {
                "event": "prediction",
                "timestamp": format_time(day(one) + row * DAY // ROWS),
                "model": model,
                "model_version": "1",
                "prediction_id": f"{model} {one} {row}",
                "features": {"amount": amount},
                "prediction": {"score": score, "label": int(score > 0.5)},
            }


def lines(events):
    return "".join(json.dumps(event) + "\n" for event in events)


@dataclass
class Job:
    """A configuration that is run again and again; `told` are the records of pages, in the order in which they left."""

    folder: Path
    output: pytest.CaptureFixture[bytes]
    decisions: Mapping[str, Any] = field(default_factory=dict)
    models: Sequence[str] = ("m",)
    told: list[dict[str, Any]] = field(default_factory=list)
    measured: list[dict[str, Any]] = field(default_factory=list)
    gauges: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self):
        group = {"shop": {"features": ["amount"], "upstream": "orders"}}
        document = {
            "models": [
                {
                    "name": name,
                    "owner": "risk",
                    "operating": {"path": f"{name}.reference"},
                    "windows": {"size": "1d", "lateness": "1h"},
                    "groups": group,
                    "links": {"rows": "https://logs.example/{model}?s={start_ms}&e={end_ms}&q={filter}"},
                }
                for name in self.models
            ],
            "decisions": self.decisions,
            "sources": [{"type": "file", "path": "events-*.jsonl"}],
            "sinks": [{"type": "stdout"}],
            "state": {"path": "state.db"},
        }
        (self.folder / "mlvitals.yaml").write_text(json.dumps(document), encoding="utf-8")
        self.config = load(self.folder / "mlvitals.yaml", {})
        for model in self.config.models:
            rows = self.folder / "rows.jsonl"
            rows.write_text(lines(predictions(model.name, range(-REFERENCE, 0))), encoding="utf-8")
            built = build_reference(model, version=None, paths=[str(rows)], complete=True)
            write_reference(built.reference, self.folder / f"{model.name}.reference")

    def run(self, days, *, moved, events=()):
        """Serve days of every model and run; return the names of what was told of pages, those of this run only."""
        served = [one for name in self.models for one in predictions(name, days, moved=moved)]
        ordered = sorted([*served, *events], key=lambda one: one["timestamp"])
        (self.folder / f"events-{days[0]:02}.jsonl").write_text(lines(ordered), encoding="utf-8")
        assert run_once(self.config, until=None, progress=lambda _: None).delivered
        new = [json.loads(line) for line in self.output.readouterr().out.splitlines()]
        windows = [one["body"] for one in new if "measurements" in one.get("body", {})]
        self.measured += [one for body in windows for one in body["measurements"]]
        self.gauges = [one for one in new if one.get("name") == "mlvitals.decision.page.age"]
        pages = [one for one in new if one.get("event_name", "").startswith("mlvitals.page")]
        self.told += pages
        return [one["event_name"] for one in pages]

    def say(self, kind, **more):
        say(self.config, lambda _: replace(word_of(kind, "known"), model="m", **more))


@pytest.fixture
def make(tmp_path, capsysbinary):
    return lambda **how: Job(tmp_path, capsysbinary, **how)


PAGE, JOINED, CLOSED, SILENCED = (f"mlvitals.page{end}" for end in ("", ".joined", ".closed", ".silenced"))


def test_what_is_muted_pages_once_more_when_the_mute_is_over(make):
    job = make()
    assert job.run(range(13), moved=range(MOVED, 99)) == [PAGE]
    job.say(Kind.MUTE, feature="amount", until=day(18))
    assert job.run(range(13, 17), moved=range(99)) == []
    assert job.run(range(17, 22), moved=range(99)) == [PAGE]
    first, again = job.told
    assert again["body"]["episode"] == first["body"]["episode"]
    assert parse_time(again["time"]) > day(18) >= parse_time(first["time"])
    for page in (first, again):
        since, until = (parse_time(time) // 1_000 for time in (page["body"]["since"], page["time"]))
        assert page["body"]["links"]["rows"] == f"https://logs.example/m?s={since}&e={until}&q=amount"


def test_a_gauge_says_for_how_long_what_pages_has_lasted_until_it_is_silenced_or_over(make):
    job = make()
    well = {"model": "m", "environment": "default"}

    def gauges():
        return [(one["value"] > 0, one["attributes"]) for one in job.gauges]

    job.run(range(5), moved=None)
    assert gauges() == [(False, well)]
    job.run(range(5, 13), moved=range(MOVED, 99))
    paging = {**well, "owner": "risk", "detector": "feature", "subject": "amount"}
    paging["costs"] = "what it costs is not known"
    assert gauges() == [(False, well), (True, paging)]
    since = (parse_time(job.gauges[1]["time"]) - parse_time(job.told[0]["body"]["since"])) / SECOND
    assert job.gauges[1]["value"] == pytest.approx(since)
    job.say(Kind.MUTE, feature="amount", until=day(18))
    job.run(range(13, 15), moved=range(99))
    assert gauges() == [(False, well)]
    job.run(range(15, 22), moved=range(99))
    assert gauges() == [(False, well), (True, paging)]
    job.run(range(22, 40), moved=None)
    assert gauges() == [(False, well)]


def test_what_is_accepted_for_a_time_is_over_and_pages_anew_if_it_still_lasts_then(make):
    job = make()
    job.run(range(13), moved=range(MOVED, 99))
    job.say(Kind.ACCEPT, until=day(16))
    assert job.run(range(13, 20), moved=range(99)) == [CLOSED, PAGE]
    opened, closed, again = (one["body"] for one in job.told)
    assert (closed["episode"], closed["ending"]) == (opened["episode"], "accepted")
    assert again["episode"] != opened["episode"]


def test_what_is_the_new_normal_pages_no_more_and_the_old_one_does(make):
    job = make()
    job.run(range(13), moved=range(MOVED, 99))
    job.say(Kind.REBASE, feature="amount")
    assert job.run(range(13, 32), moved=range(99)) == [CLOSED]
    assert job.run(range(32, 40), moved=()) == [PAGE]
    up, _, down = (one["body"] for one in job.told)
    assert up["subject"] == down["subject"] == "amount"
    assert up["effect"] > 1
    assert down["effect"] < -1
    assert day(31) <= parse_time(down["onset"]) <= day(33)


@pytest.mark.parametrize(("time", "told"), [(day(MOVED), [SILENCED]), (day(MOVED - 4), [PAGE])])
def test_what_begins_soon_after_a_change_is_told_and_pages_nobody(make, time, told):
    job = make(decisions={"quiet_after_change": "2d"})
    deploy = {"event": "change", "timestamp": format_time(time), "model": "m", "kind": "deploy", "text": "4.2"}
    assert job.run(range(13), moved=range(MOVED, 99), events=[deploy]) == told
    (record,) = job.told
    assert record["body"]["subject"] == "amount"
    if told == [SILENCED]:
        assert "does not page: it began soon after a change (deploy: 4.2)" in record["body"]["text"]
        assert job.run(range(13, 20), moved=range(99)) == []


def test_every_window_tells_what_the_self_check_of_its_reference_found(make):
    job = make()
    job.run(range(3), moved=())
    found = selfcheck_of(read_reference(job.folder / "m.reference"))
    assert found is not None
    assert found.weeks == (REFERENCE - 2) / 7
    told = [one["value"] for one in job.measured if one["signal"] == "mlvitals.decision.selfcheck"]
    assert told == [found.detectors[found.worst].excess] * 2  # of the third day nobody knows yet that it is over


def test_an_upstream_that_fails_is_one_page_of_all_models_that_share_it(make):
    job = make(models=("m", "n", "o"))
    assert job.run(range(13), moved=range(MOVED, 16)) == [PAGE, JOINED, JOINED]
    assert job.run(range(13, 24), moved=range(16)) == [CLOSED]
    assert len({one["body"]["episode"] for one in job.told}) == 1
    page, closed = job.told[0]["body"], job.told[-1]["body"]
    assert 10 ** page["evidence"] > 7 / FALSE_SHARE
    assert page["moved"] == ["amount"]
    assert (closed["leads"], closed["findings"]) == ("m", 3)
    assert {job.told[-1]["attributes"]["model"], *closed["others"]} == {"m", "n", "o"}


def test_a_drill_pages_by_the_owners_route_touches_no_episode_and_is_over_at_its_time(make, monkeypatch):
    job = make()
    job.run(range(12), moved=range(99, 100))
    said = SystemClock().now()
    job.say(Kind.DRILL, until=said + 15 * MINUTE)
    assert job.run(range(12, 13), moved=range(99, 100)) == []
    well, drill = job.gauges
    told = {"model": "m", "owner": "risk", "detector": "drill", "subject": "nothing"}
    assert told.items() <= drill["attributes"].items()
    assert "drill" in drill["attributes"]["costs"]
    assert 0 < drill["value"] < 15 * 60
    assert well["value"] == 0
    job.run(range(13, 14), moved=range(99, 100))
    assert len(job.gauges) == 2
    monkeypatch.setattr(SystemClock, "now", lambda _: said + 16 * MINUTE)
    job.run(range(14, 15), moved=range(99, 100))
    assert [one["value"] for one in job.gauges] == [0.0]


def test_a_drill_is_told_beside_what_really_pages(make):
    job = make()
    assert job.run(range(13), moved=range(MOVED, 99)) == [PAGE]
    job.say(Kind.DRILL, until=SystemClock().now() + HOUR)
    assert job.run(range(13, 17), moved=range(99)) == []
    assert {one["attributes"].get("detector") for one in job.gauges} == {None, "drill", "feature"}


def test_what_pages_is_told_with_every_attribute_in_words_where_there_is_nothing_to_name(make):
    job = make()
    assert job.run(range(13), moved=range(MOVED, 99)) == [PAGE]
    (told,) = [one["attributes"] for one in job.gauges if one["value"]]
    assert set(told) == {"environment", *DECISION_PAGE_AGE.attributes}
    assert all(told.values())
    assert told["costs"] == "what it costs is not known"
