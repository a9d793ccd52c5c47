import zlib
from dataclasses import replace

import numpy as np
import pytest

from mlvitals.hashing import content_hash
from mlvitals.windows.bins import TRUTHS, UNKNOWN_VALUES, CategoryBins, NumericBins
from mlvitals.windows.delays import DELAY_BINS
from mlvitals.windows.exact_sum import CELLS
from mlvitals.windows.histogram import HISTOGRAM_BINS
from mlvitals.windows.layout import FeatureLayout, Kind, Layout, OutputLayout, Task
from mlvitals.windows.layout_codec import decode_layout, encode_layout
from mlvitals.windows.outcome_sums import MOMENT_SUMS


def changes(layout):
    size, colour = layout.features
    output = layout.output
    yield "a feature less", replace(layout, features=(size,))
    yield "another order", replace(layout, features=(colour, size))
    yield "a name", replace(layout, features=(replace(size, name="sizes"), colour))
    for what, edges in {"an edge": (0.0, 5e-324, 10.500000000000002), "an edge less": (0.0, 5e-324)}.items():
        yield what, replace(layout, features=(replace(size, bins=NumericBins(edges)), colour))
    yield "a kind", replace(layout, features=(replace(size, kind=Kind.TEXT), colour))
    yield "another kind", replace(layout, features=(replace(size, kind=Kind.CALENDAR), colour))
    yield (
        "values that are not known",
        replace(layout, features=(size, replace(colour, kind=Kind.IDENTIFIER, bins=UNKNOWN_VALUES))),
    )
    yield "truths", replace(layout, features=(size, replace(colour, kind=Kind.BOOLEAN, bins=TRUTHS)))
    yield "a category", replace(layout, features=(size, replace(colour, bins=CategoryBins(("red", "blue", "2"), 2))))
    yield "own bins", replace(layout, features=(size, replace(colour, bins=CategoryBins(("red", "blue", "1"), 3))))
    yield "the range", replace(layout, features=(replace(size, bins=replace(size.bins, outside=(1, 0))), colour))
    yield "once", replace(layout, features=(size, replace(colour, bins=replace(colour.bins, once=1))))
    yield "a secret", replace(layout, features=(size, replace(colour, sensitive=True)))
    yield "closed", replace(layout, features=(size, replace(colour, bins=replace(colour.bins, closed=False))))
    for name, value in {
        "task": Task.MULTICLASS,
        "score": None,
        "groups": (0, 0, 1),
        "classes": None,
        "positive": "0",
        "threshold": 0.25,
        "probability": False,
        "distribution": True,
    }.items():
        yield name, replace(layout, output=replace(output, **{name: value}))
    yield "a segment's value", replace(layout, segments={"country": ("CH",)})
    yield "a segment", replace(layout, segments={})


def test_a_layouts_name_never_changes(layout):
    """States and references name their layout by this hash: a change of it makes every user begin anew."""
    assert layout.hash == "00b90de23539fb53a2d1a95aa2418f53"


def test_the_form_in_which_layouts_are_kept_never_changes(layout):
    assert content_hash(zlib.decompress(encode_layout(layout))) == "6b1d6ab148072716c0f0a9765e7c02ab"


def test_any_change_of_a_layout_changes_its_name(layout):
    names = {what: changed.hash for what, changed in changes(layout)}
    assert layout.hash not in names.values()
    assert len(set(names.values())) == len(names)


def test_looking_at_a_layout_does_not_change_its_name(layout):
    looked_at = decode_layout(encode_layout(layout))
    assert looked_at.served_size
    assert looked_at.outcome_size
    bins = looked_at.features[0].bins
    assert isinstance(bins, NumericBins)
    assert bins.array.size == bins.is_point.size - 1
    assert looked_at.hash == layout.hash


def test_a_layout_comes_back_from_its_bytes(layout):
    for _, one in [("", layout), *changes(layout)]:
        again = decode_layout(encode_layout(one))
        assert again == one
        assert again.hash == one.hash
        assert encode_layout(again) == encode_layout(one)


def test_the_order_of_segments_does_not_matter_for_a_layouts_bytes(layout):
    one = replace(layout, segments={"a": ("1",), "b": ("2",)})
    other = replace(layout, segments={"b": ("2",), "a": ("1",)})
    assert encode_layout(one) == encode_layout(other)
    assert one.hash == other.hash


