"""Errors expected of a regression against brute force over the rows of its reference."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest

from mlvitals.signals.direct_loss import estimate_errors, losses_of
from mlvitals.signals.estimated import DIRECT_LOSS, PERFORMANCE_ESTIMATE_ERROR, PERFORMANCE_ESTIMATED
from mlvitals.signals.spec import Evidence
from mlvitals.windows.binning import find_bins
from mlvitals.windows.choice import Choice
from mlvitals.windows.reference import Reference
from mlvitals.windows.summary import Summary
from mlvitals.windows.taking import take_reference
from mlvitals.windows.window import WindowSize

ROWS = 6_000


def draw(seed, rows=ROWS, centre=100.0):
    """Return values, and labels whose error grows with the value."""
    generator = np.random.default_rng(seed)
    values = generator.gamma(20, centre / 20, rows)
    return values, values + generator.normal(0.02 * values, 0.1 * values)


def reference_of(values, labels) -> Reference:
    batch = pa.record_batch({"prediction.value": values, "label": labels})

    def halves() -> Iterator[pa.RecordBatch]:
        yield batch.slice(0, batch.num_rows // 3)
        yield batch.slice(batch.num_rows // 3)

    size = WindowSize.parse("1d")
    return take_reference(Choice(), halves, model="house", version="", size=size, complete=False, provenance={})


@pytest.fixture(scope="module")
def reference() -> Reference:
    return reference_of(*draw(1))


def groups_of(reference, values):
    output = reference.layout.output
    return output.group_codes[find_bins(values, output.score.array)]


def window_of(reference, values) -> Summary:
    window = Summary.empty(reference.layout)
    score = reference.layout.served_sections["score"]
    window.served[score.start : score.stop - 3] = np.bincount(
        find_bins(values, reference.layout.output.score.array), minlength=score.stop - score.start - 3
    )
    window.served[reference.layout.served_sections["predictions"]] = len(values)
    return window


def expected(reference, values):
    losses = losses_of(reference.summary)
    assert losses is not None
    served = np.bincount(groups_of(reference, values), minlength=len(losses.rows)).astype(np.float64)
    return {one.metric: one for one in estimate_errors(served, losses)}


def test_means_are_those_of_the_reference_s_rows(reference):
    values, labels = draw(1)
    losses, groups, errors = losses_of(reference.summary), groups_of(reference, values), values - labels
    assert losses is not None
    for group in np.unique(groups):
        own = errors[groups == group]
        assert losses.rows[group] == len(own)
        assert losses.absolute[group] == pytest.approx(np.abs(own).mean(), rel=1e-12)
        assert losses.squared[group] == pytest.approx((own**2).mean(), rel=1e-12)
        assert losses.signed[group] == pytest.approx(own.mean(), rel=1e-9)
        assert losses.fourth[group] == pytest.approx((own**4).mean(), rel=1e-12)
    assert losses.known.sum() == len(np.unique(groups))


def test_the_reference_s_own_values_have_its_own_errors(reference):
    values, labels = draw(1)
    found, errors = expected(reference, values), values - labels
    assert found["mae"].value == pytest.approx(np.abs(errors).mean(), rel=1e-12)
    assert found["rmse"].value == pytest.approx(np.sqrt((errors**2).mean()), rel=1e-12)
    assert found["bias"].value == pytest.approx(errors.mean(), rel=1e-9)


def test_greater_values_are_expected_to_be_further_off(reference):
    values, labels = draw(2, centre=120.0)
    errors = values - labels
    found = expected(reference, values)
    assert found["mae"].value > 1.1 * expected(reference, draw(1)[0])["mae"].value
    assert found["mae"].value == pytest.approx(np.abs(errors).mean(), rel=0.05)
    assert found["rmse"].value == pytest.approx(np.sqrt((errors**2).mean()), rel=0.05)


def test_intervals_hold_what_is_realised_as_often_as_they_say(reference):
    inside = {"mae": 0, "rmse": 0, "bias": 0}
    for seed in range(100, 300):
        values, labels = draw(seed, rows=400)
        errors = values - labels
        realised = {"mae": np.abs(errors).mean(), "rmse": np.sqrt((errors**2).mean()), "bias": errors.mean()}
        for metric, one in expected(reference, values).items():
            inside[metric] += abs(realised[metric] - one.value) <= 1.96 * one.variance**0.5
    assert all(180 <= times < 200 for times in inside.values()), inside  # 95 % of 200 is 190


def test_values_beyond_the_reference_take_the_nearest_bin_and_are_told(reference):
    window = window_of(reference, np.array([*np.full(300, 1e4), *np.full(100, 100.0)]))
    readings = list(PERFORMANCE_ESTIMATED.compute(Evidence(current=window, reference=reference.summary)))
    assert {(one.attributes["method"], one.attributes["metric"]) for one in readings} == {
        (DIRECT_LOSS, metric) for metric in ("mae", "rmse", "bias")
    }
    for one in readings:
        assert one.evidence["outside"] == 0.75
        assert one.samples == 400
        assert one.reference_samples == ROWS
        assert one.lower is not None
        assert one.lower < one.value


def test_the_error_of_the_estimate_waits_for_labels(reference):
    values, labels = draw(7, rows=2_000)
    taken = reference_of(values, labels * 1.2).summary  # the same values, whose labels turned out higher
    window = window_of(reference, values)
    late = Summary(reference.layout, window.served, np.zeros((1, reference.layout.outcome_size), np.int64))
    for name, part in reference.layout.outcome_sections.items():
        other = taken.layout.outcome_sections[name]
        if part.stop - part.start == other.stop - other.start:
            late.outcomes[0, part] = taken.outcomes[0, other]
    evidence = Evidence(current=late, reference=reference.summary, outcome=late.outcome(0), maturity="7d")
    found = {one.attributes["metric"]: one for one in PERFORMANCE_ESTIMATE_ERROR.compute(evidence)}
    errors = values - labels * 1.2
    assert found["bias"].evidence["realised"] == pytest.approx(errors.mean())
    assert found["bias"].upper is not None
    assert found["bias"].upper < 0
    assert found["mae"].value > 5
    assert list(PERFORMANCE_ESTIMATE_ERROR.compute(Evidence(current=window, reference=reference.summary))) == []


def test_a_reference_without_labels_says_nothing(layouts, fill):
    assert losses_of(fill(layouts["regression"], {}, [{}])) is None
    assert losses_of(fill(layouts["binary"], {}, [{}])) is None
