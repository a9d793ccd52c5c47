"""Shares of the page budget: they add up, whatever the weights, and say how high each bar is."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import inf, log10

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.decisions.allocation import DEFAULT_WEIGHTS, RESERVE, ModelDemand, Share, allocate
from mlvitals.decisions.finding import Detector, Source

HOURLY = ModelDemand(name="fraud", weight=1.0, windows_per_week=168.0, features=("amount", "age"), versions=2)
LABELLED = replace(HOURLY, maturities=("7d", "30d"))

numbers = st.floats(0, 1e6) | st.sampled_from([0.0, 5e-324, 1e-9, 0.1, 1.0])
weights = st.fixed_dictionaries(dict.fromkeys([*Detector, RESERVE], numbers))
names = st.lists(st.text(max_size=3), unique=True, max_size=6)
demands = st.builds(
    ModelDemand,
    name=st.just(""),
    weight=numbers,
    windows_per_week=st.sampled_from([12 * 7 / 365.25, 1.0, 7.0, 168.0, 10_080.0]),
    features=names,
    versions=st.integers(1, 5),
    maturities=names,
    checkpoints=st.lists(st.sampled_from(["1 before", "2 before"]), unique=True),
)
models = st.lists(demands, min_size=1, max_size=5).map(
    lambda some: [replace(one, name=f"m{place}") for place, one in enumerate(some)]
)
budgets = st.floats(1e-6, 10_000)


def sources(demand):
    """Every detector that a model may have, one by one; a version by its place."""
    versions = [str(number) for number in range(demand.versions)]
    yield Source(demand.name, "", Detector.VOLUME, "")
    yield Source(demand.name, "", Detector.ERRORS, "")
    yield from (Source(demand.name, "", Detector.FEATURE, feature) for feature in demand.features)
    if len(demand.features) > 1:
        yield Source(demand.name, "", Detector.FEATURES, "")
    yield from (Source(demand.name, version, Detector.PREDICTION, "") for version in versions)
    for detector in (Detector.COVERAGE, Detector.PERFORMANCE):
        yield from (Source(demand.name, one, detector, age) for one in versions for age in demand.maturities)
    yield from (Source(demand.name, one, Detector.COVERAGE, age) for one in versions for age in demand.checkpoints)


@given(budgets, weights, models)
def test_all_shares_and_reserves_add_up_to_exactly_the_budget(budget, weighed, some):
    shares = allocate(budget, weighed, some)
    given_out = sum(
        (shares[demand.name].of(source).pages_per_week for demand in some for source in sources(demand)), Fraction(0)
    )
    reserved = sum((one.reserve for one in shares.values()), Fraction(0))
    whole = Fraction(budget) if any(demand.weight for demand in some) else Fraction(0)
    assert given_out + reserved == whole == sum((one.pages_per_week for one in shares.values()), Fraction(0))
    assert all(one.reserve >= 0 for one in shares.values())


@given(budgets, weights, models)
def test_false_pages_are_never_more_than_a_share_allows(budget, weighed, some):
    for one in allocate(budget, weighed, some).values():
        for detector, allotment in one.allotments.items():
            allowed = float(allotment.pages_per_week)
            assert (
                one.false_pages_per_week(detector) <= allowed * (1 + 1e-9) + 1e-300
            )  # as exact as so small a float is


@given(budgets, weights, models, demands)
def test_a_model_that_joins_takes_from_all_others_and_lowers_no_bar(budget, weighed, some, another):
    before = allocate(budget, weighed, some)
    after = allocate(budget, weighed, [*some, replace(another, name="another")])
    for demand in some:
        for source in sources(demand):
            assert after[demand.name].of(source).bar >= before[demand.name].of(source).bar - 1e-9
    if another.weight:
        assert all(after[name].pages_per_week <= one.pages_per_week for name, one in before.items())


@given(budgets, models)
def test_models_share_by_their_weights(budget, some):
    shares = allocate(budget, DEFAULT_WEIGHTS, some)
    for one, other in pairwise(some):
        mine, theirs = shares[one.name].pages_per_week, shares[other.name].pages_per_week
        assert mine * Fraction(other.weight) == theirs * Fraction(one.weight)


def test_a_bar_is_the_windows_of_a_week_over_the_share_of_its_pages():
    shares = allocate(0.5, DEFAULT_WEIGHTS, [LABELLED])["fraud"]
    share = shares.of(Source("fraud", "", Detector.FEATURE, "amount"))
    assert share.pages_per_week == Fraction(1, 2) * Fraction(40, 100) / 2
    assert share.bar == pytest.approx(log10(168 / 0.1), abs=1e-12)
    assert shares.of(Source("fraud", "7", Detector.PREDICTION, "")).pages_per_week == Fraction(1, 40)
    assert shares.of(Source("fraud", "7", Detector.PERFORMANCE, "30d")).pages_per_week == Fraction(1, 80)
    assert shares.of(Source("fraud", "7", Detector.COVERAGE, "7d")).pages_per_week == Fraction(1, 160)
    assert shares.of(Source("fraud", "", Detector.VOLUME, "")).pages_per_week == Fraction(1, 20)


def test_single_features_keep_the_most():
    assert max(DEFAULT_WEIGHTS, key=DEFAULT_WEIGHTS.__getitem__) == Detector.FEATURE
    assert sum(DEFAULT_WEIGHTS.values()) == 100


def test_what_a_model_has_not_goes_to_what_it_has_and_what_is_not_built_to_the_reserve():
    plain = allocate(1.0, DEFAULT_WEIGHTS, [HOURLY])["fraud"]
    of_some = {Detector.SEGMENT, Detector.COVERAGE, Detector.PERFORMANCE, Detector.COST}
    assert set(plain.allotments) == set(Detector) - of_some
    assert plain.reserve == Fraction(15, 85)
    alone = allocate(1.0, DEFAULT_WEIGHTS, [replace(HOURLY, features=("amount",))])["fraud"]
    assert Detector.FEATURES not in alone.allotments
    bare = allocate(1.0, DEFAULT_WEIGHTS, [replace(HOURLY, features=())])["fraud"]
    assert set(bare.allotments) == {Detector.VOLUME, Detector.ERRORS, Detector.PREDICTION}


def test_prices_take_the_share_of_cost_out_of_the_reserve_and_no_other_moves():
    labelled = replace(HOURLY, maturities=("7d", "30d"))
    plain, priced = (
        allocate(1.0, DEFAULT_WEIGHTS, [one])["fraud"] for one in (labelled, replace(labelled, priced=True))
    )
    assert priced.allotments[Detector.COST].count == 4
    assert plain.reserve - priced.reserve == priced.allotments[Detector.COST].pages_per_week == Fraction(5, 100)
    assert {one: priced.allotments[one] for one in plain.allotments} == plain.allotments
    assert plain.pages_per_week == priced.pages_per_week == 1
    assert priced.of(Source("fraud", "7", Detector.COST, "30d")).pages_per_week == Fraction(5, 400)
    assert Detector.COST not in allocate(1.0, DEFAULT_WEIGHTS, [replace(HOURLY, priced=True)])["fraud"].allotments


def test_segments_take_their_share_out_of_the_reserve_and_no_other_moves():
    channels = ("channel=web", "channel=app", "channel=__other__")
    plain, parted = (
        allocate(1.0, DEFAULT_WEIGHTS, [one])["fraud"] for one in (HOURLY, replace(HOURLY, segments=channels))
    )
    assert parted.allotments[Detector.SEGMENT].count == 6  # of two versions
    assert plain.reserve - parted.reserve == parted.allotments[Detector.SEGMENT].pages_per_week
    assert {one: parted.allotments[one] for one in plain.allotments} == plain.allotments
    own = Source("fraud", "7", Detector.SEGMENT, "channel=app")
    assert parted.of(own) == parted.allotments[Detector.SEGMENT].each
    assert parted.of(own, versions=4).pages_per_week == parted.of(own).pages_per_week / 2
    with pytest.raises(KeyError):
        parted.of(own._replace(subject="channel=phone"))


def test_a_detector_that_a_model_has_not_has_no_share():
    shares = allocate(1.0, DEFAULT_WEIGHTS, [HOURLY])["fraud"]
    for source in (
        Source("fraud", "", Detector.FEATURE, "amounts"),
        Source("fraud", "7", Detector.PERFORMANCE, "7d"),
        Source("fraud", "7", Detector.COST, "7d"),
        Source("fraud", "", Detector.VOLUME, "amount"),
        Source("prices", "", Detector.VOLUME, ""),
    ):
        with pytest.raises(KeyError):
            shares.of(source)


def test_what_has_no_weight_never_pages():
    weighed = {**DEFAULT_WEIGHTS, Detector.VOLUME: 0.0}
    quiet, loud = allocate(1.0, weighed, [replace(HOURLY, weight=0.0), replace(HOURLY, name="prices")]).values()
    assert loud.of(Source("prices", "", Detector.VOLUME, "")) == Share(pages_per_week=Fraction(0), bar=inf)
    assert loud.of(Source("prices", "", Detector.VOLUME, "")).least_windows is None
    assert loud.pages_per_week == 1
    assert quiet.pages_per_week == quiet.reserve == 0
    assert quiet.of(Source("fraud", "", Detector.FEATURE, "age")).bar == inf


def test_where_only_what_a_model_has_not_weighs_all_is_reserve():
    weighed = {**dict.fromkeys(DEFAULT_WEIGHTS, 0.0), Detector.COVERAGE: 1.0}
    shares = allocate(1.0, weighed, [HOURLY])["fraud"]
    assert shares.reserve == 1


def test_a_window_longer_than_a_week_counts_as_one():
    weekly, monthly = (
        allocate(0.05, DEFAULT_WEIGHTS, [replace(HOURLY, windows_per_week=rate)])["fraud"] for rate in (1.0, 0.23)
    )
    amount = Source("fraud", "", Detector.FEATURE, "amount")
    assert weekly.of(amount) == monthly.of(amount)
    assert monthly.false_pages_per_week(Detector.FEATURE) == pytest.approx(
        0.23 * float(monthly.allotments[Detector.FEATURE].pages_per_week)
    )


def test_a_budget_without_bounds_does_not_make_an_alarm_of_nothing():
    share = allocate(10_000.0, DEFAULT_WEIGHTS, [HOURLY])["fraud"].of(Source("fraud", "", Detector.VOLUME, ""))
    assert share.bar == log10(20)


@given(st.floats(0.01, 400))
def test_no_single_window_alarms_and_two_may(bar):
    share = Share(pages_per_week=Fraction(1), bar=bar)
    assert share.cap < share.bar
    assert share.least_windows == 2


@given(budgets, weights, demands, st.integers(0, 12))
def test_versions_beyond_those_foreseen_have_no_more_together(budget, weighed, demand, serving):
    demand = replace(demand, weight=1.0)
    shares = allocate(budget, weighed, [demand])[demand.name]
    for source in sources(demand):
        foreseen, each = shares.of(source), shares.of(source, serving)
        assert each.bar >= foreseen.bar
        if not source.version:
            assert each == foreseen
        else:
            together = max(serving, demand.versions) * each.pages_per_week
            assert together == demand.versions * foreseen.pages_per_week
