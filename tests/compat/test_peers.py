"""Each peer's convention, against values worked out by hand and by scipy."""

from itertools import product
from math import log, sqrt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, chisquare, ks_2samp, kstwo, power_divergence

from mlvitals.compat import evidently, nannyml, tfdv, whylogs
from mlvitals.compat.verdict import Verdict
from mlvitals.errors import ConfigError, InputError

PEERS = (evidently, nannyml, tfdv, whylogs)


def only(verdicts: list[Verdict]) -> Verdict:
    (verdict,) = verdicts
    return verdict


def texts(*counts: int) -> pa.Table:
    return pa.table({"x": [f"v{place}" for place, count in enumerate(counts) for _ in range(count)]})


def numbers(values) -> pa.Table:
    return pa.table({"x": pa.array(values, pa.float64())})


def normal(rows: int, seed: int, mean: float = 0.0) -> pa.Table:
    return numbers(np.random.default_rng(seed).normal(mean, 1, rows))


@pytest.mark.parametrize(
    ("reference", "current", "method"),
    [
        (normal(1_000, 1), normal(50, 2), "ks"),
        (normal(1_001, 1), normal(50, 2), "wasserstein"),
        (numbers(np.arange(1_001) % 5), numbers(np.arange(50) % 5), "jensenshannon"),
        (numbers(np.arange(1_000) % 3), numbers(np.arange(50) % 3), "chisquare"),
        (numbers(np.arange(1_000) % 2), numbers(np.arange(50) % 2), "z"),
        (texts(600, 400), texts(6, 4), "z"),
        (texts(500, 400, 100), texts(6, 4), "chisquare"),
        (texts(500, 400, 101), texts(6, 4), "jensenshannon"),
        (pa.table({"x": np.arange(2_000) % 10}), pa.table({"x": np.arange(50) % 10}), "jensenshannon"),
        (pa.table({"x": np.arange(2_000) % 11}), pa.table({"x": np.arange(50) % 11}), "wasserstein"),
    ],
)
def test_evidently_chooses_by_kind_and_size(reference, current, method):
    assert only(evidently.drift(reference, current)).method == method


def test_evidently_fills_zero_shares_and_does_not_scale_again():
    found = only(evidently.drift(texts(50, 50), texts(50, 40, 10), method="psi")).value
    assert found == pytest.approx((0.5 - 0.4) * log(0.5 / 0.4) + (1e-4 - 0.1) * log(1e-4 / 0.1), rel=1e-12)


def test_evidently_tests_as_scipy_does_where_nothing_is_amiss():
    reference, current = texts(40, 35, 25), texts(30, 40, 30)
    expected = {
        "chisquare": chisquare([30, 40, 30], [40, 35, 25]).pvalue,
        "g_test": power_divergence([30, 40, 30], [40, 35, 25], lambda_="log-likelihood").pvalue,
    }
    for method, p_value in expected.items():
        assert only(evidently.drift(reference, current, method=method)).value == pytest.approx(p_value, rel=1e-12)


def test_evidently_calls_half_of_the_features_a_drifted_table():
    still, moved = (normal(2_000, 3, mean)["x"] for mean in (0.0, 1.0))
    verdicts = evidently.drift(pa.table({"a": still, "b": still}), pa.table({"a": still, "b": moved}))
    found = evidently.dataset_drift(verdicts)
    assert (found.drifted_features, found.share, found.drifted) == (1, 0.5, True)
    assert not evidently.dataset_drift(verdicts, share=0.6).drifted


def test_nannyml_gathers_what_the_reference_has_not_in_one_more_cell():
    found = only(nannyml.drift(texts(50, 50), texts(40, 40, 10, 10))).value
    assert found == pytest.approx(jensenshannon([0.5, 0.5, 0], [0.4, 0.4, 0.2], base=2), rel=1e-12)


