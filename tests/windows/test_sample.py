import math
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.windows import sample as sample_module
from mlvitals.windows.bins import TRUTHS, UNKNOWN_VALUES, CategoryBins, NumericBins
from mlvitals.windows.choice import Choice
from mlvitals.windows.layout import Kind, Task
from mlvitals.windows.sample import ReferenceSample


def freeze(*batches, **choice):
    sample = ReferenceSample(Choice(**choice))
    for columns in batches:
        sample.add(columns if isinstance(columns, pa.RecordBatch) else pa.record_batch(columns))
    return sample.freeze()


def kinds(layout):
    return {one.name: one.kind for one in layout.features}


def test_features_keep_their_order_and_take_the_kind_of_their_column():
    layout = freeze(
        {
            "timestamp": [1, 2],
            "features.z": [1, 2],
            "features.text": ["a", "b"],
            "features.truth": [True, False],
            "features.double": [0.5, None],
            "features.coded": pa.array(["a", "b"]).dictionary_encode(),
            "features.long": pa.array(["a", "b"], pa.large_string()),
            "amount": [1.0, 2.0],
        }
    )
    assert kinds(layout) == {
        "z": Kind.NUMERIC,
        "text": Kind.CATEGORICAL,
        "truth": Kind.BOOLEAN,
        "double": Kind.NUMERIC,
        "coded": Kind.CATEGORICAL,
        "long": Kind.CATEGORICAL,
    }
    truth = layout.features[2].bins
    assert truth == TRUTHS


def test_vectors_and_objects_are_left_out():
    layout = freeze({"features.v": [[1.0], [2.0]], "features.o": [{"a": 1}, {"a": 2}], "features.x": [1, 2]})
    assert list(kinds(layout)) == ["x"]


def test_a_feature_that_is_always_missing_is_numeric_with_one_bin():
    layout = freeze({"features.x": pa.nulls(3)}, {"features.y": [1]})
    assert kinds(layout) == {"x": Kind.NUMERIC, "y": Kind.NUMERIC}
    assert layout.features[0].bins == NumericBins(())


def test_names_and_patterns_choose_features():
    columns = {f"features.{name}": [1.0] for name in ("age", "age_days", "user.id", "raw")}
    assert list(kinds(freeze(columns, include=("age*", "raw")))) == ["age", "age_days", "raw"]
    assert list(kinds(freeze(columns, exclude=("*.id", "raw")))) == ["age", "age_days"]
    assert list(kinds(freeze(columns, include=("age*",), exclude=("age",)))) == ["age_days"]
    assert freeze(columns, include=()).features == ()


def test_a_chosen_kind_goes_before_the_columns():
    layout = freeze(
        {"features.code": [7, 7, 8], "features.text": ["1", "2", "x"]},
        kinds={"code": Kind.CATEGORICAL, "text": Kind.NUMERIC},
    )
    code, text = layout.features
    assert (code.kind, text.kind) == (Kind.CATEGORICAL, Kind.NUMERIC)
    assert code.bins == CategoryBins(("7", "8"), own=2, once=1)
    assert isinstance(text.bins, NumericBins)
    assert (text.bins.lowest, text.bins.highest) == (1.0, 2.0)


def test_aliases_rename_features_before_anything_else_looks_at_them():
    choice = Choice(aliases={"old": "new"}, include=("new",))
    batch = choice.rename(pa.record_batch({"features.old": [1.0], "prediction.score": [0.5]}))
    assert batch.schema.names == ["features.new", "prediction.score"]
    assert list(kinds(freeze(batch, include=("new",)))) == ["new"]
    assert Choice().rename(batch) is batch


@pytest.mark.parametrize(
    ("new", "old", "one"),
    [
        ([None, 2.0, 3.0], [1.0, None, 9.0], [1.0, 2.0, 3.0]),
        ([None, None, None], [1.0, None, 9.0], [1.0, None, 9.0]),
        ([None, 2, 3], [1.5, None, None], [1.5, 2.0, 3.0]),
        ([None, "b", "c"], [1, None, None], ["1", "b", "c"]),
    ],
)
def test_a_feature_that_is_renamed_midway_is_one_feature(new, old, one):
    choice = Choice(aliases={"x_new": "x", "x_old": "x"})
    columns = {"features.x_old": old, "features.x_new": new, "model": ["m"] * 3}
    renamed = choice.rename(pa.record_batch(columns))
    assert renamed.to_pydict() == {"features.x": one, "model": ["m"] * 3}
    spelled = pa.array(["a", None, None]).dictionary_encode()
    coded = choice.rename(pa.record_batch({"features.x_old": pa.array([None, "b", "c"]), "features.x": spelled}))
    assert coded.to_pydict() == {"features.x": ["a", "b", "c"]}


