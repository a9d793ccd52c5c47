import gzip
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from mlvitals.clock import DAY, HOUR, MINUTE, SECOND, parse_time
from mlvitals.errors import ConfigError, InputError
from mlvitals.replay import ReplayAccount, Shift, find_origin, shift_events

START = parse_time("2026-01-01T00:00:00Z")
ORIGIN = parse_time("2014-09-01T00:00:00Z")
DAY_A_MINUTE = Shift(start=START, origin=ORIGIN, speed=1440)


def prediction(timestamp, name="p", **more):
    return json.dumps({"event": "prediction", "timestamp": timestamp, "prediction_id": name, **more}).encode() + b"\n"


def label(timestamp, name="p"):
    return json.dumps({"event": "label", "timestamp": timestamp, "prediction_id": name, "label": 1}).encode() + b"\n"


@pytest.fixture
def recorded(tmp_path):
    folder = tmp_path / "recorded"
    folder.mkdir()

    def write(name, *lines):
        content = b"".join(lines)
        if name.endswith(".gz"):
            content = gzip.compress(content)
        (folder / name).write_bytes(content)
        return folder / name

    return write


def replayed(path, folder, shift=DAY_A_MINUTE):
    account = shift_events([path], shift, folder)
    return (folder / path.name), account


def test_the_origin_is_the_first_day_of_all_inputs(recorded):
    events = recorded("events.jsonl", prediction("2014-09-03T05:00:00Z"), prediction("2014-09-02T23:00:00-02:00"))
    labels = recorded("labels.jsonl.gz", label("2014-09-02T22:00:00Z"))
    assert find_origin([events]) == parse_time("2014-09-03T00:00:00Z")
    assert find_origin([events, labels]) == parse_time("2014-09-02T00:00:00Z")


def test_the_origin_of_times_before_1970_is_the_day_that_holds_them(recorded):
    events = recorded("events.jsonl", prediction("1969-12-31T23:00:00Z"))
    assert find_origin([events]) == -DAY


def test_stale_features_do_not_move_the_origin(recorded):
    events = recorded("e.jsonl", prediction("2014-09-03T05:00:00Z", feature_times={"view": "1990-01-01T00:00:00Z"}))
    assert find_origin([events]) == parse_time("2014-09-03T00:00:00Z")


def test_files_without_events_have_no_origin(recorded):
    with pytest.raises(InputError, match="no event with a time"):
        find_origin([recorded("events.jsonl", b"nothing\n")])


def test_every_time_of_an_event_moves_and_nothing_else(recorded, tmp_path):
    line = (
        b'{"event": "prediction", "timestamp": "2014-09-02T12:00:00Z", "label_timestamp": "2014-09-05T00:00:00Z",'
        b' "feature_times": {"view": "2014-09-01T00:00:00Z"}, "features": {"x": 1.50, "n": 12345678901234567890123,'
        b' "when": "2014-09-02T12:00:00Z"}, "latency_ms": 20.240}\n'
    )
    target, account = replayed(recorded("events.jsonl", line), tmp_path / "out")
    assert target.read_bytes() == (
        b'{"event":"prediction","timestamp":"2026-01-01T00:01:30Z","label_timestamp":"2026-01-01T00:04:00Z",'
        b'"feature_times":{"view":"2026-01-01T00:00:00Z"},"features":{"x": 1.50, "n": 12345678901234567890123,'
        b' "when": "2014-09-02T12:00:00Z"},"latency_ms":20.240}\n'
    )
    assert account == ReplayAccount(events=1)


