"""Which segment is said to be the worst, and how rarely one is where none is."""

from dataclasses import replace

import numpy as np
import pytest

from mlvitals.signals.moments import Moment, gap
from mlvitals.signals.segment_worst import SEGMENT_WORST
from mlvitals.windows.summary import Summary


@pytest.fixture
def evidence_of(layouts, fill, usual):
    """Make the evidence of segments by their rows: true negatives, false negatives, false and true positives."""

    def make(segments):
        layout = layouts["binary"]
        parts = {
            name: fill(layout, {}, [{"confusion": [tn, fn, 0, fp, tp, 0, 0, 0, 0]}])
            for name, (tn, fn, fp, tp) in segments.items()
        }
        whole = Summary.empty(layout, 1)
        for part in parts.values():
            whole += part
        outcomes = {name: part.outcome(0) for name, part in parts.items()}
        return replace(usual["binary"], current=whole, outcome=whole.outcome(0), segments=outcomes)

    return make


def read(evidence):
    return {one.attributes["metric"]: one for one in SEGMENT_WORST.compute(evidence)}


def test_the_worst_segment_is_named_with_its_gap_to_all_others(evidence_of):
    evidence = evidence_of({"c=a": (90, 5, 5, 0), "c=b": (60, 20, 20, 0), "c=c": (95, 3, 2, 0)})
    worst = read(evidence)["accuracy"]
    assert worst.evidence == {
        "worst_segment": "c=b",
        "inside": 0.6,
        "outside": 0.925,
        "segments": 3.0,
        "left_out": 0.0,
    }
    assert worst.value == pytest.approx(0.325)
    assert 0.2 < worst.lower < worst.value < worst.upper < 0.45
    assert (worst.samples, worst.reference_samples) == (100, 200)


def test_of_two_segments_the_one_that_is_surely_worse_is_named_not_the_one_with_fewer_rows(evidence_of):
    evidence = evidence_of({"c=few": (21, 9, 0, 0), "c=many": (770, 230, 0, 0), "c=rest": (900, 100, 0, 0)})
    worst = read(evidence)["accuracy"]
    assert worst.evidence["worst_segment"] == "c=many"
    assert worst.evidence["inside"] > 21 / 30


def test_a_segment_of_few_rows_is_left_out_and_counted(evidence_of):
    evidence = evidence_of({"c=few": (1, 28, 0, 0), "c=b": (50, 10, 0, 0), "c=c": (55, 5, 0, 0)})
    worst = read(evidence)["accuracy"]
    assert worst.evidence["worst_segment"] == "c=b"
    assert (worst.evidence["segments"], worst.evidence["left_out"]) == (2.0, 1.0)


def test_one_segment_that_is_everything_has_nothing_to_be_held_against(evidence_of):
    assert read(evidence_of({"c=a": (500, 20, 20, 60)})) == {}


def test_where_no_segment_differs_one_is_surely_worse_in_one_window_of_twenty_at_most(evidence_of):
    random = np.random.default_rng(8)
    sure = alone = 0
    for _ in range(400):
        right = random.binomial(200, 0.9, size=12).tolist()
        found = read(evidence_of({f"c={place}": (one, 200 - one, 0, 0) for place, one in enumerate(right)}))
        sure += found["accuracy"].lower > 0
        inside = [Moment("accuracy", one / 200, 200, 1, one) for one in right]
        outside = [Moment("accuracy", (sum(right) - one) / 2200, 2200, 1, sum(right) - one) for one in right]
        alone += any(gap(rest, one).lower > 0 for one, rest in zip(inside, outside, strict=True))
    assert (sure, alone) == (19, 112)  # the figures of docs/models.md; 20 would be as promised


def test_of_numbers_the_worst_is_the_one_with_the_greater_error(layouts, fill, usual, exact_cells):
    random = np.random.default_rng(9)
    parts = {}
    for name, scale in (("c=a", 1.0), ("c=b", 3.0)):
        errors = np.abs(random.normal(0, scale, size=200))
        sums = {"measured": 200, "absolute": exact_cells(errors), "squared": exact_cells(errors * errors)}
        parts[name] = fill(layouts["regression"], {}, [sums])
    whole = parts["c=a"] + parts["c=b"]
    outcomes = {name: part.outcome(0) for name, part in parts.items()}
    evidence = replace(usual["regression"], current=whole, outcome=whole.outcome(0), segments=outcomes)
    worst = read(evidence)["mae"]
    assert worst.evidence["worst_segment"] == "c=b"
    assert worst.value == pytest.approx(worst.evidence["inside"] - worst.evidence["outside"])
    assert worst.lower > 0
