"""What two summaries say of one column."""

import numpy as np
import pytest

from mlvitals.signals.column import Sides, cell_label, read_cells, read_methods, read_numbers
from mlvitals.signals.method import CATEGORY_SHAPE, LOCATION
from mlvitals.signals.spec import Reading
from mlvitals.signals.table import Column, tabulate
from mlvitals.windows.bins import CategoryBins, NumericBins

NUMERIC = Column("amount", NumericBins((0.0, float(np.nextafter(0.0, 1.0)), 5.0)), 0)
CATEGORIES = Column("channel", CategoryBins(("web", "app", "kiosk"), own=2), 0)
SPECIALS = [0, 0, 0]


def sides(current, reference) -> Sides:
    return Sides(
        current=np.array(current),
        references=[np.array(reference)],
        attributes=lambda _, column: {"feature": column.name},
    )


def methods(column, current, reference) -> dict[str, Reading]:
    readings = read_methods(tabulate([column]), sides(current, reference))
    return {reading.attributes["method"]: reading for reading in readings}


def location(column, current, reference) -> list[Reading]:
    return list(read_numbers(LOCATION, tabulate([column]).numbers, sides(current, reference)))


def test_methods_over_cells_count_specials_and_those_over_numbers_do_not():
    reference, current = [10, 40, 30, 20, *SPECIALS], [10, 40, 30, 20, 100, 0, 0]
    found = methods(NUMERIC, current, reference)
    (moved,) = location(NUMERIC, current, reference)
    assert found["psi"].value > 1
    assert found["tvd"].value == pytest.approx(0.5)
    assert {found[name].samples for name in ("psi", "js", "hellinger", "tvd", "linf", "chi2")} == {200}
    assert found["ks"].value == moved.value == 0.0
    assert found["ks"].samples == moved.samples == 100


@pytest.mark.parametrize(
    ("specials", "name"), [([90, 0, 0], "missing"), ([0, 90, 0], "non_finite"), ([0, 0, 90], "invalid")]
)
@pytest.mark.parametrize("method", ["psi", "linf"])
def test_the_culprit_is_the_special_that_grew(specials, name, method):
    found = methods(NUMERIC, [5, 5, 5, 5, *specials], [9, 9, 9, 9, *SPECIALS])[method]
    assert found.evidence["bin"] == name
    assert found.evidence["share"] == 90 / 110
    assert found.evidence["reference_share"] == 0.0


@pytest.mark.parametrize("method", ["psi", "linf"])
def test_the_culprit_is_the_bin_that_moved_most(method):
    found = methods(NUMERIC, [10, 80, 5, 5, *SPECIALS], [10, 10, 40, 40, *SPECIALS])
    assert found[method].evidence["bin"] == "= 0"
    found = methods(CATEGORIES, [10, 80, *SPECIALS], [80, 10, *SPECIALS])
    assert found[method].evidence["bin"] in {"web", "app"}


def test_what_has_no_bin_of_its_own_is_one_cell_called_by_what_may_be_in_it():
    assert [cell_label(CATEGORIES, index) for index in range(4)] == ["web", "app", "missing", "other or unseen"]
    for bins, rest in (
        (CategoryBins(("web", "app"), own=2), "unseen"),
        (CategoryBins(("web", "app"), own=2, closed=False), "other"),
    ):
        assert cell_label(Column("channel", bins, 0), 3) == rest


def test_rare_values_do_not_differ_by_which_of_them_the_reference_held():
    known, new = ([50, 30, 0, *rest] for rest in ((20, 0), (0, 20)))
    reference = [500, 300, 0, 200, 0]
    for name, reading in methods(CATEGORIES, new, reference).items():
        assert reading == methods(CATEGORIES, known, reference)[name]
    assert methods(CATEGORIES, new, reference)["tvd"].value == 0
    assert methods(CATEGORIES, [50, 30, 0, 0, 80], reference)["linf"].evidence["bin"] == "other or unseen"


def test_categories_have_neither_an_order_nor_a_location():
    current, reference = [10, 80, *SPECIALS], [80, 10, *SPECIALS]
    assert not {"ks", "wasserstein"} & set(methods(CATEGORIES, current, reference))
    assert location(CATEGORIES, current, reference) == []


def test_the_shape_of_categories_is_about_the_rows_that_have_one():
    tables = tabulate([CATEGORIES]).categories
    (still,) = read_cells(CATEGORY_SHAPE, tables, sides([20, 80, 100, 0, 0], [200, 800, 0, 0, 0]))
    assert still.samples == 100
    assert still.value < 0
    (moved,) = read_cells(CATEGORY_SHAPE, tables, sides([20, 30, 0, 0, 50], [200, 800, 0, 0, 0]))
    assert moved.value > 0.3


def test_a_column_that_stays_in_one_cell_has_no_culprit():
    psi = methods(NUMERIC, [0, 70, 0, 0, *SPECIALS], [0, 9_000, 0, 0, *SPECIALS])["psi"]
    assert psi.value == 0.0
    assert "bin" not in psi.evidence


def test_the_interval_of_the_psi_is_wider_than_its_noise_where_much_moved():
    psi = methods(NUMERIC, [100, 100, 400, 400, *SPECIALS], [250, 250, 250, 250, *SPECIALS])["psi"]
    assert psi.lower is not None
    assert psi.upper is not None
    assert psi.noise is not None
    assert psi.value - psi.lower == pytest.approx(psi.upper - psi.value)
    assert psi.value - psi.lower > 1.96 * psi.noise


def test_every_reading_tells_what_it_would_be_where_nothing_changed():
    found = methods(NUMERIC, [10, 20, 30, 40, *SPECIALS], [40, 30, 20, 10, *SPECIALS])
    assert len(found) == 8
    for reading in found.values():
        assert reading.attributes["feature"] == "amount"
        assert reading.evidence["noise"] == reading.noise
        assert "no_drift_mean" in reading.evidence


def test_several_references_are_read_at_once_as_one_by_one():
    current, one, other = np.array([9, 8, 7, 6, 0, 0, 1]), np.array([6, 7, 8, 9, 0, 1, 0]), np.array([0] * 7)
    third = one * 5
    tables = tabulate([NUMERIC])
    together = Sides(current=current, references=[one, other, third], attributes=lambda place, _: {"place": str(place)})
    readings = {(r.attributes["place"], r.attributes["method"]): r for r in read_methods(tables, together)}
    assert {place for place, _ in readings} == {"0", "2"}, "an empty side says nothing"
    for place, reference in (("0", one), ("2", third)):
        alone = Sides(current=current, references=[reference], attributes=lambda *_: {})
        for reading in read_methods(tables, alone):
            assert readings[place, reading.attributes["method"]].value == reading.value
