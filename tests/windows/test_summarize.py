"""Counting in columns against a slow recount, row by row, in plain Python."""

import math
from collections import Counter

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.windows.bins import TRUTHS, UNKNOWN_VALUES, NumericBins
from mlvitals.windows.categories import Coders
from mlvitals.windows.groups import group_rows, segment_codes
from mlvitals.windows.histogram import duration_bins
from mlvitals.windows.layout import FeatureLayout, Kind, Layout, OutputLayout, Task
from mlvitals.windows.summarize import Columns, predicted_texts, summarize, text_lengths

TEXTS = st.sampled_from(["1", "10.5", " 1", "N/A", "", "nan", "-inf", "1e3", "red", "blue", "1.0", "01"])
FLOATS = st.sampled_from([0.0, -0.0, 5e-324, 10.5, 1.0, math.nan, math.inf, -math.inf]) | st.floats(-20, 20)
DICTIONARY = pa.dictionary(pa.int32(), pa.string())
KINDS = {
    "float": (FLOATS, pa.float64()),
    "int": (st.integers(-3, 12), pa.int64()),
    "text": (TEXTS, pa.string()),
    "large text": (TEXTS, pa.large_string()),
    "dictionary": (TEXTS, DICTIONARY),
    "truth": (st.booleans(), pa.bool_()),
    "vector": (st.just([1.0]), pa.list_(pa.float64())),
    "nothing": (st.none(), pa.null()),
}
COLUMNS = {
    "features.size": list(KINDS),
    "features.colour": list(KINDS),
    "features.country": ["text", "dictionary", "int"],
    "prediction.score": ["float", "text", "int"],
    "prediction.label": ["int", "text", "dictionary", "truth", "float"],
    "latency_ms": ["float", "int", "text"],
}


@st.composite
def batches(draw):
    """Columns of any type, or absent, as Python values and as a batch of the same."""
    count = draw(st.integers(0, 12))
    values, arrays = {}, {"timestamp": pa.array(range(count), pa.int64())}
    for name, kinds in COLUMNS.items():
        kind = draw(st.sampled_from([*kinds, "absent"]))
        if kind == "absent":
            values[name] = [None] * count
            continue
        elements, arrow = KINDS[kind]
        values[name] = draw(st.lists(st.none() | elements, min_size=count, max_size=count))
        plain = pa.array(values[name], pa.string() if arrow == DICTIONARY else arrow)
        arrays[name] = plain.dictionary_encode() if arrow == DICTIONARY else plain
    return values, pa.record_batch(arrays)


def read_number(value):
    """A double, or why there is none."""
    if value is None:
        return "missing"
    if isinstance(value, str):
        if value != value.strip() or "_" in value:
            return "invalid"
        try:
            return float(value)
        except ValueError:
            return "invalid"
    return "invalid" if isinstance(value, list) else float(value)


def number_bin(value, edges):
    number = read_number(value)
    if isinstance(number, str):
        return number
    return sum(number >= edge for edge in edges) if math.isfinite(number) else "non_finite"


def read_text(value):
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | int) or (isinstance(value, float) and value.is_integer()):
        return str(int(value))
    return repr(value) if isinstance(value, float) else str(value)


def category_bin(text, bins):
    if text is None:
        return "missing"
    if text in bins.values[: bins.own]:
        return bins.values.index(text)
    return "other" if text in bins.values else "unseen"


def decide(label, score, threshold):
    """The class that a row predicts: the logged one, else by the score."""
    if label is not None:
        truths = {"true": "1", "1.0": "1", "1e3": "1000"}
        return truths.get(label, label) if isinstance(label, str) else read_text(label)
    number = read_number(score)
    if isinstance(number, str) or math.isnan(number):
        return None
    return "1" if number >= threshold else "0"


def recount(layout, values, rows):
    """All counts of some rows, by section and bin."""
    output, counts = layout.output, Counter[tuple[str, int | str]]()
    size, colour = layout.features
    for row in rows:
        score, latency = values["prediction.score"][row], read_number(values["latency_ms"][row])
        label = values["prediction.label"][row]
        counts["predictions", 0] += 1
        scored = number_bin(score, output.score.edges)
        decided = category_bin(decide(label, score, output.threshold), output.classes)
        counts["score", scored] += 1
        counts["class", decided] += 1
        if isinstance(scored, int) and decided == output.classes.values.index("1"):
            counts["positive_score", scored] += 1
        counts["features.size", number_bin(values["features.size"][row], size.bins.edges)] += 1
        counts["features.colour", category_bin(read_text(values["features.colour"][row]), colour.bins)] += 1
        counts["lag", int(duration_bins(np.array([row / 7]))[0])] += 1
        if not isinstance(latency, str) and not math.isnan(latency):
            counts["latency", int(duration_bins(np.array([latency / 1e3]))[0])] += 1
    return counts


