"""What the job tells of itself: the state's own numbers, the same for every destination, counted once."""

import gzip
import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from mlvitals.app.planning import plan_config
from mlvitals.app.run import run_once
from mlvitals.app.watch import watched_pipeline
from mlvitals.clock import HOUR, MINUTE, SECOND, FixedClock, SystemClock, format_time
from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.running import DECISION_PAGE_AGE, PAGES_TOLD, RUNNING
from mlvitals.signals.spec import Instrument
from mlvitals.state import Store, is_full

OF_THE_JOB = frozenset(spec.name for spec in RUNNING)
PLAIN = {
    "heartbeat",
    "loop.age",
    "held",
    "source.faults",
    "model.faults",
    "series.dropped",
}


@pytest.fixture(autouse=True)
def quiet(capfdbinary) -> Callable[[], list[dict[str, Any]]]:
    """Return what stdout got since it was last asked, decoded."""
    return lambda: [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]


def test_every_metric_of_the_running_job_is_told_with_its_metadata(job):
    job.append(job.label(0, job.start + MINUTE))
    with job.opened() as watch:
        job.read(watch)
        watch.tell()
        now = SystemClock().now()
        points = watch.vitals.latest
        assert {point.name for point in points} == {spec.name for spec in RUNNING}
        for point in points:
            spec = REGISTRY[point.name]
            assert point.unit == spec.unit
            told = ("model",) if spec is DECISION_PAGE_AGE else spec.attributes  # nothing pages here
            assert set(point.attributes) == {"environment", *told}
            assert now - SECOND < point.time <= now
            assert (point.start <= point.time - MINUTE) is (spec.instrument is Instrument.GAUGE)


def test_totals_are_those_of_the_account_and_begin_when_the_state_is_made(job):
    before = SystemClock().now()
    job.append(
        job.prediction(0, job.start + 2 * HOUR),
        job.prediction(1, job.start, model="who"),
        job.label(3, job.start + MINUTE),
    )
    job.append({"event": "nonsense"})
    with job.opened() as watch:
        job.read(watch)
        told_now = job.points(watch)
        (start,) = {
            point.start
            for point in watch.vitals.gauges.read(watch.pipeline.outgoing.store, SystemClock().now())
            if REGISTRY[point.name].instrument is Instrument.COUNTER
        }
        assert before - 2_000 <= start <= SystemClock().now()  # SQLite tells milliseconds
    outcomes = Counter({name: rows for name, rows in told_now["events"].items() if rows})
    assert outcomes == {"accepted": 31, "conflict": 1, "unknown_model": 1, "skipped": 1}


def test_an_orphan_that_finds_its_prediction_stays_counted_and_no_total_falls(job):
    job.append(job.label(100, job.start + 3 * HOUR + MINUTE))
    with job.opened() as watch:
        job.read(watch)
        before = job.points(watch)["events"]
        job.append(job.prediction(100, job.start + 3 * HOUR))
        job.read(watch)
        after = job.points(watch)["events"]
    assert before["orphan"] == after["orphan"] == 1
    assert after["accepted"] == before["accepted"] + 2
    assert all(after[outcome] >= before[outcome] for outcome in before)


def test_orphans_are_a_share_of_the_different_labels_that_falls_as_predictions_come(job):
    lost = job.label(100, job.start + 3 * HOUR + MINUTE)
    with job.opened() as watch:
        assert orphans(watch) == {}
        job.append(job.label(0, job.start + MINUTE), job.label(1, job.start + 2 * MINUTE), lost, lost)
        job.read(watch)
        assert orphans(watch) == {"fraud": 1 / 3}
        job.append(job.prediction(100, job.start + 3 * HOUR))
        job.read(watch)
        assert orphans(watch) == {"fraud": 0.0}


def orphans(watch):
    points = watch.vitals.gauges.read(watch.pipeline.outgoing.store, SystemClock().now())
    return {one.attributes["model"]: one.value for one in points if one.name == "mlvitals.label.orphan.ratio"}


def test_a_restart_goes_on_with_the_same_totals_and_the_same_beginning(job):
    with job.opened() as watch:
        job.read(watch)
        watch.tell()
        first = watch.vitals.latest
    with job.opened() as watch:
        job.read(watch)
        watch.tell()
        second = watch.vitals.latest
    one, other = job.told(first), job.told(second)
    assert other["heartbeat"] == one["heartbeat"] + 1 == 2
    assert other["events"] == one["events"]
    starts = {point.start for point in (*first, *second) if REGISTRY[point.name].instrument is Instrument.COUNTER}
    assert len(starts) == 1