@pytest.mark.parametrize(
    "line",
    [
        b"not json\n",
        b"\n",
        b"[1, 2]\n",
        b'"text"\n',
        b"\xff\xfe\n",
        b'{"event": "label"}\n',
        b'{"timestamp": null}\n',
        b'{"timestamp": 1409650000}\n',
        b'{"timestamp": "2014-09-02T12:00:00"}\n',
        b'{"timestamp": "yesterday"}\n',
        b'{"timestamp": "2014-09-02T12:00:00Z", "label_timestamp": "soon"}\n',
        b'{"timestamp": "2014-09-02T12:00:00Z", "feature_times": {"view": 3}}\n',
    ],
)
def test_a_line_that_is_no_event_passes_unchanged_and_is_counted(line, recorded, tmp_path):
    path = recorded("events.jsonl", prediction("2014-09-02T00:00:00Z"), line, prediction("2014-09-03T00:00:00Z"))
    target, account = replayed(path, tmp_path / "out")
    assert target.read_bytes().splitlines(keepends=True)[1] == line
    assert account == ReplayAccount(events=2, unchanged=1)


def test_a_last_line_without_its_end_stays_without(recorded, tmp_path):
    target, _ = replayed(recorded("events.jsonl", prediction("2014-09-02T00:00:00Z").rstrip()), tmp_path / "out")
    assert not target.read_bytes().endswith(b"\n")


def test_compressed_files_stay_compressed_and_the_same_input_gives_the_same_bytes(recorded, tmp_path):
    line = prediction("2014-09-02T00:00:00Z")
    shifted = line.replace(b": ", b":").replace(b", ", b",").replace(b"2014-09-02T00:00:00Z", b"2026-01-01T00:01:00Z")
    gz = recorded("events.jsonl.gz", line)
    zst = recorded("labels.jsonl.zst", zstandard.compress(line) + zstandard.compress(line))
    for folder in ("one", "two"):
        assert shift_events([gz, zst], DAY_A_MINUTE, tmp_path / folder) == ReplayAccount(events=3)
        assert gzip.decompress((tmp_path / folder / gz.name).read_bytes()) == shifted
        with zstandard.open(tmp_path / folder / zst.name) as stream:
            assert stream.read() == shifted + shifted
    for name in (gz.name, zst.name):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "compress"), [("events.jsonl.gz", gzip.compress), ("events.jsonl.zst", zstandard.compress)]
)
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda whole: whole[:-12], "ends inside compressed data"),
        (lambda whole: whole[:10] + b"damage" + whole[16:], "damaged [a-z]+ data after byte 0 of its content"),
    ],
)
def test_damaged_input_is_named_and_leaves_no_file_behind(name, compress, damage, message, tmp_path):
    path = tmp_path / name
    path.write_bytes(damage(compress(prediction("2014-09-02T00:00:00Z"))))
    with pytest.raises(InputError, match=f"{name}: {message}"):
        shift_events([path], DAY_A_MINUTE, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_stream_is_merged_by_time(recorded):
    events = recorded("events.jsonl", prediction("2014-09-01T00:00:00Z", "a"), prediction("2014-09-04T00:00:00Z", "b"))
    labels = recorded("labels.jsonl.gz", label("2014-09-02T00:00:00Z", "a"), label("2014-09-05T00:00:00Z", "b"))
    stream = io.BytesIO()
    assert shift_events([labels, events], DAY_A_MINUTE, stream) == ReplayAccount(events=4)
    rows = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(row["event"], row["prediction_id"]) for row in rows] == [
        ("prediction", "a"),
        ("label", "a"),
        ("prediction", "b"),
        ("label", "b"),
    ]
    assert [parse_time(row["timestamp"]) - START for row in rows] == [0, MINUTE, 3 * MINUTE, 4 * MINUTE]


def test_what_came_late_comes_late_again_in_a_stream(recorded):
    late = prediction("2014-09-01T00:00:00Z", "late")
    events = recorded("events.jsonl", prediction("2014-09-03T00:00:00Z", "on time"), late.rstrip())
    labels = recorded("labels.jsonl", label("2014-09-02T00:00:00Z"))
    stream = io.BytesIO()
    shift_events([events, labels], DAY_A_MINUTE, stream)
    assert [json.loads(line)["prediction_id"] for line in stream.getvalue().splitlines()] == ["p", "on time", "late"]


