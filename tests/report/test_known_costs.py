"""Known costs of a period, against a sum over the events."""

import json

import pytest

from mlvitals.clock import HOUR, parse_time
from mlvitals.decisions.paging_rate import Period
from mlvitals.report.known_costs import known_costs
from mlvitals.state import Store


def known(world, period):
    with Store.open_read_only(world.config.state.path) as store:
        return known_costs(store, period)


def counted(world, period):
    """Return what mistakes of a period cost, how many rows it has, and how many of them are labelled."""
    lines = (world.folder / "events.jsonl").read_text("utf-8").splitlines()
    events = [json.loads(line) for line in lines if line.startswith("{")]
    labels = {one["prediction_id"]: one["label"] for one in events if one["event"] == "label"}
    served = [
        one
        for one in events
        if one["event"] == "prediction" and period.start <= parse_time(one["timestamp"]) < period.end
    ]
    pairs = [
        (one["prediction"]["label"], labels[one["prediction_id"]]) for one in served if one["prediction_id"] in labels
    ]
    cost = sum({("0", "1"): 10.0, ("1", "0"): 1.0}.get(pair, 0.0) for pair in pairs)
    return cost, len(served), len(pairs)


@pytest.mark.parametrize("period", [Period(0, 11 * HOUR), Period(3 * HOUR, 7 * HOUR)])
def test_each_window_counts_once_as_its_labels_stand_by_now(hostile, period):
    """Versions 1 and 2 took turns in the sixth hour, and cohorts have reached one maturity or both."""
    (found,) = known(hostile, period)
    cost, served, labelled = counted(hostile, period)
    assert cost > 0
    assert found.currency == "EUR"
    assert found.total == pytest.approx(cost)
    assert found.windows == (period.end - period.start) // HOUR
    assert found.coverage == pytest.approx(labelled / served)


def test_what_has_no_price_has_no_known_cost(world):
    assert known(world, Period(0, 30 * HOUR)) == []