def test_every_destination_that_takes_points_is_told_the_same(job, quiet):
    with job.opened() as watch:
        watch.tell()
        points = watch.vitals.latest
        watch.pipeline.deliveries.wait(patience=5, parting=5, stop=lambda: False)
    mine = [one for one in quiet() if one.get("name") in OF_THE_JOB]
    assert [(one["name"], one["value"], one["time"]) for one in mine] == [
        (one.name, one.value, format_time(one.time)) for one in points
    ]
    with Store.open_read_only(job.folder / "state.db") as store:
        rows = store.connection.execute("SELECT signal, value FROM scraped_series WHERE destination = 'prometheus'")
        assert sorted(rows) == sorted((one.name, one.value) for one in points)
    assert "local" not in job.queues()


def test_a_beat_that_is_not_durable_is_not_counted_and_the_second_way_still_hears(job):
    with job.opened() as watch:
        watch.tell()
        before = watch.vitals.latest[0].time
        watch.pipeline.deliveries.stop()
        connection = watch.pipeline.outgoing.store.connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")  # as a disk that is full
        beats = 0.0

        def tell_on():
            nonlocal beats
            for _ in range(20):  # room that was given back is filled first
                watch.vitals._due = 0
                beats = job.points(watch)["heartbeat"]
                watch.tell()

        with pytest.raises(sqlite3.OperationalError) as caught:
            tell_on()
        assert is_full(caught.value)
        assert job.points(watch)["heartbeat"] == beats
        assert watch.vitals.latest[0].value == beats
        assert watch.vitals.latest[0].time > before


def test_it_is_told_again_only_after_the_interval(job):
    with job.opened(telemetry={"interval": "30m"}) as watch:
        for _ in range(5):
            watch.tell()
        assert job.points(watch)["heartbeat"] == 1
        watch.vitals._due -= 30 * MINUTE
        watch.tell()
        assert job.points(watch)["heartbeat"] == 2


def test_a_destination_that_takes_nothing_is_told_once_and_again_when_it_is_well(job, server):
    sinks = [{"type": "otlp", "endpoint": server.url}]
    with job.opened(sinks=sinks) as watch:
        for _ in range(4):
            watch.vitals.tell()
            watch.pipeline.deliveries.wait(patience=0, parting=0, stop=lambda: False)
        now = job.points(watch)
        assert now["outbox.status"] == {"otlp": 2}
        assert now["outbox.size"] == {"otlp": 1}
        assert now["outbox.volume"]["otlp"] > 500
        assert now["heartbeat"] == 4
    server.html = False
    with job.opened(sinks=sinks) as watch:
        for _ in range(2):
            watch.pipeline.deliveries.wait(patience=0, parting=0, stop=lambda: False)
            watch.vitals.tell()
        watch.pipeline.deliveries.wait(patience=5, parting=0, stop=lambda: False)
        now = job.points(watch)
        assert now["outbox.status"] == {"otlp": 0}
        assert now["outbox.age"] == {"otlp": 0}
        assert now["items"]["otlp", "delivered"] == now["items"]["otlp", "enqueued"] > 0


def test_what_waits_grows_old(job):
    with job.opened(sinks=[{"type": "otlp", "endpoint": "http://127.0.0.1:9"}]) as watch:
        job.read(watch)
        watch.pipeline.deliveries.stop()
        watch.vitals.gauges.steady = FixedClock(watch.pipeline.outgoing.steady.now() + HOUR)
        now = job.points(watch)
    assert now["outbox.age"]["otlp"] == pytest.approx(3600, abs=60)
    assert now["outbox.size"]["otlp"] > 0


def test_a_models_newest_window_grows_old_and_one_that_is_gone_is_forgotten(job):
    with job.opened() as watch:
        job.read(watch)
        age = job.points(watch)["window.age"]["fraud"]
    assert age == pytest.approx((SystemClock().now() - job.start - 2 * HOUR) / SECOND, abs=60)
    other = {"name": "other", "operating": {"first": "1h"}}
    with job.opened(models=[other]) as watch:
        assert "window.age" not in job.points(watch)


def test_what_the_budget_keeps_back_of_a_model_or_maturity_that_is_gone_is_no_news(job):
    budget = {"series": 1, "export": "standard"}
    with job.opened(budget=budget) as watch:
        job.read(watch)
        assert job.points(watch)["series.dropped"] > 0
    with job.opened(budget=budget) as watch:
        assert job.points(watch)["series.dropped"] > 0
    with job.opened(budget=budget, models=[{"name": "other", "operating": {"first": "1h"}}]) as watch:
        assert job.points(watch)["series.dropped"] == 0


