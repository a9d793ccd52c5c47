"""The seeded set that the golden values were computed on, without the packages that its own script needs."""

from typing import Final

import numpy as np
import pyarrow as pa

CATEGORIES: Final = {"cat_3": 3, "cat_10": 10, "cat_50": 50, "cat_1k": 1_000, "cat_100k": 100_000}
NUMBERS: Final = [f"num_{place:02d}" for place in range(20)]


def make_table(rows: int, seed: int, drift: float, kept: np.ndarray) -> pa.Table:
    """Draw the set's columns in its script's order, so that seeds give the same values, and keep some of the rows."""
    random = np.random.default_rng(seed)
    drawn = {name: _numbers(random, rows, place, drift) for place, name in enumerate(NUMBERS)}
    columns: dict[str, pa.Array] = {name: pa.array(values[kept]) for name, values in drawn.items()}
    for place, (name, many) in enumerate(CATEGORIES.items()):
        if many <= 50:
            weights = 1.0 / np.arange(1, many + 1) ** (0.5 + 0.1 * drift * place)
            codes = random.choice(many, rows, p=weights / weights.sum())
        else:
            codes = np.minimum((many * random.random(rows) ** (2 + 0.1 * drift)).astype(np.int64), many - 1)
        names = [f"{name}_v{code:06d}" if many > 50 else f"v{code}" for code in range(many)]
        columns[name] = pa.DictionaryArray.from_arrays(codes[kept], pa.array(names))
    logit = 0.8 * np.nan_to_num(drawn["num_00"]) + 0.5 * drawn["num_01"] - 1.0 * (drawn["num_10"] - 0.5)
    logit = logit + 0.2 * drift - 0.7
    columns["score"] = pa.array(np.round(1 / (1 + np.exp(-(logit + random.normal(0, 0.5, rows)))), 6)[kept])
    return pa.table(columns)


def make_tables() -> tuple[pa.Table, pa.Table]:
    """Return the reference of 200,000 rows and the sample of 100,000 of the current million."""
    rows = 1_000_000
    sample = np.sort(np.random.default_rng(3).permutation(rows)[:100_000])
    return make_table(200_000, 1, 0.0, np.arange(200_000)), make_table(rows, 2, 1.0, sample)


def _numbers(random: np.random.Generator, rows: int, place: int, drift: float) -> np.ndarray:
    shift = drift * (place % 5) * 0.05
    values: np.ndarray
    match place // 5:
        case 0:
            values = random.normal(shift, 1 + shift / 2, rows)
        case 1:
            values = random.lognormal(shift, 0.75, rows)
        case 2:
            values = random.uniform(shift, 1 + shift, rows)
        case _:
            values = random.standard_t(2.5, rows) + shift
    values = np.round(values, 6)
    if place % 4 == 3:
        values[random.random(rows) < 0.02] = np.nan
    return values
