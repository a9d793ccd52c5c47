"""What two summaries say of one column."""

import numpy as np
import pytest

from mlvitals.signals.column import cell_label, read_distance, read_location, read_stability
from mlvitals.windows.layout import CategoryBins, NumericBins
from mlvitals.windows.summary import ColumnCounts

NUMERIC = NumericBins((0.0, float(np.nextafter(0.0, 1.0)), 5.0))
CATEGORIES = CategoryBins(("web", "app", "kiosk"), own=2)


def column(bins, counts, specials=(0, 0, 0)) -> ColumnCounts:
    return ColumnCounts(bins, np.array(counts), np.array(specials))


def test_the_psi_counts_specials_and_the_ks_and_location_do_not():
    reference = column(NUMERIC, [10, 40, 30, 20])
    current = column(NUMERIC, [10, 40, 30, 20], [100, 0, 0])
    (psi,) = read_stability(current, reference, {})
    (ks,) = read_distance(current, reference, {})
    (location,) = read_location(current, reference, {})
    assert psi.value > 1
    assert psi.samples == 200
    assert ks.value == location.value == 0.0
    assert ks.samples == location.samples == 100


@pytest.mark.parametrize(
    ("specials", "name"), [([90, 0, 0], "missing"), ([0, 90, 0], "non_finite"), ([0, 0, 90], "invalid")]
)
def test_the_psi_names_the_special_that_grew(specials, name):
    (psi,) = read_stability(column(NUMERIC, [5, 5, 5, 5], specials), column(NUMERIC, [9, 9, 9, 9]), {})
    assert psi.evidence["bin"] == name
    assert psi.evidence["share"] == 90 / 110
    assert psi.evidence["reference_share"] == 0.0


def test_the_psi_names_the_bin_that_moved_most():
    (psi,) = read_stability(column(NUMERIC, [10, 80, 5, 5]), column(NUMERIC, [10, 10, 40, 40]), {})
    assert psi.evidence["bin"] == "= 0"
    (psi,) = read_stability(column(CATEGORIES, [10, 80]), column(CATEGORIES, [80, 10]), {})
    assert psi.evidence["bin"] in {"web", "app"}


def test_categories_have_specials_of_their_own():
    counts = column(CATEGORIES, [1, 2], [3, 4, 5])
    assert [cell_label(counts, index) for index in range(5)] == ["web", "app", "missing", "other", "unseen"]


def test_categories_have_neither_distance_nor_location():
    current, reference = column(CATEGORIES, [10, 80]), column(CATEGORIES, [80, 10])
    assert list(read_distance(current, reference, {})) == []
    assert list(read_location(current, reference, {})) == []


def test_a_column_that_stays_in_one_cell_has_no_culprit():
    (psi,) = read_stability(column(NUMERIC, [0, 70, 0, 0]), column(NUMERIC, [0, 9_000, 0, 0]), {})
    assert psi.value == 0.0
    assert "bin" not in psi.evidence


def test_the_interval_of_the_psi_is_wider_than_its_noise_where_much_moved():
    (psi,) = read_stability(column(NUMERIC, [100, 100, 400, 400]), column(NUMERIC, [250, 250, 250, 250]), {})
    assert psi.lower is not None
    assert psi.upper is not None
    assert psi.noise is not None
    assert psi.value - psi.lower == pytest.approx(psi.upper - psi.value)
    assert psi.value - psi.lower > 1.96 * psi.noise


def test_attributes_that_are_given_are_kept():
    (psi,) = read_stability(column(NUMERIC, [1, 2, 3, 4]), column(NUMERIC, [4, 3, 2, 1]), {"feature": "amount"})
    assert psi.attributes == {"feature": "amount", "method": "psi"}