def test_a_destination_that_is_gone_is_told_of_while_anything_waits_for_it(job):
    gone = {"type": "otlp", "endpoint": "http://127.0.0.1:9"}
    with job.opened(sinks=[gone, {"type": "local"}]) as watch:
        job.read(watch)
        watch.pipeline.deliveries.wait(patience=0, parting=5, stop=lambda: False)
    with job.opened(sinks=[{"type": "local"}]) as watch:
        assert job.points(watch)["outbox.age"].keys() == {"local", "otlp"}
        with watch.pipeline.outgoing.store.transaction() as connection:
            connection.execute("DELETE FROM outbox WHERE destination = 'otlp'")  # as a person may: its trouble stays
        now = job.points(watch)
    assert now["outbox.age"].keys() == now["outbox.status"].keys() == {"local"}
    assert {destination for destination, _ in now["items"]} == {"local"}


def test_what_closing_took_is_told_once_anything_was_closed(job):
    with job.opened() as watch:
        watch.tell()
        assert "window.duration" not in job.told(list(watch.vitals.latest))
        job.read(watch)
        watch.vitals._due = 0
        watch.tell()
        assert 0 < job.told(list(watch.vitals.latest))["window.duration"] < 60


def test_models_and_sources_that_cannot_be_used_are_counted(job):
    gone = {"name": "gone", "operating": {"path": "gone.reference"}}
    (job.folder / "broken.jsonl.gz").write_bytes(gzip.compress(job.lines(job.prediction(1, job.start)))[:40])
    models = [{"name": "fraud", "operating": {"first": "1h"}}, gone]
    sources = [{"type": "file", "path": "events.jsonl"}, {"type": "file", "path": "broken*", "name": "broken"}]
    with job.opened(models=models, sources=sources) as watch:
        job.append(job.prediction(1, job.start, model="gone"))
        job.read(watch)
        watch.tell()
        now = job.told(list(watch.vitals.latest))
    assert now["model.faults"] == 1
    assert now["source.faults"] == 1
    assert now["held"] == 1


def test_once_tells_when_all_is_delivered_and_a_replay_tells_nothing(job, quiet):
    config = job.configure()
    run_once(config, until=job.start + 2 * HOUR, progress=lambda _: None)
    run_once(config, progress=lambda _: None, clock=FixedClock(job.start + 2 * HOUR))
    assert not [one for one in quiet() if one.get("name") in OF_THE_JOB]
    report = run_once(config, progress=lambda _: None)
    assert report.delivered
    mine = {one["name"]: one["value"] for one in quiet() if one.get("name") in OF_THE_JOB}
    assert mine["mlvitals.pipeline.heartbeat"] == 1
    assert mine["mlvitals.pipeline.outbox.size"] == 0
    assert mine.keys() >= {f"mlvitals.pipeline.{name}" for name in PLAIN}


def test_the_plan_counts_every_series_that_the_job_tells_of_itself(job):
    sinks = [{"type": "stdout"}, {"type": "prometheus", "listen": "127.0.0.1:0"}, {"type": "local"}]
    job.append(job.label(0, job.start + MINUTE))
    with job.opened(sinks=sinks, telemetry={"interval": "30s"}) as watch:
        watch.vitals.tell()
        job.read(watch)
        watch.vitals.tell()
        watch.tell()
        series = {(one.name, frozenset(one.attributes.items())) for one in watch.vitals.latest}
        plan = plan_config(watch.pipeline.config, None)
    stdout, prometheus, local = plan.destinations
    assert stdout.job == prometheus.job
    at_most = len(series) + PAGES_TOLD  # nothing pages here
    assert (stdout.job.series.ordinary, stdout.job.series.at_most) == (at_most, at_most)
    assert stdout.job.points_per_day.at_most == at_most * 2 * 60 * 24
    assert stdout.total.series.at_most == stdout.models["fraud"].series.at_most + at_most
    assert local.job.series.at_most == local.total.series.at_most == 0


def test_nothing_of_this_is_a_measurement(job):
    with job.opened() as watch:
        job.read(watch)
        watch.tell()
    with Store.open_read_only(job.folder / "state.db") as store:
        query = "SELECT count(*) FROM measurement_page WHERE signal LIKE 'mlvitals.pipeline.%'"
        assert store.connection.execute(query).fetchone() == (0,)


def test_an_address_in_use_stops_the_start_and_leaves_nothing_open(job):
    config = job.configure()
    told_lines: list[str] = []
    with watched_pipeline(config, told_lines.append):
        (line,) = told_lines
    assert line.startswith("sink prometheus: scrapes are answered at http://127.0.0.1:")
    with watched_pipeline(config, told_lines.append) as watch:
        assert watch.pipeline.sources
