"""What measuring one window costs: every signal of a binary model with 30 features, by what it is held against.

Prints JSON: CPU milliseconds and readings per window, for normal production alone and for all four comparisons, with 30
features and with 200; the best of several rounds, as other work on the machine only ever adds.
"""

import json
import time
from collections import Counter

import numpy as np

from mlvitals.signals.measure import measure
from mlvitals.signals.spec import Evidence, Stage
from mlvitals.windows.bins import CategoryBins
from mlvitals.windows.freeze import freeze_categories, freeze_numeric, freeze_score, group_bins
from mlvitals.windows.layout import FeatureLayout, Kind, Layout, OutputLayout, Task
from mlvitals.windows.summary import Summary

ROUNDS = 40


def layout(features: int, generator: np.random.Generator) -> Layout:
    """Return a layout: four of five features are numbers, half with many zeros; half of the rest long-tailed."""
    columns = []
    for index in range(features):
        if index % 5 < 4:
            values = generator.lognormal(size=5_000) * (generator.random(5_000) >= 0.4 * (index % 2))
            columns.append(FeatureLayout(f"number_{index}", Kind.NUMERIC, freeze_numeric(values)))
        else:
            drawn = generator.zipf(1.5, 5_000) if index % 2 else generator.integers(0, 6, 5_000)
            values_of = freeze_categories(Counter(drawn.astype(str).tolist()))
            columns.append(FeatureLayout(f"category_{index}", Kind.CATEGORICAL, values_of))
    scores = generator.beta(1, 20, 5_000)
    bins = freeze_score(scores)
    counts = np.bincount(np.searchsorted(bins.array, scores, side="right"), minlength=bins.size)
    output = OutputLayout(
        task=Task.BINARY, score=bins, groups=group_bins(bins, counts), classes=CategoryBins(("0", "1"), own=2)
    )
    return Layout(features=tuple(columns), output=output)


def summary(of: Layout, rows: int, generator: np.random.Generator) -> Summary:
    """Return rows that fall evenly into the inner bins, a hundredth of them missing."""
    made = Summary.empty(of)
    for part in of.served_sections.values():
        if part.stop - part.start > 1:
            shares = np.ones(part.stop - part.start)
            shares[[0, -4, -2, -1]] = 0
            shares[-3] = shares.sum() / 100
            made.served[part] = generator.multinomial(rows, shares / shares.sum())
    made.served[of.served_sections["predictions"]] = rows
    return made


def cost(windows: list[Evidence]) -> dict[str, float]:
    best, readings = float("inf"), 0
    for evidence in windows:
        began = time.process_time()
        readings = len(list(measure(evidence, Stage.WINDOW)))
        best = min(best, time.process_time() - began)
    return {"milliseconds": round(best * 1e3, 2), "readings": readings}


def main() -> None:
    found = {}
    for features in (30, 200):
        generator = np.random.default_rng(1)
        of = layout(features, generator)
        usual, training, before, others = (summary(of, rows, generator) for rows in (50_000, 20_000, 1_000, 800))
        windows = [summary(of, 1_000, generator) for _ in range(ROUNDS)]
        found[f"{features} features"] = {
            "normal production": cost([Evidence(current=window, reference=usual) for window in windows]),
            "all comparisons": cost(
                [
                    Evidence(current=window, reference=usual, training=training, previous=before, others=others)
                    for window in windows
                ]
            ),
        }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
