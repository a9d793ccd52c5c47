"""A summary under another layout keeps what both count alike, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from mlvitals.windows.bins import CategoryBins, NumericBins
from mlvitals.windows.layout import FeatureLayout, Kind, Layout, OutputLayout, Task
from mlvitals.windows.relaid import relaid
from mlvitals.windows.summary import Summary

X = FeatureLayout("x", Kind.NUMERIC, NumericBins((1.0, 2.0)))
COLOUR = FeatureLayout("colour", Kind.CATEGORICAL, CategoryBins(("red", "blue"), own=2))
OUTPUT = OutputLayout(
    task=Task.BINARY, score=NumericBins((0.5,)), groups=(0, 1), classes=CategoryBins(("0", "1"), own=2)
)
LAYOUT = Layout(features=(X, COLOUR), output=OUTPUT)


@pytest.fixture
def counted():
    summary = Summary.empty(LAYOUT, 1)
    summary.served[:] = np.arange(1, len(summary.served) + 1)
    summary.outcomes[:] = 1
    return summary


def kept(summary, layout):
    """Return the sections that stay as they were, having found all others empty."""
    moved = relaid(summary, layout)
    assert moved.layout is layout
    same = set()
    for name, place in layout.served_sections.items():
        if moved.served[place].any():
            assert (moved.served[place] == summary.served[summary.layout.served_sections[name]]).all()
            same.add(name)
    return same


SCORED = {"score", "positive_score"}
ALWAYS = {"predictions", "errors", "latency", "lag"}


def test_under_its_own_layout_a_summary_stays_what_it_is(counted):
    assert relaid(counted, LAYOUT) is counted


def test_a_version_with_score_bins_of_its_own_shares_features_and_classes(counted):
    other = replace(LAYOUT, output=replace(OUTPUT, score=NumericBins((0.25,))))
    assert kept(counted, other) == ALWAYS | {"features.x", "features.colour", "class"}
    assert not relaid(counted, other).outcomes.any()


def test_features_are_found_by_their_name_and_kept_where_their_bins_are_the_same(counted):
    turned = replace(LAYOUT, features=(COLOUR, replace(X, bins=NumericBins((1.0, 3.0)))))
    assert kept(counted, turned) == ALWAYS | {"features.colour", *SCORED, "class"}
    text = replace(LAYOUT, features=(replace(X, kind=Kind.TEXT), COLOUR))
    assert kept(counted, text) == ALWAYS | {"features.colour", *SCORED, "class"}


def test_a_column_that_either_does_not_have_is_empty(counted):
    bare = Layout(features=(), output=OutputLayout(task=Task.REGRESSION))
    assert kept(counted, bare) == ALWAYS
    assert kept(Summary(bare, np.ones(bare.served_size, np.int64), np.zeros((0, 0), np.int64)), LAYOUT) == ALWAYS


def test_a_score_is_not_a_value(counted):
    value = replace(LAYOUT, output=OutputLayout(task=Task.REGRESSION, score=NumericBins((0.5,)), groups=(0, 1)))
    assert kept(counted, value) == ALWAYS | {"features.x", "features.colour"}
