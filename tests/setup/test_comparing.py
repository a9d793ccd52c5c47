"""What two references of one model differ in, and how far their distributions are apart."""

import numpy as np
import pyarrow as pa
import pytest

from mlvitals import wire
from mlvitals.setup.comparing import PREDICTION, Change, compare_references
from mlvitals.windows.choice import Choice
from mlvitals.windows.layout import Kind
from mlvitals.windows.reference import Reference
from mlvitals.windows.taking import take_reference
from mlvitals.windows.window import WindowSize

ROWS = 4_000


def take(seed=1, *, shift=0.0, rare=0.1, drop=(), add=(), features_of=None, **choice):
    random = np.random.default_rng(seed)
    columns = {
        wire.TIMESTAMP: pa.array(np.arange(ROWS) * 60_000_000).cast(pa.timestamp("us", tz="UTC")),
        wire.PREDICTION_SCORE: np.round(random.random(ROWS), 4),
        "features.x": random.normal(shift, size=ROWS),
        "features.zeros": np.where(random.random(ROWS) < 0.6, 0.0, random.exponential(size=ROWS)),
        "features.colour": random.choice(["red", "green", "blue"], ROWS, p=[0.6, 0.4 - rare, rare]),
    }
    columns |= {f"features.{name}": random.normal(size=ROWS) for name in add}
    batch = pa.RecordBatch.from_pydict({name: values for name, values in columns.items() if name[9:] not in drop})
    return take_reference(
        Choice(**choice),
        lambda: iter([batch]),
        model="m",
        version="",
        size=WindowSize.parse("1d"),
        complete=True,
        provenance={},
        features_of=features_of,
    )


def by_name(before: Reference, after: Reference):
    return {one.name: one for one in compare_references(before, after)}


def test_a_reference_differs_in_nothing_from_itself():
    one = take()
    for difference in compare_references(one, one):
        assert difference.change is Change.SAME
        assert not difference.warns
        assert {method: distance.value for method, distance in difference.distances.items()}.items() <= {
            "psi": pytest.approx(difference.distances["psi"].value),
            "location": 0.0,
        }.items()
        assert difference.distances["psi"].value <= 0


def test_features_come_go_and_change_their_kind():
    found = by_name(take(drop=["zeros"]), take(drop=["x"], add=["new"], kinds={"colour": Kind.IDENTIFIER}))
    changes = {name: one.change for name, one in found.items() if name != PREDICTION}
    assert changes == {"zeros": Change.CAME, "new": Change.CAME, "colour": Change.KIND, "x": Change.WENT}
    assert found["x"].kinds == ("numeric", None)
    assert found["new"].bins[0] is None
    assert not found["colour"].distances


@pytest.mark.parametrize("same_bins", [True, False])
def test_other_rows_of_one_distribution_do_not_warn_and_moved_ones_do(same_bins):
    before = take()
    bins = before.layout if same_bins else None
    still, moved = (by_name(before, take(2, features_of=bins, **change)) for change in ({}, {"shift": 1, "rare": 0.35}))
    assert not any(one.warns for one in still.values())
    assert [name for name, one in moved.items() if one.warns] == ["x", "colour"]
    assert moved["x"].change is (Change.SAME if same_bins else Change.BINS)
    # A normal variable that moves by one standard deviation: a PSI of one, as far as twenty bins show it.
    assert moved["x"].distances["psi"].value == pytest.approx(1, rel=0.2)
    tolerance = {"psi": 0.02, "location": 0.1} if not same_bins else {"psi": 0.01, "location": 0.07}
    for one in still.values():
        for method, distance in one.distances.items():
            assert distance.noise is not None
            assert abs(distance.value) < tolerance[method]


def test_counts_in_other_bins_are_nearly_those_that_the_rows_would_have_had():
    before = take()
    exact, laid = (by_name(before, take(2, shift=0.3, features_of=bins)) for bins in (before.layout, None))
    for name in ("x", "zeros"):
        for method, distance in exact[name].distances.items():
            assert laid[name].distances[method].value == pytest.approx(distance.value, rel=0.25)
