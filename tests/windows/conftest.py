"""Layouts and columns that the tests of windows share."""

import numpy as np
import pytest

from mlvitals.windows.bins import CategoryBins, NumericBins
from mlvitals.windows.layout import FeatureLayout, Kind, Layout, OutputLayout, Task
from mlvitals.windows.summary import Summary


@pytest.fixture(scope="session")
def layout():
    """A small layout with every part in it."""
    return Layout(
        features=(
            FeatureLayout("size", Kind.NUMERIC, NumericBins((0.0, 5e-324, 10.5))),
            FeatureLayout("colour", Kind.CATEGORICAL, CategoryBins(("red", "blue", "1"), own=2)),
        ),
        output=OutputLayout(
            Task.BINARY,
            score=NumericBins((0.25, 0.5)),
            groups=(0, 1, 1),
            classes=CategoryBins(("0", "1"), own=2),
            probability=True,
        ),
        segments={"country": ("CH", "DE")},
    )


@pytest.fixture(scope="session")
def fill():
    """Fills a summary of a layout with any numbers, by a seed."""

    def make(layout, seed, buckets=2, most=2**40):
        random = np.random.default_rng(seed)
        served = random.integers(-most, most, layout.served_size)
        return Summary(layout, served, random.integers(-most, most, (buckets, layout.outcome_size)))

    return make