def spread(layout, served):
    """The counts of a served vector that are not zero, by section and bin."""
    specials = {"score": True, "features.size": True, "class": False, "features.colour": False}
    counts = Counter[tuple[str, int | str]]()
    for name, part in layout.served_sections.items():
        cells = served[part].tolist()
        names: list[int | str] = list(range(len(cells)))
        if name in specials:
            names[-3:] = ["missing", "non_finite", "invalid"] if specials[name] else ["missing", "other", "unseen"]
        counts.update({(name, names[place]): count for place, count in enumerate(cells) if count})
    return counts


@given(batches(), st.data())
def test_columns_are_counted_as_row_by_row(layout, batch, data):
    values, table = batch
    count = table.num_rows
    rows = np.array(sorted(data.draw(st.sets(st.integers(0, max(count - 1, 0)), max_size=count))), dtype=np.intp)
    starts = np.array(
        data.draw(st.lists(st.sampled_from([-7, 0, 7]), min_size=len(rows), max_size=len(rows))), np.int64
    )
    by_country = data.draw(st.booleans())
    codes, names = segment_codes(table, "country", layout.segments["country"])
    grouping = group_rows(rows, starts, ("country", codes[rows], names) if by_country else None)
    served = summarize(Columns(table, Coders()), layout, grouping, np.arange(count) / 7)
    expected: dict[tuple[int, str], list[int]] = {}
    for row, start in zip(rows.tolist(), starts.tolist(), strict=True):
        country = read_text(values["features.country"][row])
        country = country if country in layout.segments["country"] else "__other__"
        expected.setdefault((start, f"country={country}" if by_country else ""), []).append(row)
    keys = list(zip(grouping.starts, grouping.segments, strict=True))
    assert sorted(keys) == sorted(expected)
    for key, counts in zip(keys, served, strict=True):
        assert spread(layout, counts) == recount(layout, values, expected[key])


@given(batches(), st.data())
def test_any_split_of_a_batch_counts_alike(layout, batch, data):
    _, table = batch
    cut = data.draw(st.integers(0, table.num_rows))
    coders = Coders()

    def count(part):
        grouping = group_rows(np.arange(part.num_rows), np.zeros(part.num_rows, dtype=np.int64), None)
        return summarize(Columns(part, coders), layout, grouping, None).sum(axis=0)

    assert (count(table.slice(0, cut)) + count(table.slice(cut))).tobytes() == count(table).tobytes()


@given(st.lists(st.tuples(st.integers(-2, 2), st.integers(0, 2))))
def test_groups_hold_each_row_once_and_in_order(pairs):
    rows = np.arange(len(pairs)) * 3 + 1
    starts = np.array([start for start, _ in pairs], dtype=np.int64)
    codes = np.array([code for _, code in pairs], dtype=np.intp)
    grouping = group_rows(rows, starts, ("s", codes, ("a", "b", "c")))
    order = np.arange(3 * len(pairs) + 1)[grouping.order].tolist()
    for group, (start, segment) in enumerate(zip(grouping.starts, grouping.segments, strict=True)):
        held = order[grouping.bounds[group] : grouping.bounds[group + 1]]
        assert held == [
            3 * place + 1 for place, (one, code) in enumerate(pairs) if one == start and segment == "s=" + "abc"[code]
        ]
        assert held
    assert sorted(order) == rows.tolist()


def test_consecutive_rows_are_a_slice_that_copies_nothing():
    grouping = group_rows(np.arange(5, 9), np.zeros(4, dtype=np.int64), None)
    assert grouping.order == slice(5, 9)


def test_a_segment_may_be_a_column_of_the_event():
    table = pa.record_batch({"model_version": pa.array(["a", "b", None, "a"]), "features.x": pa.array([1, 2, 1, 1])})
    codes, names = segment_codes(table, "model_version", ("a",))
    assert [names[code] for code in codes] == ["a", "__other__", "__other__", "a"]
    codes, names = segment_codes(table, "x", ("1",))
    assert [names[code] for code in codes] == ["1", "__other__", "1", "1"]
    codes, names = segment_codes(table, "absent", ("a",))
    assert [names[code] for code in codes] == ["__other__"] * 4


