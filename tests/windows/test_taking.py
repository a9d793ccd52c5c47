import math
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlvitals.clock import DAY
from mlvitals.windows.bins import NumericBins
from mlvitals.windows.choice import Choice
from mlvitals.windows.layout import Kind
from mlvitals.windows.reference import decode_reference, encode_reference
from mlvitals.windows.taking import take_reference
from mlvitals.windows.window import WindowSize

TIME = pa.timestamp("us", tz="UTC")


def batch(times, **columns):
    return pa.record_batch({"timestamp": pa.array(times, TIME), **columns})


def take(*batches, choice=None, complete=False, provenance=None, features_of=None):
    return take_reference(
        choice or Choice(),
        lambda: iter(batches),
        model="m",
        version="",
        size=WindowSize.parse("1d"),
        complete=complete,
        provenance=provenance or {},
        features_of=features_of,
    )


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(0)
    times = np.sort(random.integers(-2 * DAY, 3 * DAY, 200))
    scores = random.random(200)
    labels = pa.array(
        [str(int(truth)) if known else None for truth, known in zip(scores > 0.4, scores > 0.1, strict=True)]
    )
    return batch(times, **{"features.x": random.normal(size=200), "prediction.score": scores, "label": labels})


def test_every_row_is_counted_in_all_and_in_its_window(rows):
    reference = take(rows, provenance={"by": "a test"}, complete=True)
    assert reference.summary.predictions == 200
    assert list(reference.series) == [day * DAY for day in range(-2, 3)]
    assert np.array_equal(sum(reference.series.values()), reference.summary.served)
    times = rows.column("timestamp").cast(pa.int64()).to_numpy()
    first = reference.layout.served_sections["predictions"]
    assert [int(one[first][0]) for one in reference.series.values()] == np.histogram(times // DAY, range(-2, 4))[
        0
    ].tolist()
    assert reference.provenance["rows"] == "200"
    assert reference.provenance["by"] == "a test"
    assert reference.complete


@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(1, 199)))
def test_how_the_rows_were_cut_does_not_matter(rows, cuts):
    places = [0, *sorted(cuts), 200]
    parts = [rows.slice(a, b - a) for a, b in pairwise(places)]
    assert encode_reference(take(*parts)) == encode_reference(take(rows))


def test_labels_of_a_reference_have_no_age_and_are_all_counted(rows):
    reference = take(rows)
    outcome = reference.summary.outcome(0)
    scores, labels = rows.column("prediction.score").to_numpy(), rows.column("label").to_pylist()
    known = [(score, label == "1") for score, label in zip(scores, labels, strict=True) if label is not None]
    assert outcome.labelled == outcome.measured == len(known)
    assert outcome.total("brier") == math.fsum((score - true) ** 2 for score, true in known)
    assert outcome.calibration[0].sum() == len(known)
    assert outcome.positives.sum() == sum(true for _, true in known)
    assert outcome.confusion[1, 1] == sum(score >= 0.5 and true for score, true in known)


def test_a_reference_may_take_its_features_from_another_layout(rows):
    frozen = take(rows).layout
    later = take(batch([0, 1], **{"features.x": [1e9, None], "features.y": [1, 2]}), features_of=frozen)
    assert later.layout.features == frozen.features
    (feature,) = frozen.features
    assert later.summary.feature(feature).counts[-1] == 1
    assert later.layout.output.score is None


def test_a_regression_reference_counts_its_errors():
    reference = take(batch([0, 1, 2], **{"prediction.value": [1.0, 2.0, 4.0], "label": pa.array([1.5, None, 2.0])}))
    outcome = reference.summary.outcome(0)
    assert (outcome.labelled, outcome.total("absolute"), outcome.total("squared")) == (2, 2.5, 4.25)


def test_features_are_counted_under_the_names_they_are_known_by():
    choice = Choice(aliases={"old": "new"}, kinds={"new": Kind.NUMERIC})
    reference = take(batch([0], **{"features.old": [3.0]}), choice=choice)
    (feature,) = reference.layout.features
    assert feature.column == "features.new"
    assert isinstance(feature.bins, NumericBins)
    assert reference.summary.feature(feature).counts.tolist() == [0, 0, 0, 1, 0]


def test_no_rows_make_an_empty_reference_that_can_be_kept():
    for empty in ([], [batch([], **{"features.x": pa.array([], pa.float64())})]):
        reference = take(*empty)
        assert reference.summary.predictions == 0
        assert reference.series == {}
        assert reference.provenance == {"rows": "0"}
        assert decode_reference(encode_reference(reference), "here").hash == reference.hash


@pytest.mark.parametrize("cut", [200, 7])
def test_the_segments_of_a_column_add_up_to_the_reference(rows, cut):
    channels = pa.array([("web", "app", None)[place % 3] for place in range(200)])
    rows = rows.append_column("features.channel", channels).append_column(
        "region", pa.array(["north" if place < 150 else "south" for place in range(200)])
    )
    choice = Choice(segments=("channel", "region"))
    reference = take(*(rows.slice(start, cut) for start in range(0, 200, cut)), choice=choice)
    assert list(reference.segments) == [
        "channel=__other__",
        "channel=app",
        "channel=web",
        "region=north",
        "region=south",
    ]
    for column in choice.segments:
        parts = [part for name, part in reference.segments.items() if name.startswith(column)]
        assert np.array_equal(sum(part.served for part in parts), reference.summary.served)
        assert np.array_equal(sum(part.outcomes for part in parts), reference.summary.outcomes)
    assert reference.summary.outcomes.any()
    assert reference.segments["region=north"].predictions == 150


def test_a_reference_of_a_model_without_segments_has_none(rows):
    assert take(rows).segments == {}