def test_a_column_that_was_numbers_and_text_is_what_most_of_its_values_are():
    numeric = freeze({"features.x": [1, 2, 3]}, {"features.x": ["4", "N/A"]})
    assert kinds(numeric) == {"x": Kind.NUMERIC}
    text = freeze({"features.x": [1]}, {"features.x": ["a", "b", "b", None]})
    assert text.features[0].bins == CategoryBins(("b", "1", "a"), own=3, once=2)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.sets(st.integers(0, 30)))
def test_how_the_rows_were_cut_does_not_matter(values, cuts):
    scores = [value / 10 for value in values]
    columns = {"features.x": values, "features.c": [f"c{value}" for value in values], "prediction.score": scores}
    whole = pa.record_batch(columns)
    places = [0, *sorted(cut for cut in cuts if 0 < cut < len(values)), len(values)]
    parts = [whole.slice(a, b - a) for a, b in pairwise(places)]
    assert freeze(*parts, segments=("c",)).hash == freeze(whole, segments=("c",)).hash


def test_segments_are_frozen_in_alphabetical_order_be_they_monitored_or_not():
    columns = {"features.country": ["DE", "CH", None, "DE"], "model_version": ["b", "a", "a", "a"]}
    layout = freeze(columns, segments=("country", "model_version", "absent"), exclude=("country",))
    assert layout.segments == {"country": ("CH", "DE"), "model_version": ("a", "b"), "absent": ()}
    assert layout.features == ()


def test_of_many_segment_values_the_fifty_most_frequent_are_kept():
    values = [f"v{n:02}" for n in range(60) for _ in range(60 - n)]
    kept = freeze({"features.s": values}, segments=("s",)).segments["s"]
    assert kept == tuple(f"v{n:02}" for n in range(50))


@pytest.mark.parametrize(
    ("columns", "choice", "task"),
    [
        ({"prediction.score": [0.1, 0.9]}, {}, Task.BINARY),
        ({"prediction.label": [0, 1]}, {}, Task.BINARY),
        ({"prediction.label": [False, True]}, {}, Task.BINARY),
        ({"prediction.label": ["true", "0.0"]}, {}, Task.BINARY),
        ({"prediction.label": ["cat", "dog"]}, {}, Task.MULTICLASS),
        ({"prediction.label": ["cat", "dog"]}, {"positive": "cat"}, Task.BINARY),
        ({"prediction.label": [0, 1], "label": [0, 2]}, {}, Task.MULTICLASS),
        ({"prediction.value": [3.5, 4.5]}, {}, Task.REGRESSION),
        ({"prediction.value": [3.5, 4.5], "prediction.label": ["a", "b"]}, {}, Task.MULTICLASS),
        ({"prediction.label": [0, 1]}, {"metrics": frozenset({"mae"})}, Task.REGRESSION),
        ({"prediction.label": [0, 1]}, {"metrics": frozenset({"r2"})}, Task.REGRESSION),
        ({"prediction.label": [0, 1]}, {"metrics": frozenset({"mcc", "log_loss"})}, Task.BINARY),
    ],
)
def test_the_task_is_told_by_the_predictions(columns, choice, task):
    assert freeze(columns, **choice).output.task is task


def test_a_binary_output_has_scores_classes_and_drift_bins():
    scores, truth = [0.1, 0.2, 0.2, math.nan, None], [0, 1, 1, 0, None]
    output = freeze({"prediction.score": scores, "label": truth}, threshold=0.0).output
    assert output.score is not None
    assert output.score.is_point.sum() == 2
    assert output.groups == (0, 1, 2, 3, 4)
    assert output.classes == CategoryBins(("0", "1"), own=2)
    assert (output.positive, output.threshold, output.probability) == ("1", 0.0, True)


