"""Who asks whether the job is well is told, and why not, whatever the job is doing."""

import json
import shutil
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families as read_text

from mlvitals.app import health
from mlvitals.app.watch import Watch, watched_pipeline
from mlvitals.clock import HOUR, FixedClock
from mlvitals.config import load
from mlvitals.errors import ConfigError
from mlvitals.signals.running import RUNNING
from mlvitals.telemetry.naming.prometheus import metric_name
from mlvitals.transport.listen import NOT_FOUND, Listener, Query

EVENT = (
    '{"event":"prediction","timestamp":"2026-03-01T00:%02d:00Z","model":"fraud","prediction_id":"%d",'
    '"features":{"x":1},"prediction":{"score":0.5}}\n'
)
SECRET = "hunter2-hunter2"  # noqa: S105  # nobody's


@pytest.fixture
def write(tmp_path):
    """Write a configuration and its events, and load it."""

    def write_config(**changes: Any) -> Any:
        (tmp_path / "events.jsonl").write_text("".join(EVENT % (minute, minute) for minute in range(60)))
        document = {
            "models": [{"name": "fraud", "operating": {"first": "1h"}, "windows": {"size": "1m"}}],
            "sources": [{"type": "file", "path": "events.jsonl"}],
            "sinks": [{"type": "local"}],
            "state": {"path": "state/state.db"},
            "health": {"listen": "127.0.0.1:0"},
            **changes,
        }
        path = tmp_path / "mlvitals.yaml"
        path.write_text(json.dumps(document), encoding="utf-8")
        return load(path, {})

    return write_config


@contextmanager
def asked(config: Any, *, rounds: int = 1):
    """Open a watched pipeline that has come round, and return a function that asks it for a page."""
    with watched_pipeline(config, lambda _: None) as watch:
        for _ in range(rounds):
            come_round(watch)
        pages = health.Health(config, watch.vitals.gauges)
        yield watch, lambda path: told(pages, path)


def come_round(watch: Watch) -> None:
    watch.pipeline.read(complete=True, progress=lambda _: None, stop=lambda: False)
    watch.pipeline.engine.advance_while_running()
    watch.tell()
    watch.come_round([])


def told(pages: health.Health, path: str) -> tuple[int, Any]:
    page = pages.answer(Query(path=path, headers={}))
    return page.status, json.loads(page.body) if page.content_type == "application/json" else page.body.decode()


def test_a_job_that_is_well_says_so(write):
    with asked(write()) as (_, ask):
        for path in ("/healthz", "/livez", "/readyz"):
            status, answer = ask(path)
            assert (status, answer["status"]) == (200, "ok")
        assert set(ask("/healthz")[1]["checks"]) == {"loop", "sources", "models", "destinations", "disk"}


def test_a_job_is_alive_before_it_is_ready(write):
    with asked(write(), rounds=0) as (_, ask):
        assert ask("/livez")[0] == 200
        assert ask("/readyz")[0] == 503


def test_a_loop_that_hangs_is_dead_though_it_is_asked_from_outside(write):
    with asked(write()) as (watch, ask):
        watch.pulse.turned = time.monotonic() - health.LOOP_SECONDS - 1
        assert ask("/livez")[0] == ask("/readyz")[0] == ask("/healthz")[0] == 503
        assert ask("/livez")[1]["checks"]["loop"]["age_seconds"] > health.LOOP_SECONDS
        watch.turn()
        assert ask("/livez")[0] == 200


def test_a_source_that_cannot_be_read_is_named(write, tmp_path):
    config = write(sources=[{"type": "file", "path": "*.jsonl"}, {"type": "file", "path": "b*", "name": "broken"}])
    (tmp_path / "b.jsonl.gz").write_bytes(b"\x1f\x8bthis is no gzip at all")
    with asked(config) as (_, ask):
        status, answer = ask("/healthz")
        assert status == 503
        (problem,) = answer["checks"]["sources"]["problems"]
        assert problem.startswith("source broken: ")
        assert answer["checks"]["loop"]["ok"]


