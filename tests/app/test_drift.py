"""Drift on real sets against scipy and the published formulas, over rows that this file bins by itself."""

import gzip
import json
import math
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import scipy.stats

from mlvitals.clock import WEEK, parse_time
from mlvitals.windows.layout import Kind
from mlvitals.windows.reference import read_reference

pytestmark = pytest.mark.shared

SETS = ["elec2", "kc_house", "fraud", "chicago_taxi"]
WINDOWS_CHECKED = 4


@pytest.fixture(scope="session", params=SETS)
def compared(request, real, shared_data):
    """Return what was measured, the layout, and the rows of the reference and of a few windows."""
    ran = real(request.param, "1w")
    folder = shared_data / request.param
    with gzip.open(folder / "events.jsonl.gz") as lines:
        events = [json.loads(line) for line in lines]
    weeks: dict[str, list[dict[str, Any]]] = {}
    begins = {start: parse_time(start) for start in ran.series("mlvitals.prediction.count")}
    chosen = list(begins)[:: max(1, len(begins) // WINDOWS_CHECKED)]
    for event in events:
        moment = parse_time(event["timestamp"])
        for start in chosen:
            if begins[start] <= moment < begins[start] + WEEK:
                weeks.setdefault(start, []).append(event)
    reference = pq.read_table(folder / "reference.parquet").to_pydict()
    return ran, read_reference(ran.reference).layout, reference, weeks


def test_feature_drift_equals_an_independent_computation(compared):
    ran, layout, reference, weeks = compared
    by_window = {start: [one for one in ran.measurements if one.window_start == start] for start in weeks}
    for feature in layout.features:
        if not feature.kind.drifts:
            continue
        before = cells(feature.kind, feature.bins, reference[feature.column])
        for start, events in weeks.items():
            now = cells(feature.kind, feature.bins, [event["features"].get(feature.name) for event in events])
            told = {
                one.attributes.get("method") or one.signal.rpartition(".")[2]: one.value
                for one in by_window[start]
                if one.attributes.get("feature") == feature.name
                and one.attributes.get("comparison") == "operating"
                and one.signal.startswith("mlvitals.feature.drift.")
            }
            for method, value in expected(feature.kind, now, before).items():
                assert math.isclose(told[method], value, rel_tol=1e-9, abs_tol=1e-9), (feature.name, start, method)


def test_prediction_drift_equals_an_independent_computation(compared):
    ran, layout, reference, weeks = compared
    output = layout.output
    groups = np.array(output.groups)
    before = grouped(groups, output.score.edges, reference[output.column])
    for start, events in weeks.items():
        name = output.column.removeprefix("prediction.")
        now = grouped(groups, output.score.edges, [event["prediction"].get(name) for event in events])
        for method, value in expected(Kind.NUMERIC, now, before, location=False).items():
            told = ran.series("mlvitals.prediction.drift.score", method=method, comparison="operating")[start].value
            assert math.isclose(told, value, rel_tol=1e-9, abs_tol=1e-9), (start, method)


def cells(kind, bins, values):
    """Return the code of each value's bin, and the number of rows in each special cell."""
    if kind is Kind.NUMERIC:
        numbers = np.array([math.nan if value is None else float(value) for value in values])
        finite = numbers[np.isfinite(numbers)]
        specials = [int(np.isnan(numbers).sum()), int(np.isinf(numbers).sum()), 0]
        return np.searchsorted(np.array(bins.edges), finite, side="right"), bins.size, specials
    texts = [None if value is None else spelled(value) for value in values]
    if kind is Kind.BOOLEAN:
        texts = [None if text is None else {"0": "false", "1": "true"}.get(text, text) for text in texts]
    own = bins.values[: bins.own]
    codes = np.array([own.index(text) for text in texts if text in own], dtype=int)
    return codes, bins.own, [texts.count(None), len(texts) - texts.count(None) - len(codes)]


def spelled(value):
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def grouped(groups, edges, values):
    codes, _, specials = cells(Kind.NUMERIC, Bins(edges), values)
    return groups[codes], int(groups.max()) + 1, specials


class Bins:
    def __init__(self, edges):
        self.edges = edges
        self.size = len(edges) + 1


def expected(kind, now, before, *, location=True):
    """Return what the documentation's formulas say of two sets of rows."""
    codes, size, specials = now
    reference_codes, _, reference_specials = before
    counts = np.concatenate([np.bincount(codes, minlength=size), specials])
    reference_counts = np.concatenate([np.bincount(reference_codes, minlength=size), reference_specials])
    found = {"psi": psi(counts, reference_counts)}
    if kind is Kind.NUMERIC:
        found["ks"] = scipy.stats.ks_2samp(codes, reference_codes, method="asymp").statistic
        if location and size > 1:
            found["location"] = shift(counts[:size], reference_counts[:size])
    return found


def psi(c, r):
    filled = c + r > 0
    c, r = c[filled], r[filled]
    n, k, rows = c.sum(), len(c), r.sum()
    q, p = (c + 0.5) / (n + k / 2), (r + 0.5) / (rows + k / 2)
    bias = (1 - q) * (1 + p / q) / (2 * n) + (1 - p) * (1 + q / p) / (2 * rows)
    # Where few rows are to be expected on the smaller side: the mean of all that can happen, up to 27 rows there.
    less, more = sorted((n, rows))
    for cell, total in enumerate(c + r):
        if total * less / (n + rows) < 8:
            drawn = np.arange(28)
            ours = (drawn + 0.5) / (less + k / 2)
            theirs = (np.maximum(total - drawn, 0) + 0.5) / (more + k / 2)
            chances = scipy.stats.binom.pmf(drawn, total, less / (n + rows))
            bias[cell] = (chances * (ours - theirs) * np.log(ours / theirs)).sum() * (1 - total / (n + rows))
    return ((q - p) * np.log(q / p) - bias).sum()


def shift(c, r):
    n, k, rows = c.sum(), len(c), r.sum()
    smooth = (r + 0.5) / (rows + k / 2)
    # Each limit from its nearer tail: 1 - 1e-6 has lost ten digits of the 1e-6.
    below = np.cumsum(r + 0.5)[:-1]
    above = rows + k / 2 - below
    normal = scipy.stats.norm
    limits = np.where(below < above, normal.ppf(below / (rows + k / 2)), normal.isf(above / (rows + k / 2)))
    scores = -np.diff(normal.pdf(np.concatenate([[-np.inf], limits, [np.inf]]))) / smooth
    scores -= (smooth * scores).sum()
    scores /= math.sqrt((smooth * scores**2).sum())
    return (scores * (c / n - r / rows)).sum()