@pytest.mark.parametrize(("scores", "probability"), [([0.0, 1.0], True), ([0.0, 1.01], False), ([-3.0, 0.5], False)])
def test_scores_are_probabilities_only_within_their_range(scores, probability):
    assert freeze({"prediction.score": scores}).output.probability is probability


@pytest.mark.parametrize(("chosen", "classes"), [({}, ("0", "1")), ({"positive": "bad"}, ("0", "bad"))])
def test_the_threshold_makes_classes_where_scores_alone_are_known(chosen, classes):
    output = freeze({"prediction.score": [0.1, 0.9]}, **chosen).output
    assert output.classes is not None
    assert output.classes.values == classes
    values = {"prediction.value": [0.1, 0.9]}
    assert freeze(values).output.classes is None


def test_an_output_without_scores_has_no_bins_of_them():
    output = freeze({"prediction.label": ["a", "b"], "prediction.score": [None, math.nan]}).output
    assert (output.score, output.groups, output.probability) == (None, (), False)
    assert freeze().output.classes is None


def test_fine_score_bins_follow_each_true_class():
    random = np.random.default_rng(0)
    truth = random.random(20_000) < 0.02
    scores = np.where(truth, random.uniform(0.9, 0.91, 20_000), random.uniform(0, 0.1, 20_000))
    known = freeze({"prediction.score": scores, "label": truth}).output.score
    unknown = freeze({"prediction.score": scores}).output.score
    assert known is not None
    assert unknown is not None

    def within(bins):
        return int(((bins.array > 0.9) & (bins.array < 0.91)).sum())

    assert within(known) > 3 * within(unknown)


@pytest.mark.parametrize("sizes", [[1_000], [7] * 140 + [20], [1, 999], [500, 0, 500]])
def test_past_its_bound_a_sample_keeps_every_kth_row_evenly(monkeypatch, sizes):
    monkeypatch.setattr(sample_module, "ROWS_KEPT", 100)
    sample = ReferenceSample(Choice())
    first = 0
    for size in sizes:
        sample.add(pa.record_batch({"features.x": pa.array(range(first, first + size), pa.int64())}))
        first += size
        assert sum(batch.num_rows for batch in sample._batches) <= 100
    assert sample.rows == 1_000
    kept = np.concatenate([batch.column(0).to_numpy() for batch in sample._batches])
    assert kept.tolist() == list(range(0, 1_000, 16))


def test_no_category_is_lost_where_rows_are(monkeypatch):
    monkeypatch.setattr(sample_module, "ROWS_KEPT", 10)
    values = [f"v{n:03}" for n in range(300)]
    bins = freeze({"features.c": values[:150]}, {"features.c": values[150:]}).features[0].bins
    assert isinstance(bins, CategoryBins)
    assert bins.values == tuple(values)


def test_texts_are_measured_and_of_what_is_nobodys_twice_only_the_presence_is_kept():
    names = [f"{n:08x}-{n % 7}" for n in range(60)]
    layout = freeze({"features.note": [f"the note of {name}" for name in names], "features.key": names})
    note, key = layout.features
    assert (note.kind, key.kind) == (Kind.TEXT, Kind.IDENTIFIER)
    assert isinstance(note.bins, NumericBins)
    assert (note.bins.lowest, note.bins.highest) == (22, 22)
    assert key.bins == UNKNOWN_VALUES


@pytest.mark.parametrize(
    ("values", "bins"),
    [([3, 4, 5], NumericBins), (["a", "b", None], CategoryBins), ([True, False, True], CategoryBins)],
)
def test_a_chosen_calendar_has_bins_of_numbers_only_where_it_holds_them(values, bins):
    (feature,) = freeze({"features.x": values}, kinds={"x": Kind.CALENDAR}).features
    assert feature.kind is Kind.CALENDAR
    assert isinstance(feature.bins, bins)


def test_a_features_times_tell_a_calendar():
    times = pa.array([n * 3_600_000_000 for n in range(400)], pa.timestamp("us", tz="UTC"))
    hours = [n % 24 for n in range(400)]
    other = [n % 23 for n in range(400)]
    layout = freeze({"timestamp": times, "features.hour": hours, "features.other": other})
    assert kinds(layout) == {"hour": Kind.CALENDAR, "other": Kind.NUMERIC}