def test_the_time_columns_of_parquet_move_and_the_others_stay(tmp_path):
    times = pa.array([ORIGIN + DAY, None, ORIGIN + HOUR], pa.timestamp("us", tz="UTC"))
    table = pa.table(
        {
            "timestamp": times,
            "label_timestamp": pa.array([ORIGIN // SECOND] * 3, pa.timestamp("s", tz="UTC")),
            "feature_times.view": times.cast(pa.timestamp("ms", tz="UTC")),
            "features.when": times,
            "features.kind": pa.array(["a", "b", None]).dictionary_encode(),
        }
    )
    path = tmp_path / "reference.parquet"
    pq.write_table(table, path)
    target, account = replayed(path, tmp_path / "out")
    after = pq.read_table(target)
    assert account == ReplayAccount(events=2, unchanged=1)
    assert find_origin([path]) == ORIGIN
    shifted = [START + MINUTE, None, START + HOUR // 1440]
    assert after["timestamp"].cast(pa.int64()).to_pylist() == shifted
    assert after["timestamp"].type == pa.timestamp("us", tz="UTC")
    assert after["label_timestamp"].cast(pa.int64()).to_pylist() == [START] * 3
    assert after["feature_times.view"].cast(pa.int64()).to_pylist() == shifted
    assert after.select(["features.when", "features.kind"]) == table.select(["features.when", "features.kind"])


def test_parquet_without_times_passes_as_it_is(tmp_path):
    path = tmp_path / "vectors.parquet"
    pq.write_table(pa.table({"features.x": [1.0, 2.0]}), path)
    target, account = replayed(path, tmp_path / "out")
    assert account == ReplayAccount(unchanged=2)
    assert pq.read_table(target) == pq.read_table(path)


def test_parquet_with_times_as_text_is_refused_by_column(tmp_path):
    path = tmp_path / "events.parquet"
    pq.write_table(pa.table({"timestamp": ["2014-09-01T00:00:00Z"]}), path)
    with pytest.raises(InputError, match=r"events\.parquet: the column `timestamp` is string: only timestamps can be"):
        shift_events([path], DAY_A_MINUTE, tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("events.csv", r"only \.jsonl, \.jsonl\.gz, \.jsonl\.zst and \.parquet can be replayed"),
        ("missing.jsonl", "No such file or directory"),
        ("missing.parquet", "No such file or directory"),
        ("text.parquet", "not a Parquet file"),
    ],
)
def test_an_input_that_cannot_be_read_is_named(name, message, tmp_path):
    path = tmp_path / name
    if not name.startswith("missing"):
        path.write_text("no table", "utf-8")
    for read in (lambda: find_origin([path]), lambda: shift_events([path], DAY_A_MINUTE, tmp_path / "out")):
        with pytest.raises(InputError, match=f"{name}: {message}"):
            read()


def test_a_stream_does_not_carry_parquet(tmp_path):
    path = tmp_path / "reference.parquet"
    pq.write_table(pa.table({"features.x": [1.0]}), path)
    with pytest.raises(InputError, match=r"reference\.parquet: a stream carries JSON Lines"):
        shift_events([path], DAY_A_MINUTE, io.BytesIO())


def test_inputs_are_never_replaced(recorded, tmp_path):
    path = recorded("events.jsonl", prediction("2014-09-02T00:00:00Z"))
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="the output would replace its input"):
        shift_events([path], DAY_A_MINUTE, path.parent)
    with pytest.raises(ConfigError, match="have the same name"):
        shift_events([path, tmp_path / "other" / path.name], DAY_A_MINUTE, tmp_path / "out")
    assert path.read_bytes() == before


def test_the_shipped_example_is_replayed_whole(tmp_path):
    example = Path(__file__).parents[2] / "examples" / "kc_house"
    paths = [example / name for name in ("events.jsonl.gz", "labels.jsonl.gz", "reference.parquet")]
    shift = Shift(start=START, origin=find_origin(paths), speed=1440)
    assert shift_events(paths, shift, tmp_path) == ReplayAccount(events=13_514 + 13_113 + 3_297)