def test_segments_are_read_from_dictionaries_of_small_unsigned_codes():
    codes = pa.array([1, None, 0], pa.uint8())
    table = pa.record_batch({"features.x": pa.DictionaryArray.from_arrays(codes, pa.array(["a", "b"]))})
    assert segment_codes(table, "x", ("a", "b"))[0].tolist() == [1, 2, 0]


def test_a_score_decides_only_where_no_label_was_logged(layout):
    scores = pa.array([0.5, 0.49, 0.9, None, math.nan, math.inf])
    table = pa.record_batch(
        {"prediction.score": scores, "prediction.label": pa.array([None, None, "0", None, None, None])}
    )
    assert predicted_texts(Columns(table, Coders()), layout).to_pylist() == ["1", "0", "0", None, None, "1"]


def test_in_a_multiclass_task_no_score_decides():
    many = Layout((), OutputLayout(Task.MULTICLASS, score=NumericBins((0.5,))))
    table = pa.record_batch({"prediction.score": pa.array([0.9])})
    assert predicted_texts(Columns(table, Coders()), many).to_pylist() == [None]


def test_a_regression_bins_its_value():
    layout = Layout(
        (FeatureLayout("x", Kind.NUMERIC, NumericBins(())),), OutputLayout(Task.REGRESSION, score=NumericBins((2.0,)))
    )
    table = pa.record_batch({"prediction.value": pa.array([1.0, 2.0, None]), "prediction.score": pa.array([9.0] * 3)})
    served = summarize(Columns(table, Coders()), layout, group_rows(np.arange(3), np.zeros(3, np.int64), None), None)
    assert served[0, layout.served_sections["score"]].tolist() == [1, 1, 1, 0, 0]
    assert served[0, layout.served_sections["features.x"]].tolist() == [0, 3, 0, 0]


@given(st.lists(st.none() | st.text(max_size=8), max_size=20))
def test_texts_are_as_long_as_their_characters(texts):
    lengths = [math.nan if text is None else len(text) for text in texts]
    array = pa.array(texts, pa.string())
    for one in (array, array.cast(pa.large_string()), array.dictionary_encode()):
        read = text_lengths(one)
        assert np.array_equal(read.values, lengths, equal_nan=True)
        assert read.invalid is None


def test_what_is_no_text_is_as_long_as_it_would_be_spelt():
    for array in (pa.array([1000, None]), pa.array([1000.0, None]), pa.array(["1000", None])):
        assert np.array_equal(text_lengths(array).values, [4, math.nan], equal_nan=True)


def test_each_kind_is_counted_in_its_own_way():
    features = (
        FeatureLayout("text", Kind.TEXT, NumericBins((2.0, 5.0))),
        FeatureLayout("truth", Kind.BOOLEAN, TRUTHS),
        FeatureLayout("key", Kind.IDENTIFIER, UNKNOWN_VALUES),
        FeatureLayout("hour", Kind.CALENDAR, NumericBins((0.0, 24.0))),
        FeatureLayout("day", Kind.CALENDAR, UNKNOWN_VALUES),
    )
    layout = Layout(features, OutputLayout(Task.REGRESSION))
    batch = pa.record_batch(
        {
            "features.text": ["", "abc", "äöü", "a long text", None],
            "features.truth": pa.array(["true", "No", "1.0", "perhaps", None]).dictionary_encode(),
            "features.key": pa.array(["a", "b", None, "d", "e"]),
            "features.hour": pa.array([0, 23, 24, -1, None]),
            "features.day": pa.array([1, 2, 3, None, 5], pa.date32()),
        }
    )
    grouping = group_rows(np.arange(5), np.zeros(5, dtype=np.int64), None)
    (served,) = summarize(Columns(batch, Coders()), layout, grouping, None)
    counted = {one.name: served[layout.served_sections[one.column]].tolist() for one in features}
    assert counted == {
        "text": [1, 2, 1, 1, 0, 0],
        "truth": [1, 2, 1, 0, 1],
        "key": [1, 4, 0],
        "hour": [1, 2, 1, 1, 0, 0],
        "day": [1, 4, 0],
    }