def test_a_model_that_cannot_run_is_named_and_restarting_is_no_cure(write):
    models = [{"name": "fraud", "operating": {"first": "1h"}}, {"name": "gone", "operating": {"path": "no.reference"}}]
    with asked(write(models=models)) as (_, ask):
        status, answer = ask("/healthz")
        assert status == 503
        assert "no.reference" in answer["checks"]["models"]["problems"][0]
        assert ask("/livez")[0] == 200


def test_a_destination_that_is_held_is_named_without_its_secrets(write):
    closed = {"type": "otlp", "endpoint": "http://127.0.0.1:9", "headers": {"X-Key": SECRET}}
    config = write(sinks=[{"type": "local"}, closed])
    with asked(config) as (watch, ask):
        assert ask("/healthz")[0] == 200  # it may be back in a moment
        watch.pipeline.deliveries.stop()
        connection = watch.pipeline.outgoing.store.connection
        connection.execute("UPDATE delivery_trouble SET held = 1 WHERE destination = 'otlp'")
        status, answer = ask("/healthz")
        assert status == 503
        assert answer["checks"]["destinations"]["problems"][0].startswith("otlp: held until a person acts: ")
        assert SECRET not in json.dumps(answer)


def test_what_waits_too_long_is_told_and_not_for_a_destination_that_is_gone(write):
    config = write(sinks=[{"type": "otlp", "endpoint": "http://127.0.0.1:9"}])
    with asked(config) as (watch, ask):
        watch.pipeline.deliveries.stop()
        watch.vitals.gauges.steady = FixedClock(watch.pipeline.outgoing.steady.now() + health.WAITING + HOUR)
        status, answer = ask("/healthz")
        assert status == 503
        assert answer["checks"]["destinations"]["problems"][0].startswith("otlp: requests wait for ")
        assert answer["checks"]["destinations"]["oldest_seconds"] > 7000
    with asked(write(sinks=[{"type": "local"}])) as (_, ask):
        assert ask("/healthz")[0] == 200


def test_a_disk_that_is_nearly_full_is_told(write, tmp_path, monkeypatch):
    free = shutil.disk_usage(tmp_path).free
    with asked(write()) as (_, ask):
        assert ask("/healthz")[1]["checks"]["disk"]["free_bytes"] == pytest.approx(free, rel=0.2)
        monkeypatch.setattr(health, "FREE_BYTES", 2 * free)
        status, answer = ask("/healthz")
        assert status == 503
        assert not answer["checks"]["disk"]["ok"]


def test_the_metrics_are_those_that_are_told_and_need_nobody_to_take_them(write):
    with asked(write()) as (_, ask):
        status, text = ask("/metrics")
    assert status == 200
    samples = {one.name for family in read_text(text) for one in family.samples}
    expected = {metric_name(spec.name, spec.unit, spec.instrument) for spec in RUNNING}
    expected.remove("mlvitals_label_orphan_ratio")  # no label was read
    assert samples == {"target_info", *expected}


def test_other_pages_are_not_there(write):
    with asked(write()) as (_, ask):
        assert ask("/")[0] == 200
        assert ask("/state/state.db")[0] == ask("/healthz/")[0] == 404


def test_answers_do_not_wait_for_the_transaction_at_hand(write):
    with asked(write()) as (watch, ask), watch.pipeline.outgoing.store.transaction() as connection:
        connection.execute("UPDATE vitals SET beats = 99")
        began = time.monotonic()
        assert ask("/healthz")[0] == 200
        assert "mlvitals_pipeline_heartbeat_total" in ask("/metrics")[1]
        assert "heartbeat_total{" in ask("/metrics")[1]
        assert " 99.0" not in ask("/metrics")[1]
        assert time.monotonic() - began < 5


def test_where_it_listens_is_told_and_an_address_in_use_is_refused(write, tmp_path):
    said: list[str] = []
    with watched_pipeline(write(), said.append):
        (line,) = said
        assert line.startswith("health: asked at http://127.0.0.1:")
    address = line.split("/")[2]
    other = Listener(address, lambda _: NOT_FOUND)
    config = write(health={"listen": address})
    with pytest.raises(ConfigError, match="cannot be listened on"), watched_pipeline(config, said.append):
        pytest.fail("it began")
    other.close()
    with watched_pipeline(write(health={"listen": address}), said.append):  # all that was open was closed again
        assert Path(tmp_path / "state" / "state.db").exists()
