"""Segments are small, uneven and many: their detectors keep their promise all the same, and find what moves in one."""

import numpy as np
import pytest

from mlvitals.decisions.ensemble import Ensemble, Rule
from mlvitals.decisions.finding import Detector, Source
from mlvitals.decisions.usual import learn
from mlvitals.decisions.watching import segment_streams
from mlvitals.windows.bins import SPECIALS, NumericBins
from mlvitals.windows.layout import Layout, OutputLayout, Task
from tests.decisions.histories import HOURLY, hours

LEARNT, WATCHED, MODELS = 336, 336, 4
BAR = 2.0  # low, so that alarms can be counted: at most one in a hundred windows of each segment
ROWS = {"channel=web": 400, "channel=app": 40, "channel=__other__": 3}
EDGES = tuple(np.arange(1, 20) / 20)
LAYOUT = Layout((), OutputLayout(Task.BINARY, score=NumericBins(EDGES)))
FIRST = Source("m", "1", Detector.SEGMENT, "")


def windows(random, count, moved=""):
    """Return counts of windows, segment beside segment; of the one that has moved scores are higher."""
    bins = len(EDGES) + 1
    found = np.zeros((count, len(ROWS), bins + SPECIALS))
    for place, (name, rows) in enumerate(ROWS.items()):
        for window in range(count):
            scores = random.beta(2.0, 5.0, random.poisson(rows))
            scores = np.sqrt(scores) if name == moved else scores
            found[window, place, :bins] = np.bincount((scores * bins).astype(int).clip(0, bins - 1), minlength=bins)
    return found.reshape(count, -1)


def alarms(random, moved=""):
    """Return which segments alarm in which window, of all models, after what is usual was learnt."""
    found = []
    for _ in range(MODELS):
        history = windows(random, LEARNT)
        pooled, typical = history.sum(axis=0).astype(np.int64), float(np.median(history.sum(axis=1)))
        streams = segment_streams(FIRST, LAYOUT, [*ROWS], pooled, typical)
        assert streams is not None
        usually = learn(streams, history, hours(LEARNT), HOURLY)
        assert usually is not None
        ensemble = Ensemble(usually, Rule(size=HOURLY, tolerance=0.02, min_effect=0.0), None)
        bars = dict.fromkeys(ensemble.sources, BAR)
        for place, counts in enumerate(windows(random, WATCHED, moved)):
            judged = ensemble.take(counts, int(hours(LEARNT + place + 2)[-1]), bars)
            found += [(one.source.subject, place) for one in judged.findings]
    return found


def test_no_more_false_alarms_than_one_in_as_many_windows_as_the_bar_says():
    assert len(alarms(np.random.default_rng(3))) <= len(ROWS) * MODELS * WATCHED / 10**BAR


@pytest.mark.parametrize("moved", ["channel=web", "channel=app"])
def test_the_segment_that_moves_alarms_in_every_model_and_soon(moved):
    found = [place for subject, place in alarms(np.random.default_rng(4), moved) if subject == moved]
    assert len(found) >= MODELS
    assert sorted(found)[MODELS - 1] <= 24
