import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.errors import InputError
from mlvitals.windows.bins import NumericBins
from mlvitals.windows.layout import Layout, OutputLayout, Task
from mlvitals.windows.reference import (
    Reference,
    decode_reference,
    encode_reference,
    read_reference,
    write_reference,
)
from mlvitals.windows.summary import Summary


@pytest.fixture(scope="module")
def reference(layout, fill):
    return Reference(
        model="prices",
        version="v1",
        window="1w",
        complete=True,
        summary=fill(layout, 0, buckets=1),
        series={start: fill(layout, start % 7).served for start in (-604_800_000_000, 0, 604_800_000_000)},
        segments={name: fill(layout, seed, buckets=1) for seed, name in enumerate(("c=b", "c=__other__", "c=a"))},
        provenance={"rows": "12", "command": "reference build"},
    )


def assert_equal(one, other):
    for name in ("model", "version", "window", "complete", "provenance", "layout"):
        assert getattr(one, name) == getattr(other, name)
    assert np.array_equal(one.summary.served, other.summary.served)
    assert np.array_equal(one.summary.outcomes, other.summary.outcomes)
    assert one.segments.keys() == other.segments.keys()
    for name, part in one.segments.items():
        assert np.array_equal(part.served, other.segments[name].served)
        assert np.array_equal(part.outcomes, other.segments[name].outcomes)
    assert list(one.series) == list(other.series)
    assert all(np.array_equal(one.series[start], other.series[start]) for start in one.series)


def test_a_reference_comes_back_from_its_file(reference, tmp_path):
    path = tmp_path / "deep" / "prices.ref"
    write_reference(reference, path)
    again = read_reference(path)
    assert_equal(again, reference)
    assert again.hash == reference.hash
    assert encode_reference(again) == path.read_bytes()
    assert [file.name for file in path.parent.iterdir()] == ["prices.ref"]


def test_thousands_of_windows_of_few_rows_take_little_memory(reference):
    bins = NumericBins(tuple(map(float, range(2_000))))
    groups = tuple(place // 100 for place in range(bins.size))
    fine = Layout((), OutputLayout(Task.REGRESSION, score=bins, groups=groups))
    served = np.zeros(fine.served_size, dtype=np.int64)
    served[[0, 7, 900]] = (2, 1, 1)
    many = replace(reference, summary=Summary.empty(fine, 1), series=dict.fromkeys(range(2_000), served))
    data = encode_reference(many)
    tracemalloc.start()
    try:
        again = decode_reference(data, "prices.ref")
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(again.series) == 2_000
    assert kept < len(again.series) * served.nbytes / 20


def test_equal_references_give_equal_bytes(reference):
    other = replace(
        reference,
        series=dict(reversed(reference.series.items())),
        segments=dict(reversed(reference.segments.items())),
        provenance=dict(reversed(reference.provenance.items())),
    )
    assert encode_reference(other) == encode_reference(reference)


def test_a_references_name_tells_its_counts(layout, reference):
    summary = reference.summary
    served, outcomes = summary.served.copy(), summary.outcomes.copy()
    served[0] += 1
    outcomes[0, 0] += 1
    others = [
        replace(reference, summary=Summary(layout, served, summary.outcomes)),
        replace(reference, summary=Summary(layout, summary.served, outcomes)),
        replace(reference, summary=Summary(replace(layout, segments={}), summary.served, summary.outcomes)),
    ]
    assert len({reference.hash, *(other.hash for other in others)}) == 4
    assert replace(reference, provenance={}).hash == reference.hash


def test_a_references_name_never_changes():
    small = Layout((), OutputLayout(Task.REGRESSION, score=NumericBins((1.0,))))
    reference = Reference(
        model="m", version="", window="1d", complete=False, summary=Summary.empty(small, 1), series={}
    )
    assert reference.hash == "4bc04459e63956026e11127e2d79a585"


@given(st.data())
def test_damage_is_noticed_wherever_it_is(reference, data):
    whole = encode_reference(reference)
    if data.draw(st.booleans()):
        damaged = whole[: data.draw(st.integers(0, len(whole) - 1))]
    else:
        place, bit = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 7))
        damaged = whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :]
    try:
        again = decode_reference(damaged, "here.ref")
    except InputError as error:
        said = str(error)
    else:
        assert_equal(again, reference)  # bits that pad the last byte of the compressed data mean nothing
        said = "here.ref is a damaged reference file: but not so that it matters"
    assert said.startswith(
        (
            "here.ref is a damaged reference file: ",
            "here.ref is not a reference file: ",
            "here.ref was built by another version of mlvitals: ",
        )
    )


def test_a_file_of_something_else_is_refused(tmp_path):
    path = tmp_path / "letter.txt"
    path.write_text("dear friend")
    with pytest.raises(InputError) as error:
        read_reference(path)
    assert str(error.value) == f"{path} is not a reference file: build one with `mlvitals reference build`"


def test_a_file_that_is_not_there_is_named(tmp_path):
    path = tmp_path / "nothing.ref"
    with pytest.raises(InputError) as error:
        read_reference(path)
    assert str(error.value) == f"{path}: cannot read the reference: No such file or directory"


def test_counts_of_another_shape_are_damage(reference, layout):
    document = encode_reference(reference)
    short = Summary(layout, reference.summary.served[:3], reference.summary.outcomes)
    wrong = encode_reference(replace(reference, summary=replace(short, served=reference.summary.served.repeat(2))))
    assert decode_reference(document, "here")
    with pytest.raises(InputError, match="there is a damaged reference file"):
        decode_reference(wrong, "there")


def test_a_file_of_another_version_is_told_from_one_that_is_no_reference():
    with pytest.raises(InputError, match=r"^here\.ref was built by another version of mlvitals: build it again$"):
        decode_reference(b"mlvitals reference 1\n", "here.ref")


def test_a_reference_knows_its_segments_and_of_no_other(reference):
    assert reference.of_segment("") is reference.summary
    assert reference.of_segment("c=a") is reference.segments["c=a"]
    assert reference.of_segment("c=z") is None


def test_other_counts_of_a_segment_make_another_reference(reference):
    turned = replace(reference, segments={**reference.segments, "c=a": reference.segments["c=b"]})
    assert turned.hash != reference.hash
    assert replace(turned, segments=reference.segments).hash == reference.hash
