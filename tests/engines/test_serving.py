"""Versions beyond those foreseen share the budget of versions, and one that serves no more has no alarm that lasts."""

from math import log10

import pytest

from mlvitals.clock import HOUR

SIGNAL = "mlvitals.prediction.drift.evidence"


def serve(bench, hours, versions, *, scored=True):
    """Return thirty predictions of each version in each hour, each with a score or with none."""
    return [
        bench.prediction(
            f"{version} {hour} {row}",
            bench.start + hour * HOUR + row * HOUR // 30,
            model_version=version,
            prediction={"score": row / 30} if scored else {"label": 1},
        )
        for hour in hours
        for version in versions
        for row in range(30)
    ]


def bars(bench):
    """Return the bars of what versions predict, by version and hour."""
    found = [one for one in bench.latest().values() if one.signal == SIGNAL]
    return {(one.model_version, one.window_start): one.threshold for one in found}


@pytest.mark.parametrize("versions", ["12", "123456"])
def test_each_of_many_versions_has_so_much_less(make_bench, versions):
    alone, many = make_bench(), make_bench()
    alone.feed([("s", serve(alone, range(2), "1"))], until=alone.start + 2 * HOUR)
    many.feed([("s", serve(many, range(2), versions))], until=many.start + 2 * HOUR)
    (foreseen,) = set(bars(alone).values())
    (shared,) = set(bars(many).values())
    assert shared - foreseen == pytest.approx(log10(max(len(versions), 2) / 2))


def test_a_version_that_served_up_to_yesterday_has_no_share_any_more(bench):
    bench.feed([("s", serve(bench, [0], "123"))], until=bench.start + HOUR)
    bench.feed([("s", serve(bench, range(1, 27), "1"))], until=bench.start + 27 * HOUR)
    mine = [bar for (version, _), bar in sorted(bars(bench).items(), key=lambda one: one[0][1]) if version == "1"]
    assert mine[0] == mine[23] > mine[24] == mine[26]


def test_the_alarm_of_a_version_that_serves_no_more_is_over_also_after_a_restart(bench):
    gone = ("m", "2", "prediction", "")
    bench.feed([("s", serve(bench, range(6), "2", scored=False))], until=bench.start + 6 * HOUR)
    assert gone in [one.finding.source for one in bench.happenings if one.finding is not None]
    bench.feed([("s", serve(bench, range(6, 29), "1"))], until=bench.start + 29 * HOUR)
    assert gone in [row[:4] for row in bench.rows("latch")["latch"]]
    bench.feed([("s", serve(bench, range(29, 31), "1"))], until=bench.start + 31 * HOUR)
    assert gone not in [row[:4] for row in bench.rows("latch")["latch"]]
