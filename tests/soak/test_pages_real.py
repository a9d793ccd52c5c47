"""The whole job over whole real streams, by the default budget: what paged, whether it was true, and how often."""

import pytest

from tests.app.real_streams import PAGES_PER_WEEK, RealSet, run
from tests.app.real_truth import ELECTRICITY, FRAUD, HOUSES, TAXI, told, unexplained

pytestmark = [pytest.mark.shared, pytest.mark.soak]

WHOLE = {
    "kc_house": (HOUSES, "2014-09-01", "2015-05-15"),
    "fraud": (FRAUD, "2018-06-15", "2018-09-15"),
    "elec2": (ELECTRICITY, "1996-11-05", "1998-12-06"),
    "chicago_taxi": (TAXI, "2014-07-01", "2016-12-26"),
}
SIZES = {"chicago_taxi": "1w"}
MATURITIES = {"kc_house": ["30d"], "fraud": ["1d", "45d"]}


@pytest.fixture
def real(shared_data):
    def read(name, size=None):
        maturities = MATURITIES.get(name, ["1d"])
        return RealSet(folder=shared_data / name, size=size or SIZES.get(name, "1d"), maturities=maturities)

    return read


@pytest.mark.parametrize("name", WHOLE)
def test_every_page_of_a_whole_stream_is_of_something_known_and_each_outage_is_one(real, tmp_path, name):
    known, since, until = WHOLE[name]
    events = real(name)
    planted = (events.folder / "events_planted.jsonl.gz").exists()
    found = run(tmp_path, events.served(since, until, planted=planted))
    print("\n".join(told(name, found.episodes, known)))  # noqa: T201  # the figures of the documents
    assert unexplained(found.episodes, known) == []
    for outage in (one for one in known if one.planted):
        (page,) = (one for one in found.episodes if outage.explains(one))
        assert outage.hours_late(page) <= 48


@pytest.mark.parametrize("size", ["1d", "1h"])
def test_steady_fraud_pages_within_the_budget(real, tmp_path, size):
    found = run(tmp_path, real("fraud", size).after_its_head(tmp_path, "2018-07-13", "2018-09-15"))
    print(f"steady fraud, {size}: {len(found.episodes)} pages in {found.weeks:.1f} weeks")  # noqa: T201  # the figures of the documents
    assert found.rate <= PAGES_PER_WEEK


@pytest.mark.parametrize("name", WHOLE)
def test_rows_at_the_times_of_others_page_within_the_budget(real, tmp_path, name):
    pages, weeks = 0, 0.0
    for seed in (1, 2):
        folder = tmp_path / str(seed)
        folder.mkdir()
        found = run(folder, real(name).permuted(folder, seed))
        pages, weeks = pages + len(found.episodes), weeks + found.weeks
    print(f"{name}, permuted: {pages} pages in {weeks:.1f} weeks")  # noqa: T201  # the figures of the documents
    assert pages / weeks <= PAGES_PER_WEEK
