"""At which times something is said to have been found of cohorts, which are judged long after they were served."""

from contextlib import closing
from dataclasses import replace

import pytest

from mlvitals.clock import DAY
from mlvitals.decisions.finding import Detector
from mlvitals.decisions.watching import RATE
from mlvitals.engines.deciding import later
from tests.decisions.incidents import Told, fresh


@pytest.fixture
def found_of():
    with closing(fresh()) as connection:
        yield lambda detector: Told(connection).finding("m", 4, "30d", detector=detector)


@pytest.mark.parametrize("detector", [Detector.PERFORMANCE, Detector.COST])
def test_what_labels_say_began_where_the_predictions_are_that_they_judge(found_of, detector):
    found = found_of(detector)
    told = later(found, 30 * DAY)
    assert (told.start, told.end, told.onset) == (found.start + 30 * DAY, found.end + 30 * DAY, found.onset)


def test_labels_that_do_not_come_are_missed_from_when_they_were_due(found_of):
    found = replace(found_of(Detector.COVERAGE), component=RATE)
    told = later(found, 30 * DAY)
    assert (told.start, told.end, told.onset) == tuple(
        time + 30 * DAY for time in (found.start, found.end, found.onset)
    )


def test_labels_that_came_and_contradict_began_with_what_they_are_about(found_of):
    found = replace(found_of(Detector.COVERAGE), component="reversed")
    assert later(found, 30 * DAY).onset == found.onset
