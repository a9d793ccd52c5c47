"""What detectors learn belongs to the windows that they learnt from, and to no other state's."""

import sqlite3

import numpy as np
import pytest

from mlvitals.decisions.detectors import Detectors
from mlvitals.decisions.ensemble import Rule
from mlvitals.decisions.finding import Detector, Source
from mlvitals.decisions.tables import MIGRATIONS, Memory
from mlvitals.decisions.vectors import first_counts
from mlvitals.decisions.watching import RATE, cohort_streams, coverage_streams
from mlvitals.windows.layout import Task
from tests.decisions.histories import HOURLY, hours

WINDOWS = 2 * 168 + 2
COVERAGE = Source("m", "1", Detector.COVERAGE, "1d")


@pytest.fixture
def served():
    """Return what serves two weeks and more of hours to detectors of a state of its own."""

    def serve(streams, counts):
        connection = sqlite3.connect(":memory:", isolation_level=None)
        for statement in (statement for step in MIGRATIONS.steps for statement in step):
            connection.execute(statement)
        detectors = Detectors(
            memory=Memory(connection, "m", "cohort:1:1d"),
            rule=Rule(size=HOURLY, tolerance=0.02, min_effect=0.1),
            make=lambda *_: streams,
            rows=first_counts,
            history=None,
        )
        for start in hours(WINDOWS).tolist():
            detectors.take(start, counts, lambda _: 3.0)
        return detectors

    return serve


def test_states_of_the_same_weeks_learn_each_from_what_it_has(served):
    """Whatever was learnt in this process, of labels that came more often or of streams of another kind."""
    coverage = coverage_streams("m", "1", "1d")
    after = int(hours(WINDOWS + 1)[-1])
    for share in (0.2, 0.6):
        expected = served(coverage, np.array([200.0, 200 * share])).expected_rate(COVERAGE, RATE, after)
        assert expected == pytest.approx(share, abs=0.01)
    more = cohort_streams("m", "1", "1d", Task.BINARY)
    detectors = served(more, np.array([200.0, 120.0, 40.0, 50.0, 60.0, 0.0]))
    assert {one.detector for one in detectors.evidence} == {Detector.COVERAGE, Detector.PERFORMANCE}
    assert detectors.expected_rate(COVERAGE, RATE, after) == pytest.approx(0.6, abs=0.01)