def test_nannyml_tests_as_scipy_does_and_corrects_two_categories():
    for counts in ((40, 60), (30, 50, 20)):
        found = only(nannyml.drift(texts(*counts), texts(*counts[::-1]), method="chi2"))
        expected = chi2_contingency(np.array([counts, counts[::-1]]))
        assert (found.value, found.p_value) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-12)


def test_nannyml_measures_small_references_exactly():
    reference, current = normal(500, 1), normal(200, 2, 0.2)
    found = only(nannyml.drift(reference, current, method="kolmogorov_smirnov"))
    assert found.value == ks_2samp(reference["x"].to_numpy(), current["x"].to_numpy()).statistic


def test_nannyml_draws_its_threshold_from_the_chunks_of_the_reference():
    reference = normal(1_000, 1)
    chunks = [reference.slice(start, 100) for start in range(0, 1_000, 100)]
    values = [only(nannyml.drift(reference, chunk)).value or 0.0 for chunk in chunks]
    found = only(nannyml.drift(reference, normal(100, 2)))
    assert found.threshold == pytest.approx(np.mean(values) + 3 * np.std(values), rel=1e-12)
    assert only(nannyml.drift(reference, normal(100, 2), chunk_size=100)).threshold == found.threshold


def test_nannyml_holds_performance_between_its_bounds():
    assert nannyml.performance_thresholds([0.9, 0.92, float("nan")]) == pytest.approx((0.88, 0.94))
    assert nannyml.performance_thresholds([0.5, 1.0]) == (0.0, 1.0)
    assert nannyml.performance_thresholds([5.0, 7.0], greatest=None) == pytest.approx((3.0, 9.0))


def test_tfdv_lays_two_histograms_over_each_other():
    reference = tfdv.Histogram(edges=np.array([0.0, 2.0]), counts=np.array([4.0]))
    current = tfdv.Histogram(edges=np.array([1.0, 3.0]), counts=np.array([4.0]))
    expected = jensenshannon([0.5, 0.5, 0], [0, 0.5, 0.5], base=2) ** 2
    assert tfdv.histogram_divergence(reference, current) == pytest.approx(expected, rel=1e-12)
    assert expected == pytest.approx(0.5)


def test_tfdv_forgets_nan_where_the_ranges_differ():
    plain, longer = np.arange(11.0), np.arange(12.0)
    with_nan = numbers(np.append(longer, [np.nan] * 12))
    assert only(tfdv.drift(numbers(plain), with_nan)).value == only(tfdv.drift(numbers(plain), numbers(longer))).value
    assert only(tfdv.drift(numbers(longer), with_nan)).value == pytest.approx(
        jensenshannon([1, 0], [0.5, 0.5], base=2) ** 2, rel=1e-9
    )


def test_tfdv_keeps_a_single_value_apart_from_the_buckets_around_it():
    found = only(tfdv.drift(numbers([1.0] * 5), numbers([0.0, 1.0, 2.0])))
    assert found.value == pytest.approx(1.0)


def test_tfdv_measures_texts_by_the_largest_difference_of_what_it_ranked():
    assert only(tfdv.drift(texts(60, 40), texts(30, 60, 10))).value == pytest.approx(0.3)
    found = only(tfdv.drift(texts(60, 40), texts(30, 60, 10), method="normalized_abs_difference"))
    assert found.value == pytest.approx(30 / 200)
    # 1,001 values once each: the least text is not ranked, so that each of the others has a share of 1/1,000.
    many = pa.table({"x": [f"v{place:04d}" for place in range(1_001)]})
    assert only(tfdv.drift(many, many.slice(1))).value == 0


def test_tfdv_has_no_verdict_without_a_threshold():
    reference, current = texts(60, 40), texts(30, 70)
    assert only(tfdv.drift(reference, current)).drifted is None
    assert only(tfdv.drift(reference, current, thresholds={"x": 0.2})).drifted is True
    assert only(tfdv.drift(reference, current, thresholds=0.4)).drifted is False


