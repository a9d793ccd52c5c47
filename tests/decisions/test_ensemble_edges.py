"""Detectors where counts are hostile, none, constant, or never were there: evidence stays finite, findings sane."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlvitals.decisions.columns import column_streams
from mlvitals.decisions.ensemble import Ensemble, Rule
from mlvitals.windows.bins import MISSING
from tests.decisions.ensembles import (
    BAR,
    CHANCES,
    CUTS,
    FEATURES,
    HISTORY,
    WINDOWS,
    found,
    made,
    moved,
    quiet,
    run,
    start,
    window_of,
)
from tests.decisions.histories import COLORS, HOURLY, NUMERIC, draw, feature, learnt, shares, watched

hostile = st.lists(
    st.lists(st.sampled_from([0, 0, 1, 2, 500, 10**6, 10**9]), min_size=int(CUTS[-1]), max_size=int(CUTS[-1]))
    | st.just([0] * int(CUTS[-1])),
    min_size=1,
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(hostile, st.sampled_from([2.0, BAR, math.inf]), st.integers(0, 8), st.sampled_from([0.0, 0.1]))
def test_whatever_is_counted_evidence_is_finite_and_findings_are_sane(windows, bar, word, min_effect):
    ensemble = made(together=FEATURES, min_effect=min_effect)
    counts = [np.array(one, dtype=np.float64) for one in windows]
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        judgements = run(ensemble, counts[:word], bar=bar)
        ensemble.rebase(feature("amount"))
        judgements += run(ensemble, counts[word:] + quiet(3), bar=bar, first=len(counts[:word]))
    assert all(math.isfinite(one) for one in ensemble.evidence.values())
    for place, finding in found(judgements):
        assert finding.source in ensemble.sources
        assert finding.component in {"location", "spread", "shape", "missing", "invalid", "out_of_range", "unseen"}
        assert -math.inf < finding.lower <= finding.effect <= finding.upper < math.inf
        assert start(0) <= finding.onset <= finding.start == start(place) < finding.end
        assert finding.evidence >= finding.bar


@pytest.mark.parametrize("rows", [0, 1])
def test_windows_of_one_row_and_of_none_never_page(rows):
    random = np.random.default_rng(1)
    assert found(run(made(together=FEATURES), [window_of(random, CHANCES, rows) for _ in range(200)])) == []


@pytest.mark.parametrize(
    ("counts", "names"),
    [
        (np.tile([0.0] * 10 + [500.0, 0.0, 0.0], (WINDOWS, 1)), []),
        (np.tile([0.0, 0.0, 500.0] + [0.0] * 10, (WINDOWS, 1)), ["shape"]),
    ],
    ids=["all missing", "constant"],
)
def test_a_column_that_never_varied_is_quiet_until_it_does(counts, names):
    streams = column_streams([watched("amount", NUMERIC, counts)])
    assert [stream.component for stream in streams.shapes] == [] or names
    usually = learnt(streams, counts)
    ensemble = Ensemble(usually, Rule(size=HOURLY, tolerance=0.02, min_effect=0.1))
    bars = {feature("amount"): BAR}
    same = [ensemble.take(counts[0], start(place), bars) for place in range(300)]
    assert found(same) == []
    other = draw(np.random.default_rng(2), shares(NUMERIC), np.full(6, 500))
    news = found([ensemble.take(one, start(300 + place), bars) for place, one in enumerate(other)])
    assert len(news) == 1
    assert 1 <= news[0][0] <= 4


def test_learning_nothing_of_a_stream_leaves_the_others():
    """A feature that came only in the last windows of the reference is not judged yet; its absence is."""
    counts = HISTORY[0].copy()
    counts[:-5, : NUMERIC.size] = 0
    counts[:-5, NUMERIC.size + MISSING] = 500
    both = np.hstack([counts, HISTORY[1]])
    streams = column_streams([watched("amount", NUMERIC, counts), watched("color", COLORS, HISTORY[1])])
    usually = learnt(streams, both)
    ensemble = Ensemble(usually, Rule(size=HOURLY, tolerance=0.02, min_effect=0.1))
    bars = dict.fromkeys(ensemble.sources, BAR)
    random = np.random.default_rng(8)
    for place in range(10):
        ensemble.take(window_of(random, moved(1.0)[:2]), start(place), bars)
    assert math.isfinite(ensemble.evidence[feature("amount")])
    assert feature("color") not in ensemble.latched


def test_detectors_keep_their_order():
    ensemble = made(together=FEATURES)
    assert ensemble.sources == (feature("amount"), feature("color"), feature("account"), FEATURES)
    assert list(ensemble.evidence) == list(ensemble.sources)
    assert all(one != other for one, other in pairwise(ensemble.sources))


def test_a_category_that_grows_is_found_in_windows_of_twenty_rows():
    random = np.random.default_rng(4)
    usual, grown = shares(COLORS), shares(COLORS)
    grown[:3] = [0.25, 0.5, 0.25]
    counts = draw(random, usual, np.full(WINDOWS, 20))
    streams = column_streams([watched("color", COLORS, counts)])
    assert not streams.shapes
    ensemble = Ensemble(learnt(streams, counts), Rule(size=HOURLY, tolerance=0.02, min_effect=0.1))
    windows = [*draw(random, usual, np.full(200, 20)), *draw(random, grown, np.full(40, 20))]
    ((when, finding),) = found(run(ensemble, windows))
    assert 200 < when < 230
    assert (finding.source, finding.component) == (feature("color"), "share")
    assert finding.lower <= finding.effect <= finding.upper
