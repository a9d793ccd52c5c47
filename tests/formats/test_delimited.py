"""CSV: quoted line breaks survive cutting, and every bad record loses only itself."""

import csv
import io
from io import BytesIO
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlvitals.errors import InputError
from mlvitals.formats import CsvFormat, DecodePlan, Want
from mlvitals.formats.delimited import Csv
from mlvitals.formats.records import cut_records, record_ends

HEADER = b"timestamp,model,prediction_id,features.amount,features.note,prediction.score\n"
PLAN = DecodePlan(features={"amount": Want.NUMBER, "note": Want.TEXT})


def row(number: int, amount: str = "1.5", note: str = "x", score: str = "0.5") -> bytes:
    return f"2026-03-01T10:12:07Z,m,{number},{amount},{note},{score}\n".encode()


@pytest.fixture(scope="session")
def read(decode_cut, content):
    def read_bytes(data, reader=None, *, complete=True):
        reader = reader or Csv(PLAN)
        batches = [decode_cut(reader, cut) for cut in reader.cut(BytesIO(data), Path("events"), 0, complete=complete)]
        examples = [example for batch in batches for example in batch.account.examples]
        return content(*batches), examples

    return read_bytes


def test_cells_become_what_their_field_is(read):
    said, _ = read(HEADER + row(1, note='"a\nb, ""c"""') + row(2, amount="", note=""))
    assert said.predictions == [
        {
            "timestamp": "2026-03-01T10:12:07+00:00",
            "model": "m",
            "prediction_id": "1",
            "prediction.score": "0.5",
            "features.amount": "1.5",
            "features.note": 'a\nb, "c"',
        },
        {"timestamp": "2026-03-01T10:12:07+00:00", "model": "m", "prediction_id": "2", "prediction.score": "0.5"},
    ]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"2026-03-01T10:12:07Z,m,9\n", "has more or fewer than 6 fields"),
        (b"2026-03-01T10:12:07Z,m,9,1,x,0.5,7\n", "has more or fewer than 6 fields"),
        (row(9, score="high"), "prediction.score is not a number"),
        (row(9, note="\xff").decode().encode("latin-1"), "not UTF-8"),
        (b",m,9,1,x,0.5\n", "no time"),
        (b"2026-03-01T10:12:07,m,9,1,x,0.5\n", "the time names no zone, and the format has none configured"),
    ],
)
def test_a_bad_record_loses_only_itself(read, bad, reason):
    said, examples = read(HEADER + row(1, note='"two\nlines"') + bad + b"\n" + row(2))
    assert [one["prediction_id"] for one in said.predictions] == ["1", "2"]
    assert examples == [f"events:4: {reason}"]


def test_a_quote_that_never_closes_loses_only_its_line(read):
    said, examples = read(HEADER + row(1) + row(2, note='"open') + row(3) + row(4))
    assert [one["prediction_id"] for one in said.predictions] == ["1", "3", "4"]
    assert examples == ["events:3: the record does not end"]


def test_an_open_quote_waits_while_more_may_come(read):
    said, _ = read(HEADER + row(1) + row(2, note='"open'), complete=False)
    assert [one["prediction_id"] for one in said.predictions] == ["1"]


def test_a_quote_inside_a_field_is_a_character(read):
    said, _ = read(HEADER + row(1, note='5" pipe') + row(2, note='a"b"c') + row(3))
    assert [one["features.note"] for one in said.predictions] == ['5" pipe', 'a"b"c', "x"]


def test_a_bad_number_among_a_features_cells_makes_them_text(read):
    said, _ = read(HEADER + row(1, amount="1.50") + row(2, amount="many"))
    assert [one["features.amount"] for one in said.predictions] == ["1.50", "many"]


def test_without_a_plan_numerals_are_numbers_and_codes_are_text(decode_cut):
    reader = Csv(DecodePlan())
    data = (
        b"timestamp,model,prediction_id,features.n,features.zip,prediction.score\n2026-03-01T00:00:00Z,m,1,3,01234,1\n"
    )
    (cut,) = reader.cut(BytesIO(data), Path("events"), 0, complete=True)
    schema = decode_cut(reader, cut).predictions.schema
    assert schema.field("features.n").type == pa.int64()
    assert schema.field("features.zip").type == pa.string()


def test_another_delimiter_can_be_configured(read):
    reader = CsvFormat(delimiter=";").open(PLAN)
    said, _ = read((HEADER + row(1)).replace(b",", b";"), reader)
    assert [one["features.amount"] for one in said.predictions] == ["1.5"]
    for wrong in ("", ",,", '"', "\n", "é"):
        with pytest.raises(msgspec.ValidationError, match="delimiter"):
            msgspec.convert({"type": "csv", "delimiter": wrong}, CsvFormat)


@pytest.mark.parametrize(
    ("header", "message"),
    [(b"timestamp,model,model\n", "names `model` twice"), (b"a,b\n", "holds no column of a native event")],
)
def test_a_header_that_cannot_be_right_is_an_input_error(header, message):
    with pytest.raises(InputError, match=message):
        list(Csv(PLAN).cut(BytesIO(header + b"1,2\n"), Path("events"), 0, complete=True))


def test_an_empty_file_and_a_header_alone_are_no_rows(read):
    assert read(b"")[0].dispositions == {}
    assert read(HEADER)[0].dispositions == {}
    assert read(HEADER[:20], complete=False)[0].dispositions == {}


FIELDS = st.text(alphabet='ab,\n" ', max_size=6)


@given(table=st.lists(st.lists(FIELDS, min_size=1, max_size=3), max_size=8), block=st.integers(1, 40))
def test_every_cut_of_well_formed_records_is_whole_records(table, block):
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(table)
    data = written.getvalue().encode()
    cuts = list(cut_records(BytesIO(data), 0, 1, ",", complete=True, block=block))
    assert b"".join(cut.data for cut in cuts) == data
    rows = [one for cut in cuts for one in csv.reader(io.StringIO(cut.data.decode(), newline=""))]
    assert rows == list(csv.reader(io.StringIO(data.decode(), newline="")))
    for index, cut in enumerate(cuts):
        rest = list(cut_records(BytesIO(data), cut.offset, cut.next_line, ",", complete=True, block=block))
        assert rest == cuts[index + 1 :]


@given(data=st.text(alphabet='a,"\n', max_size=30).map(str.encode))
def test_record_ends_are_line_ends_in_order(data):
    ends = record_ends(data, ",").tolist()
    assert ends == sorted(set(ends))
    assert all(data[end - 1 : end] == b"\n" for end in ends)


@settings(deadline=None, max_examples=60)
@given(noise=st.lists(st.binary(max_size=40), max_size=6))
def test_no_content_raises(read, noise):
    said, _ = read(HEADER + row(1) + b"\n".join(noise) + b"\n")
    assert said.predictions[0]["prediction_id"] == "1"
