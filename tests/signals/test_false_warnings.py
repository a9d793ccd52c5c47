"""Where nothing changed nothing warns: features of many shapes, references and windows drawn from the same source."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from mlvitals.clock import DAY, HOUR, WEEK
from mlvitals.decisions.thresholds import judge
from mlvitals.signals.registry import STATISTICS
from mlvitals.signals.season import Season
from mlvitals.signals.spec import Evidence, Stage, Status
from mlvitals.signals.traffic import usual_limits
from mlvitals.windows.bins import OTHER, UNSEEN, CategoryBins, NumericBins
from mlvitals.windows.freeze import freeze_categories, freeze_numeric, freeze_score, group_bins
from mlvitals.windows.layout import FeatureLayout, Kind, Layout, OutputLayout, Task
from mlvitals.windows.summary import Summary
from mlvitals.windows.window import WindowSize

Random = np.random.Generator
Draw = Callable[[Random, int], np.ndarray]


def zipf(categories: int) -> Draw:
    weights = np.arange(1, categories + 1) ** -1.1
    below = np.cumsum(weights / weights.sum())
    return lambda random, rows: np.searchsorted(below, random.random(rows) * below[-1])


def sometimes(share: float, value: float, rest: Draw) -> Draw:
    return lambda random, rows: np.where(random.random(rows) < share, value, rest(random, rows))


def normal(random: Random, rows: int) -> np.ndarray:
    return random.normal(size=rows)


def gamma(random: Random, rows: int) -> np.ndarray:
    return random.gamma(2, size=rows)


NUMBERS: dict[str, Draw] = {
    "normal": normal,
    "far from zero": lambda random, rows: 1_000 + random.normal(size=rows),
    "uniform": lambda random, rows: random.random(rows),
    "lognormal": lambda random, rows: random.lognormal(0, 3, rows),
    "cauchy": lambda random, rows: random.standard_cauchy(rows),
    "constant": lambda _, rows: np.full(rows, 7.0),
    "counts": lambda random, rows: random.poisson(3, rows) + 0.0,
    "long counts": lambda random, rows: random.geometric(0.02, rows) + 0.0,
    "binary": lambda random, rows: (random.random(rows) < 0.3) + 0.0,
    "rarely one": lambda random, rows: (random.random(rows) < 1e-3) + 0.0,
    "mostly zero": sometimes(0.9, 0.0, gamma),
    "often zero": sometimes(0.1, 0.0, normal),
    "rarely missing": sometimes(1e-3, np.nan, normal),
    "at times missing": sometimes(0.02, np.nan, normal),
    "mostly missing": sometimes(0.9, np.nan, gamma),
}
CATEGORIES: dict[str, Draw] = {
    "two": zipf(2),
    "ten": zipf(10),
    "fifty": zipf(50),
    "a thousand": zipf(1_000),
    "a hundred thousand": zipf(100_000),
    "a hundred thousand alike": lambda random, rows: random.integers(0, 100_000, rows),
    "one and rare ones": lambda random, rows: np.where(random.random(rows) < 2e-3, random.integers(1, 500, rows), 0),
}


def counted(values: np.ndarray, bins: NumericBins | CategoryBins) -> np.ndarray:
    """Count values by bin, the specials after them."""
    if isinstance(bins, NumericBins):
        there = values[~np.isnan(values)]
        cells = np.bincount(np.searchsorted(bins.array, there, side="right"), minlength=bins.size)
        return np.concatenate([cells, [len(values) - len(there), 0, 0]])
    codes = np.full(100_000, bins.own + UNSEEN)
    known = np.array(bins.values, np.int64)
    codes[known] = bins.own + OTHER
    codes[known[: bins.own]] = np.arange(bins.own)
    return np.bincount(codes[values], minlength=bins.size + 3)


def summarised(layout: Layout, columns: dict[str, np.ndarray], score: np.ndarray) -> Summary:
    summary = Summary.empty(layout)
    parts = layout.served_sections
    summary.served[parts["predictions"]] = len(score)
    assert layout.output.score is not None
    summary.served[parts["score"]] = counted(score, layout.output.score)
    for feature in layout.features:
        summary.served[parts[feature.column]] = counted(columns[feature.name], feature.bins)
    return summary


def drawn(random: Random, rows: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    columns = {name: draw(random, rows) for name, draw in (NUMBERS | CATEGORIES).items()}
    return columns, random.beta(1, 8, rows)


def frozen(columns: dict[str, np.ndarray], score: np.ndarray) -> Layout:
    features = [FeatureLayout(name, Kind.NUMERIC, freeze_numeric(columns[name])) for name in NUMBERS]
    for name in CATEGORIES:
        counts = Counter(str(value) for value in columns[name].tolist())
        features.append(FeatureLayout(name, Kind.CATEGORICAL, freeze_categories(counts)))
    bins = freeze_score(score)
    groups = group_bins(bins, counted(score, bins))
    return Layout(tuple(features), OutputLayout(Task.BINARY, score=bins, groups=groups))


JUDGED = [one for one in STATISTICS if one.spec.warning is not None and one.spec.stage is Stage.WINDOW]


@pytest.mark.parametrize(("rows", "windows"), [(30, 2), (100, 12), (300, 10), (1_000, 8), (10_000, 2)])
@pytest.mark.parametrize("reference_rows", [1_000, 10_000])
def test_of_a_thousand_features_where_nothing_changed_less_than_one_warns(rows, windows, reference_rows):
    random = np.random.default_rng(rows + reference_rows)
    judged: Counter[str] = Counter()
    warned: Counter[tuple[str, str]] = Counter()
    for _ in range(2):
        columns, score = drawn(random, reference_rows)
        layout = frozen(columns, score)
        reference = summarised(layout, columns, score)
        for _ in range(windows):
            current = summarised(layout, *drawn(random, rows))
            current.served[layout.served_sections["errors"]] = random.binomial(rows, 0.01)
            evidence = Evidence(current=current, reference=reference, training=reference)
            for statistic in JUDGED:
                for reading in statistic.compute(evidence):
                    status, threshold = judge(statistic.spec, reading)[:2]
                    if threshold is not None and status is not Status.INSUFFICIENT_DATA:
                        judged[statistic.spec.name] += 1
                        if status is Status.WARNING:
                            warned[statistic.spec.name, reading.attributes.get("feature", "")] += 1
    assert len(judged) == (1 if rows < 100 else len(JUDGED)), "of thirty rows only errors are judged"
    assert sum(warned.values()) <= sum(judged.values()) / 1_000, warned


@pytest.mark.parametrize("mean", [3.0, 30.0, 3_000.0])
@pytest.mark.parametrize("variation", [0.0, 0.2])
def test_of_a_thousand_windows_of_the_usual_volume_less_than_one_warns(mean, variation):
    random = np.random.default_rng(int(mean))
    size = WindowSize.parse("1h")
    outside = 0
    for _ in range(20):
        hours = np.arange(3 * WEEK // HOUR)
        level = mean * (1 + 0.8 * np.sin(2 * np.pi * hours * HOUR / DAY))
        if variation:
            level = random.gamma(1 / variation**2, level * variation**2)
        counts = random.poisson(level)
        known = {int(hour) * HOUR: int(count) for hour, count in zip(hours, counts, strict=True)}
        season = Season.fit(known, size, 0, 2 * WEEK)
        assert season is not None
        for start in range(2 * WEEK, 3 * WEEK, HOUR):
            usual = season.at(start)
            assert usual is not None
            low, high = usual_limits(usual)
            outside += usual.expected >= 10 and not low < known[start] < high
    assert outside <= 20 * 168 / 1_000
