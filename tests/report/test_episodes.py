"""What an episode says of the level that was reached."""

import pytest

from mlvitals.clock import HOUR
from mlvitals.report.episodes import Episode
from mlvitals.report.reading import Row
from mlvitals.signals.registry import REGISTRY


def sentence(signal):
    """Return what is said of a feature of which a signal reached 3 where its level is 2."""
    spec = REGISTRY[signal]
    row = Row(spec, '{"feature":"x"}', "alert", 3.0, None, 2.0, None, None, 100)
    return Episode(
        layer=spec.layer,
        what="x",
        feature="x",
        first=0,
        last=HOUR,
        windows=2,
        peak=row,
        peak_start=HOUR,
        strength=1.5,
        ongoing=True,
    ).sentence


@pytest.mark.parametrize(
    ("signal", "words"),
    [
        ("mlvitals.feature.drift.evidence", "where it pages from 2"),
        ("mlvitals.prediction.rate", "where it warns from 2"),
        ("mlvitals.feature.drift.location", "as it warns from (2"),
    ],
)
def test_a_detectors_bar_pages_and_a_plain_threshold_warns(signal, words):
    assert words in sentence(signal)
