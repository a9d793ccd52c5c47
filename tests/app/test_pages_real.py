"""The whole job over stretches of real streams: each page is of something known, each outage is one page."""

import pytest

from tests.app.real_streams import PAGES_PER_WEEK, RealSet, run
from tests.app.real_truth import ELECTRICITY, FRAUD, HOUSES, TAXI, unexplained

pytestmark = pytest.mark.shared

# Stretches about what is planted; what is usual is learnt before it. The whole sets are run by the soak tests.
STRETCHES = {
    "kc_house": (HOUSES, "1d", "30d", "2014-12-15", "2015-03-23"),
    "fraud": (FRAUD, "1d", "1d", "2018-07-09", "2018-08-12"),
    "elec2": (ELECTRICITY, "1d", "1d", "1997-04-14", "1997-05-12"),
    "chicago_taxi": (TAXI, "1w", "7d", "2014-07-01", "2015-01-12"),
}


@pytest.fixture(params=STRETCHES)
def paged(request, shared_data, tmp_path):
    known, size, maturity, since, until = STRETCHES[request.param]
    events = RealSet(folder=shared_data / request.param, size=size, maturities=[maturity])
    planted = (events.folder / "events_planted.jsonl.gz").exists()
    return known, run(tmp_path, events.served(since, until, planted=planted))


def test_every_page_is_of_something_known_and_each_outage_is_one_page(paged):
    known, found = paged
    assert unexplained(found.episodes, known) == []
    for outage in (one for one in known if one.planted):
        (page,) = (one for one in found.episodes if outage.explains(one))
        assert outage.hours_late(page) <= 48, outage
        # What was predicted in it is judged weeks later, and is part of the page.
        detectors = {part.finding.source.detector for part in page.parts}
        assert ("performance" in detectors) == (outage.what == ("sqft_living",))


@pytest.mark.parametrize(("name", "size", "weeks"), [("chicago_taxi", "1w", 26), ("elec2", "1d", 6)])
def test_rows_at_the_times_of_others_page_within_the_budget(shared_data, tmp_path, name, size, weeks):
    found = run(
        tmp_path, RealSet(folder=shared_data / name, size=size, maturities=["1d"]).permuted(tmp_path, 1, weeks=weeks)
    )
    assert found.rate <= PAGES_PER_WEEK