def test_whylogs_measures_only_at_the_quantiles_of_either_side():
    reference, current = normal(300, 1), normal(200, 2, 0.2)
    sides = [np.sort(table["x"].to_numpy()) for table in (reference, current)]
    places = [
        side[min(int(share * len(side)), len(side) - 1)] for side, share in product(sides, np.linspace(0, 1, 100))
    ]
    apart = max(abs((sides[0] < place).mean() - (sides[1] < place).mean()) for place in places)
    found = only(whylogs.drift(reference, current))
    assert found.value == pytest.approx(apart, rel=1e-12)
    assert found.p_value == pytest.approx(kstwo.sf(apart, 120), rel=1e-12)


def test_whylogs_bins_both_sides_together():
    found = only(whylogs.drift(numbers([0.0, 0.0, 1.0, 1.0]), numbers([0.0, 1.0, 1.0, 1.0]), method="hellinger"))
    assert found.value == pytest.approx(sqrt(1 - sqrt(0.5 * 0.25) - sqrt(0.5 * 0.75)), rel=1e-9)


def test_whylogs_tells_three_categories():
    for shift, category in ((0.0, "NO_DRIFT"), (0.7, "POSSIBLE_DRIFT"), (3.0, "DRIFT")):
        verdict = only(whylogs.drift(normal(900, 1), normal(900, 2, shift), method="hellinger"))
        assert whylogs.category(verdict) == category


@settings(max_examples=40)
@given(st.lists(st.sampled_from("abcd"), min_size=12), st.sampled_from([1, 3]))
def test_equal_shares_do_not_differ_for_any_peer(values, times):
    reference, current = pa.table({"x": values}), pa.table({"x": values * times})
    for peer, methods in (
        (evidently, ("psi", "jensenshannon", "kl_div", "hellinger")),
        (tfdv, ("infinity_norm", "jensen_shannon_divergence")),
        (nannyml, ("jensen_shannon", "hellinger", "l_infinity")),
    ):
        for method in methods:
            extra = {} if peer is tfdv else {"categorical": ["x"]}
            value = only(peer.drift(reference, current, method=method, **extra)).value
            assert value is None or abs(value) < 1e-7


@pytest.mark.parametrize("peer", PEERS)
def test_what_cannot_be_compared_is_refused_by_the_column_s_name(peer):
    with pytest.raises(InputError, match="column `x`: not in the current"):
        peer.drift(normal(50, 1), pa.table({"y": [1.0]}))
    times = pa.table({"x": pa.array(range(50), pa.timestamp("us"))})
    with pytest.raises(InputError, match="column `x`: holds timestamp"):
        peer.drift(times, times)
    with pytest.raises(InputError, match="column `x`"):
        peer.drift(texts(30, 20), numbers([1.0] * 30))
    with pytest.raises(ConfigError, match=r"column `x`: .* has no `nonsense`"):
        peer.drift(normal(50, 1), normal(50, 2), method="nonsense")
    if peer is not nannyml:
        with pytest.raises(InputError, match="column `x`"):
            peer.drift(normal(50, 1), numbers([None, None]))


def test_nannyml_has_no_answer_about_a_chunk_of_nulls():
    found = only(nannyml.drift(normal(50, 1), numbers([None, None])))
    assert (found.value, found.drifted) == (None, False)


def test_record_batches_and_dictionaries_are_tables_too():
    reference, current = texts(600, 500), texts(3, 7)
    coded = pa.table({"x": reference["x"].dictionary_encode()})
    for peer in PEERS:
        expected = peer.drift(reference, current)
        assert peer.drift(coded.to_batches()[0], current.to_batches()[0]) == expected


def test_free_text_is_refused_unless_it_is_named_categorical():
    table = pa.table({"x": [f"comment {place}" for place in range(40)]})
    with pytest.raises(InputError, match="free text"):
        evidently.drift(table, table)
    assert only(evidently.drift(table, table, categorical=["x"])).drifted is False
