"""Small drawings: what is in the numbers is in the paths."""

import re
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.report.figures import BARS_HEIGHT, BARS_WIDTH, STRIP_WIDTH, bars, sparkline, strip
from mlvitals.report.frame import ABSENT, STATUSES

codes = st.lists(st.integers(ABSENT, len(STATUSES) - 1), min_size=1, max_size=60)


@given(codes)
def test_a_strip_covers_every_window_once(values):
    shapes = strip(np.array(values, dtype=np.int8))
    spans = [
        (float(left), float(right))
        for shape in shapes
        for left, right in re.findall(r"M([\d.]+) 12V[\d.]+H([\d.]+)V12z", shape.path)
    ]
    spans.sort()
    assert spans[0][0] == 0
    assert spans[-1][1] == STRIP_WIDTH
    assert all(right == left for (_, right), (left, _) in pairwise(spans))


def test_a_warning_is_higher_than_what_is_ok_so_that_no_colour_is_needed():
    heights = {
        shape.name: float(re.findall(r"V([\d.]+)H", shape.path)[0]) for shape in strip(np.arange(-1, 5, dtype="i1"))
    }
    assert heights["warning"] < heights["ok"] < heights["insufficient_data"] < heights["no_data"]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_bars_stay_in_their_box_and_the_largest_fills_it(shares):
    for shape in bars(shares, shares):
        boxes = re.findall(r"M([\d.]+) 120v-([\d.]+)h([\d.]+)V", shape.path)
        assert len(boxes) == sum(share > 0 for share in shares)
        assert all(float(left) + float(width) <= BARS_WIDTH + 0.1 for left, _, width in boxes)
        if max(shares) > 1e-9:
            assert max(float(height) for _, height, _ in boxes) == BARS_HEIGHT - 2


def test_a_sparkline_leaves_a_gap_where_there_is_no_value():
    assert sparkline([1, 2, float("nan"), 3]).count("M") == 2
    assert sparkline([]) == sparkline([float("nan")]) == ""
