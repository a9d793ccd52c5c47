"""What is watched of labels: how many came by an age, whether they contradict predictions, what mistakes cost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.clock import DAY, HOUR
from mlvitals.contracts.evidence import exact_cells, fill
from mlvitals.decisions.finding import Detector, Source
from mlvitals.decisions.rates import Rates, Usual
from mlvitals.decisions.streams import LOG_RATIO
from mlvitals.decisions.watching import (
    cohort_counts,
    cohort_streams,
    contradictions,
    cost_streams,
    coverage_counts,
    coverage_streams,
)
from mlvitals.windows.bins import CategoryBins
from mlvitals.windows.delays import DELAY_BINS, bins_within
from mlvitals.windows.layout import Layout, OutputLayout, Task

BINARY = Layout(features=(), output=OutputLayout(task=Task.BINARY, classes=CategoryBins(("0", "1"), own=2)))
cells = st.integers(0, 500)


@pytest.mark.parametrize(
    ("confusion", "expected"),
    [
        ([[90, 10], [5, 15]], 0.0),
        ([[25, 25], [25, 25]], 0.0),
        ([[0, 0], [0, 0]], 0.0),
        ([[100, 0], [0, 0]], 0.0),
        ([[0, 50], [50, 0]], 100 - 3 * 10),
        ([[0, 990], [10, 0]], 1000 - 3 * np.sqrt(1000)),
    ],
)
def test_labels_contradict_predictions_only_where_they_say_the_opposite_beyond_chance(confusion, expected):
    assert contradictions(np.array(confusion)) == pytest.approx(expected)


@given(st.lists(cells, min_size=4, max_size=4))
def test_of_two_classes_it_is_matthews_correlation_below_three_standard_errors(counts):
    (tn, fn), (fp, tp) = np.array(counts, dtype=np.float64).reshape(2, 2)
    rows = sum(counts)
    spread = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    matthews = (tp * tn - fp * fn) / np.sqrt(spread) if spread else 0.0
    expected = max(0.0, -matthews * rows - 3 * np.sqrt(rows))
    assert contradictions(np.array(counts).reshape(2, 2)) == pytest.approx(expected, abs=1e-6)


def test_predictions_that_say_nothing_hardly_ever_seem_to_be_contradicted():
    random = np.random.default_rng(5)
    tables = random.multinomial(400, [0.49, 0.21, 0.21, 0.09], size=20_000).reshape(-1, 2, 2)
    assert np.mean([contradictions(table) > 0 for table in tables]) < 0.003


def test_labels_turned_round_among_many_classes_contradict():
    right = np.diag([300, 200, 100])
    assert contradictions(right) == 0
    assert contradictions(np.roll(right, 1, axis=1)) > 100


def test_coverage_at_an_age_counts_the_labels_of_the_first_bucket_that_came_by_it():
    delays = np.arange(DELAY_BINS)
    summary = fill(BINARY, {"predictions": 1000}, [{"delays": delays}, {"delays": delays}])
    counts = coverage_counts(summary, DAY)
    assert counts.tolist() == [1000, delays[: bins_within(DAY)].sum()]
    assert counts[1] > coverage_counts(summary, HOUR)[1]
    values = coverage_streams("m", "1", "1d").read(counts[None, :])
    assert (values.hits.tolist(), values.rows.tolist()) == ([[counts[1]]], [[1000.0]])


def test_of_rankings_the_mean_ndcg_at_the_largest_cutoff_is_watched_as_a_share():
    layout = Layout(features=(), output=OutputLayout(task=Task.RANKING, ranked=(1, 10)))
    sums = {"ndcg@10": exact_cells(np.full(50, 0.3)), "ndcg@1": exact_cells(np.ones(50))}
    counts = cohort_counts(fill(layout, {"predictions": 100}, [{"labelled": 60, "measured": 50, **sums}]), 0)
    streams = cohort_streams("m", "1", "7d", Task.RANKING)
    values = streams.read(counts[None, :])
    assert [stream.component for stream in streams.rates] == ["rate", "ndcg"]
    assert values.hits.tolist() == [[60, pytest.approx(15.0)]]
    assert values.rows.tolist() == [[100, 50]]


def test_values_between_nought_and_one_are_no_more_evidence_than_shares_of_the_same_mean():
    samples, rows = 20_000, 30
    random = np.random.default_rng(3)
    share = np.full(samples, 0.4)
    usual = Usual(rate=share, low=share, high=share, precision=np.full(samples, 1e7))
    means = []  # of the e-values of each alternative, over all samples
    for hits in (random.beta(2, 3, size=(samples, rows)).sum(axis=1), random.binomial(rows, 0.4, samples)):
        rates = Rates.start(samples)
        rates.take(hits.astype(np.float64), np.full(samples, float(rows)), usual, np.full(samples, np.inf))
        means.append(rates.sums.mean(axis=0))
    assert (means[0] <= 1 + 1e-9).all()
    assert means[1][[0, 5]] == pytest.approx([1.0, 1.0], abs=0.1)  # the mildest; of great ones samples show nothing


def test_cost_is_the_logarithm_of_the_mean_with_the_noise_of_a_sum_of_mistakes():
    streams = cost_streams("m", "1", "7d")
    assert [(one.source, one.unit) for one in streams.effects] == [(Source("m", "1", Detector.COST, "7d"), LOG_RATIO)]
    values = streams.read(np.array([[200.0, 50.0, 100.0]]))
    assert values.effects[0, 0] == pytest.approx(np.log(0.25))
    assert values.sampling[0, 0] == pytest.approx(0.04)


@pytest.mark.parametrize(
    "counts",
    [
        [0.0, 0.0, 0.0],
        [200.0, 0.0, 0.0],
        [200.0, 9.0, 9.0],  # nine mistakes of one size
        [200.0, 1009.0, 1e6 + 9.0],  # one large one beside them
        [200.0, -50.0, 100.0],  # what earns
    ],
)
def test_of_few_or_uneven_mistakes_cost_says_nothing(counts):
    values = cost_streams("m", "1", "7d").read(np.array([counts, [200.0, 10.0, 10.0]]))
    assert np.isnan(values.effects[:, 0]).tolist() == np.isnan(values.sampling[:, 0]).tolist() == [True, False]
