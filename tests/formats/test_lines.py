"""Cutting lines: on a grid of offsets, never inside one, and bounded whatever comes."""

from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.formats import DecodePlan
from mlvitals.formats.jsonlines import JsonLines
from mlvitals.formats.lines import UNENDING, cut_lines

TEXT = st.lists(st.binary(max_size=12).map(lambda line: line.replace(b"\n", b"-")), max_size=12).map(b"\n".join)


@given(data=TEXT, block=st.integers(1, 30))
def test_reading_on_from_any_cut_cuts_alike(data, block):
    def cuts(offset, line):
        return list(cut_lines(BytesIO(data), offset, line, complete=True, block=block, longest=1000))

    whole = cuts(0, 1)
    assert b"".join(cut.data for cut in whole) == data
    for index, cut in enumerate(whole):
        assert cuts(cut.offset, cut.next_line) == whole[index + 1 :]
        assert cut.first_line == 1 + data[: cut.offset - len(cut.data)].count(b"\n")


def test_a_partial_last_line_waits_for_its_end():
    assert list(cut_lines(BytesIO(b"partial"), 0, 1, complete=False)) == []
    (first,) = cut_lines(BytesIO(b"whole\npartial"), 0, 1, complete=False)
    assert (first.data, first.offset, first.next_line) == (b"whole\n", 6, 2)
    (rest,) = cut_lines(BytesIO(b"whole\npartial\n"), first.offset, first.next_line, complete=False)
    assert (rest.data, rest.first_line) == (b"partial\n", 2)
    (last,) = cut_lines(BytesIO(b"whole\npartial"), first.offset, first.next_line, complete=True)
    assert last.data == b"partial"


@pytest.mark.parametrize("length", [101, 150, 1000])
def test_a_line_beyond_the_bound_is_skipped_and_counted_once(decode_cut, length):
    data = b"before\n" + b"x" * length + b"\nafter\n"
    cuts = list(cut_lines(BytesIO(data), 0, 1, complete=False, block=50, longest=100))
    assert [cut.data for cut in cuts] == [b"before\n", UNENDING + b"\n", b"after\n"]
    assert [(cut.first_line, cut.next_line) for cut in cuts] == [(1, 2), (2, 3), (3, 4)]
    assert [cut.offset for cut in cuts] == [7, 8 + length, len(data)]
    account = decode_cut(JsonLines(DecodePlan()), cuts[1]).account
    assert account.examples == ("events:2: the line is too long",)


def test_a_line_beyond_the_bound_waits_for_its_end_too():
    data = b"before\n" + b"x" * 500
    waiting = list(cut_lines(BytesIO(data), 0, 1, complete=False, block=50, longest=100))
    assert [cut.data for cut in waiting] == [b"before\n"]
    final = list(cut_lines(BytesIO(data), 0, 1, complete=True, block=50, longest=100))
    assert [cut.data for cut in final] == [b"before\n", UNENDING + b"\n"]


def test_a_line_at_the_bound_is_read():
    data = b"x" * 99 + b"\n" + b"y" * 100
    cuts = list(cut_lines(BytesIO(data), 0, 1, complete=True, block=50, longest=100))
    assert b"".join(cut.data for cut in cuts) == data


def test_one_line_of_many_megabytes_is_an_event(decode_cut):
    head = b'{"timestamp":"2026-03-01T10:12:07Z","model":"m","prediction_id":1,"prediction":{"score":1},"features":'
    data = head + b'{"text":"' + b"x" * 20_000_000 + b'"}}\n'
    reader = JsonLines(DecodePlan())
    (cut,) = reader.cut(BytesIO(data), Path("events"), 0, complete=False)
    assert decode_cut(reader, cut).account.parsed == 1