def test_sensitive_features_are_marked():
    layout = freeze({"features.a": ["x"], "features.b": [1]}, sensitive=frozenset({"a"}))
    assert [one.sensitive for one in layout.features] == [True, False]


def test_the_range_is_that_of_all_rows_though_some_are_not_kept(monkeypatch):
    monkeypatch.setattr(sample_module, "ROWS_KEPT", 10)
    values = [0.5] * 200
    values[7], values[101] = -3.0, 9.0
    sample = {"features.x": values[:100], "prediction.score": values[:100]}
    more = {"features.x": values[100:], "prediction.score": values[100:]}
    layout = freeze(sample, more)
    for bins in (layout.features[0].bins, layout.output.score):
        assert isinstance(bins, NumericBins)
        assert (bins.lowest, bins.highest) == (-3.0, 9.0)


def test_wide_rows_are_kept_up_to_a_bound_in_bytes(monkeypatch):
    monkeypatch.setattr(sample_module, "BYTES_KEPT", 20_000)
    sample = ReferenceSample(Choice())
    for _ in range(5):
        sample.add(pa.record_batch({"features.text": ["x" * 1_000] * 100}))
    assert sum(batch.nbytes for batch in sample._batches) <= 20_000
    assert sum(batch.num_rows for batch in sample._batches) >= 8


def test_a_dictionary_that_grows_along_a_file_is_not_kept_with_every_batch():
    words = pa.array([f"word {n}" for n in range(100_000)])
    sample = ReferenceSample(Choice())
    for start in range(0, 1_000, 100):
        indices = pa.array(range(start, start + 100), pa.int32())
        sample.add(pa.record_batch({"features.c": pa.DictionaryArray.from_arrays(indices, words)}))
    assert sum(batch.nbytes for batch in sample._batches) < 100_000


def shares(rows, **columns):
    """Return columns of classes' probabilities, by class."""
    return {f"prediction.probabilities.{name}": values for name, values in columns.items()} | rows


def test_a_reference_of_probabilities_alone_freezes_classes_and_the_score_that_follow():
    output = freeze(
        shares({"label": ["owl", "owl", "dog"]}, cat=[0.7, 0.2, 0.6], dog=[0.3, 0.8, 0.3], fox=[0.0, 0.0, 0.1])
    ).output
    assert (output.task, output.distribution, output.probability) == (Task.MULTICLASS, True, True)
    assert output.classes is not None
    assert output.classes.values == ("cat", "dog", "owl", "fox"), "by what was predicted and true, then those never met"
    assert output.score is not None
    assert (output.score.lowest, output.score.highest) == (0.6, 0.8)


@pytest.mark.parametrize("positive", [None, "yes"])
def test_two_classes_are_a_binary_task_where_it_is_known_which_is_positive(positive):
    names = ("1", "0") if positive is None else ("yes", "no")
    columns = dict(zip(names, ([0.125, 0.75, None], [0.875, 0.25, None]), strict=True))
    output = freeze(shares({}, **columns), positive=positive).output
    assert (output.task, output.positive, output.distribution) == (Task.BINARY, names[0], True)
    assert output.score is not None
    assert (output.score.lowest, output.score.highest) == (0.125, 0.75)
    assert output.classes is not None
    assert set(output.classes.values) == set(names)


def test_probabilities_of_the_positive_class_alone_know_a_negative_one():
    output = freeze(shares({}, **{"1": [0.25, 0.75]})).output
    assert output.classes is not None
    assert output.classes.values == ("0", "1")


def test_a_binary_reference_that_logs_scores_needs_no_probabilities():
    scored = shares({"prediction.score": [0.5, 0.25]}, **{"1": [0.5, 0.25]})
    assert not freeze(scored).output.distribution


def test_the_range_of_a_score_that_follows_from_probabilities_is_that_of_all_rows(monkeypatch):
    monkeypatch.setattr(sample_module, "ROWS_KEPT", 4)
    chances = [0.5 + index / 100 for index in range(40)]
    first = shares({}, cat=chances, dog=[1 - chance for chance in chances], cow=[0.0] * 40)
    output = freeze(first).output
    assert output.score is not None
    assert (output.score.lowest, output.score.highest) == (0.5, 0.89)
