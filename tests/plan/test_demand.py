from functools import partial

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlvitals.engines.judging import Judge
from mlvitals.engines.layouts import References
from mlvitals.engines.surroundings import Surroundings
from mlvitals.plan import Monitored, measure_demand
from mlvitals.plan.saturate import saturated
from mlvitals.signals.spec import Export
from mlvitals.telemetry import Service, allow, render
from mlvitals.windows.choice import Choice
from mlvitals.windows.cohorts import Cohort, CohortKey
from mlvitals.windows.exact_sum import CELLS
from mlvitals.windows.groups import ALL
from mlvitals.windows.summary import Summary
from mlvitals.windows.taking import take_reference
from mlvitals.windows.window import WindowSize

HOUR = 3_600_000_000
MATURITIES = (("1d", 24 * HOUR), ("7d", 168 * HOUR))
CHANNEL = ("channel=web", "channel=__other__")


def rows(task, count=600):
    """Return a reference's rows: numbers with a point mass, a constant, categories, a text, and what is predicted."""
    random = np.random.default_rng(5)
    columns = {
        "timestamp": pa.array([hour * HOUR // 60 for hour in range(count)], pa.timestamp("us", "UTC")),
        "model": ["m"] * count,
        "features.amount": np.where(random.random(count) < 0.3, 0.0, random.normal(size=count)),
        "features.constant": np.ones(count),
        "features.channel": random.choice(["web", "app", "shop"], count),
        "features.words": [f"some words of text number {place} and more of them" for place in range(count)],
    }
    if task == "regression":
        columns["prediction.value"] = random.normal(size=count)
    else:
        classes = ["0", "1"] if task == "binary" else ["a", "b", "c", "d"]
        columns["prediction.label"] = random.choice(classes, count)
        columns["prediction.score"] = random.random(count)
    return pa.RecordBatch.from_pydict(columns)


def batches_of(task, count):
    return iter([rows(task, count)])


@pytest.fixture(scope="module", params=["binary", "multiclass", "regression"])
def model(request) -> Monitored:
    choice = Choice(segments=("channel",), propensity=True)
    made = [
        take_reference(
            choice,
            partial(batches_of, request.param, count),
            model="m",
            version=version,
            size=WindowSize.parse("1h"),
            complete=False,
            provenance={},
        )
        for version, count in (("", 600), ("7", 500))
    ]
    references = References(choice, operating=made[0], training={"7": made[1]})
    judge = Judge(model="m", environment="prod", references=references, metrics=frozenset())
    return Monitored(
        judge=judge,
        maturities=MATURITIES,
        segments=("channel",),
        window=WindowSize.parse("1h"),
        repeats=True,
        important=("channel", "w*"),
        learns=False,
    )


def any_summary(layout, random, filled):
    """Return a summary of which a share of the cells holds something, small or large; sums stay as they are or go."""
    summary = saturated(layout, int(random.integers(100)))
    full = summary.outcomes[0].copy()
    for cells in (summary.served, summary.outcomes[0]):
        kept = random.random(len(cells)) < filled
        small = np.where(kept, random.integers(1, 2000, len(cells)), 0)
        cells[:] = np.where(cells < 2000, np.minimum(cells, small), cells)
    for name, section in layout.outcome_sections.items():
        if section.stop - section.start == CELLS or name == "calibration":
            summary.outcomes[0, section] = full[section] if random.random() < filled else 0
        if name.startswith("weigh"):  # labels stand for others all together, or not at all
            summary.outcomes[0, section] = full[section] if filled > 0.1 else 0
        if name in {"improper", "improbable"}:
            summary.outcomes[0, section] = int(random.random() < 0.2)
    if filled == 0.0:
        return Summary.empty(layout, buckets=1)
    return summary


@settings(max_examples=60)
@example(seed=1, filled=0.3, version="7", segment=ALL, level=Export.FULL)  # an interval of a bias of nothing
@given(
    seed=st.integers(0, 2**32 - 1),
    filled=st.sampled_from([0.0, 0.001, 0.02, 0.3, 1.0]),
    version=st.sampled_from(["", "7", "8"]),
    segment=st.sampled_from([ALL, *CHANNEL]),
    level=st.sampled_from(list(Export)),
)
def test_no_window_has_a_series_that_was_not_foreseen(*, model, seed, filled, version, segment, level):
    random = np.random.default_rng(seed)
    layout = model.judge.references.layout(version)
    start = 480_000 * HOUR
    cohort = Cohort(CohortKey(start, version, segment), start + HOUR, any_summary(layout, random, filled))
    surroundings = Surroundings(
        previous=any_summary(layout, random, filled), others=any_summary(layout, random, filled), repeats=3
    )
    measurements = [*model.judge.window(cohort, surroundings), *model.judge.maturity(cohort, 0, "7d")]
    points, _ = render(
        measurements,
        stamp=cohort.end,
        start=start,
        level=level,
        specs=model.judge.signals.specs,
        service=Service(name="s", environment="prod"),
    )
    allowance = allow(measure_demand(model, level).demand, 1, None)
    assert [point for point in points if not allowance.lets(point.name, point.attributes)] == []
    assert len(points) <= allowance.series


def test_features_go_by_a_persons_word_then_by_what_the_reference_knows_of_them(model):
    demand = measure_demand(model, Export.FULL).demand
    named = [unit.name for unit in demand.units if unit.rank.name == "FEATURE"]
    assert named == ["channel", "words", "amount", "constant"]


def test_membership_follows_from_layout_and_configuration_alone(model):
    one, other = (measure_demand(model, Export.STANDARD).demand for _ in range(2))
    assert one == other
    assert list(one.units) == list(other.units)


def test_a_model_that_learns_is_planned_as_it_is_until_then(model):
    choice = Choice(segments=("channel",))
    judge = Judge(model="m", environment="prod", references=References(choice), metrics=frozenset())
    learning = Monitored(
        judge=judge,
        maturities=MATURITIES,
        segments=("channel",),
        window=model.window,
        repeats=False,
        important=(),
        learns=True,
    )
    measured = measure_demand(learning, Export.FULL)
    assert measured.learns
    assert measured.demand.segments == ("channel=__other__",)
    assert 0 < measured.demand.base <= measured.demand.total
