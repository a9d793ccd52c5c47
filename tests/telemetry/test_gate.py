from pathlib import Path

import pytest

from mlvitals.clock import DAY, HOUR
from mlvitals.state import Store
from mlvitals.telemetry import (
    MIGRATIONS,
    Demand,
    Gate,
    MetricPoint,
    Rank,
    Unit,
    Window,
    allow,
    dropped_series,
    forget_series,
)

START = 20_000 * DAY
DEMAND = Demand(
    whole={("m.base", frozenset()): Unit(Rank.BASE, 0, ""), ("m.other", frozenset()): Unit(Rank.SIGNAL, 0, "m.other")},
    parted={},
    segments=(),
    moving=frozenset(),
)


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "state.db", (MIGRATIONS,)) as opened:
        yield opened


def serve(store, hour, version, *, versions=2, most=None, maturity="", names=("m.base", "m.other")):
    """Let an hour's points of a version pass; return the names of those that leave."""
    gate = Gate(lambda _: allow(DEMAND, versions, most))
    start = START + hour * HOUR
    window = Window(model="m", version=version, maturity=maturity, start=start, end=start + HOUR)
    attributes = {"model": "m", "model_version": version, "environment": "prod"}
    points = [
        MetricPoint(name=name, unit="1", value=1.0, time=window.end, start=start, attributes=attributes)
        for name in names
    ]
    with store.transaction() as connection:
        return [point.name for point in gate(connection, window, points)]


def test_what_the_budget_keeps_back_is_counted_and_the_rest_leaves(store):
    assert serve(store, 0, "7", most=0) == ["m.base"]
    assert dropped_series(store.connection) == {"m": 1}


def test_without_an_allowance_everything_leaves(store):
    point = MetricPoint(name="m.any", unit="1", value=1.0, time=1, start=0)
    window = Window(model="m", version="7", maturity="", start=0, end=1)
    assert Gate(lambda _: None)(store.connection, window, [point]) == [point]
    assert dropped_series(store.connection) == {}


def test_what_was_dropped_is_that_of_the_newest_window_of_all_versions_and_maturities(store):
    serve(store, 0, "7", most=0)
    serve(store, 0, "8", most=0)
    assert dropped_series(store.connection) == {"m": 2}
    serve(store, 0, "7", most=0, maturity="7d")
    assert dropped_series(store.connection) == {"m": 3}
    serve(store, 1, "7")
    assert dropped_series(store.connection) == {"m": 1}
    serve(store, 0, "9", most=0)  # a window of the past is no news
    assert dropped_series(store.connection) == {"m": 1}


def test_what_is_configured_no_more_is_forgotten(store):
    serve(store, 0, "7", most=0)
    serve(store, 0, "7", most=0, maturity="7d")
    serve(store, 0, "7", most=0, maturity="30d")
    with store.transaction() as connection:
        forget_series(connection, {"m": ["7d", "14d"], "other": []})
    assert dropped_series(store.connection) == {"m": 2}
    places = "SELECT model, maturity FROM version_place ORDER BY maturity"
    assert store.connection.execute(places).fetchall() == [("m", ""), ("m", "7d")]
    with store.transaction() as connection:
        forget_series(connection, {"other": ["7d"]})
    assert dropped_series(store.connection) == {}
    assert store.connection.execute(places).fetchall() == []


def test_a_version_of_a_new_name_every_hour_brings_no_more_series_than_places_allow(store):
    told = [(hour, version) for hour in range(24 * 7) if serve(store, hour, version := f"build-{hour}")]
    for hour in range(24 * 6):
        begun = [version for at, version in told if hour <= at < hour + 24]
        assert len(begun) <= 2
    assert len(told) == 2 * 7
    assert dropped_series(store.connection) == {"m": 2}


def test_the_next_version_takes_the_place_of_one_that_is_gone(store):
    for hour in range(48):
        assert serve(store, hour, "main")
        assert bool(serve(store, hour, "old")) is (hour < 48)
    assert not serve(store, 48, "new")  # the old one may only be late
    assert serve(store, 48, "main")
    assert serve(store, 49, "new")
    assert serve(store, 49, "main")
    assert not serve(store, 50, "old")


def test_a_version_that_serves_keeps_its_place_whoever_comes(store):
    for hour in range(100):
        first, second = serve(store, hour, "a"), serve(store, hour, "b")
        assert first
        assert second
        assert not serve(store, hour, f"0-canary-{hour}")


def test_what_is_known_at_a_maturity_has_places_of_its_own(store):
    for hour in range(2):
        serve(store, 1000 + hour, f"new-{hour}")
    assert serve(store, 0, "old", maturity="45d")
    assert serve(store, 1, "older", maturity="45d")
    assert not serve(store, 1, "oldest", maturity="45d")


def test_fewer_places_than_before_let_those_stay_that_served_last(store):
    for hour, version in enumerate("abc"):
        assert serve(store, hour, version, versions=3)
    assert not serve(store, 3, "a", versions=1)
    assert serve(store, 3, "c", versions=1)


def test_places_outlast_the_process(store, tmp_path):
    for hour in range(2):
        serve(store, hour, f"v{hour}")
    store.close()
    with Store.open(tmp_path / "state.db", (MIGRATIONS,)) as again:
        assert not serve(again, 2, "v2")
        assert serve(again, 2, "v1")