def test_damaged_bytes_are_no_layout(layout):
    packed = encode_layout(layout)
    for damaged in (b"", packed[:-1], packed[: len(packed) // 2], b"?" + packed[1:]):
        with pytest.raises(ValueError, match="not a layout"):
            decode_layout(damaged)


def test_every_cell_of_a_summary_belongs_to_one_part(layout):
    for sections, size in (
        (layout.served_sections, layout.served_size),
        (layout.outcome_sections, layout.outcome_size),
    ):
        cells = np.zeros(size, dtype=int)
        for part in sections.values():
            cells[part] += 1
        assert (cells == 1).all()


def test_the_parts_of_a_summary_by_hand(layout):
    sizes = {name: part.stop - part.start for name, part in layout.served_sections.items()}
    assert sizes == {
        "predictions": 1,
        "errors": 1,
        "latency": HISTOGRAM_BINS,
        "lag": HISTOGRAM_BINS,
        "score": 3 + 3,
        "positive_score": 3,
        "class": 2 + 3,
        "features.size": 4 + 3,
        "features.colour": 2 + 3,
    }
    assert {name: part.stop - part.start for name, part in layout.outcome_sections.items()} == {
        "labelled": 1,
        "confusion": 9,
        "negatives": 3 + 3,
        "positives": 3 + 3,
        "measured": 1,
        "improbable": 1,
        "calibration": 4 * 2,
        "brier": CELLS,
        "brier_squared": CELLS,
        "log_loss": CELLS,
        "log_loss_squared": CELLS,
        "delays": DELAY_BINS,
        "acted_negatives": 3,
        "acted_positives": 3,
    }


def test_a_score_that_is_no_probability_is_only_ranked(layout):
    margins = replace(layout, output=replace(layout.output, probability=False))
    assert list(margins.outcome_sections) == [
        *("labelled", "confusion", "negatives", "positives"),
        *("acted_negatives", "acted_positives", "delays"),
    ]


def test_a_score_without_drift_bins_is_grouped_by_its_fine_bins():
    assert OutputLayout(Task.BINARY, score=NumericBins((0.1, 0.2))).group_codes.tolist() == [0, 1, 2]
    assert OutputLayout(Task.BINARY).group_count == 0


def test_the_parts_of_other_tasks():
    regression = Layout((), OutputLayout(Task.REGRESSION, score=NumericBins((1.0,))))
    sums = ["absolute", "squared", "signed", "label", "label_squared", "relative", "relative_squared"]
    losses = ["loss_rows", "loss_absolute", "loss_squared", "loss_signed", "loss_fourth", *MOMENT_SUMS]
    assert list(regression.outcome_sections) == ["labelled", "measured", "relative_rows", *sums, *losses, "delays"]
    assert regression.output.column == "prediction.value"
    many = Layout((), OutputLayout(Task.MULTICLASS, classes=CategoryBins(("a", "b", "rare"), own=2)))
    assert many.outcome_classes == ("a", "b", "__other__", "__missing__")
    assert many.outcome_sections["confusion"].stop - many.outcome_sections["confusion"].start == 16
    assert many.output.column == "prediction.score"
    sure = OutputLayout(Task.MULTICLASS, score=NumericBins((0.5,)), probability=True)
    assert list(Layout((), sure).outcome_sections) == [
        "labelled",
        "confusion",
        "measured",
        "improbable",
        "calibration",
        "delays",
    ]


def test_bins_are_called_by_what_they_hold():
    bins = NumericBins((0.0, 5e-324, 10.5))
    assert [bins.label(index) for index in range(4)] == ["< 0", "= 0", "(0, 10.5]", "> 10.5"]
    assert NumericBins((0.0, 5e-324)).label(2) == "> 0"
    assert bins.is_point.tolist() == [False, True, False, False]
    assert NumericBins((1.0,)).is_point.tolist() == [False, False]
    assert NumericBins(()).is_point.tolist() == [False]
    assert CategoryBins(("red", "blue"), own=1).label(0) == "red"
    assert FeatureLayout("size", Kind.NUMERIC, bins).column == "features.size"
