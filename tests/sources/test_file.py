"""Files that grow, rotate, shrink, break and are compressed: every line once, whatever happens to its file."""

import gzip
import io
import os
import shutil

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlvitals.errors import InputError
from mlvitals.formats import CsvFormat, DecodePlan, MlvitalsFormat, ParquetFormat
from mlvitals.sources import FileSource, Role
from mlvitals.sources.stdin import StandardInput


def numbers(*ranges):
    return [index for start, stop in ranges for index in range(start, stop)]


def append(path, data):
    with path.open("ab") as file:
        file.write(data)


def test_files_are_read_in_the_order_of_their_paths_and_once(tmp_path, open_source, lines, ids):
    (tmp_path / "b.jsonl").write_bytes(lines(10, 20))
    (tmp_path / "a.jsonl").write_bytes(lines(0, 10))
    source = open_source("*.jsonl", "b*", "nothing-*")
    assert ids(source) == numbers((0, 20))
    assert ids(source) == []
    assert source.problems == []


def test_a_directory_is_read_at_any_depth_but_for_hidden_names(tmp_path, open_source, lines, ids):
    for name in ("a.jsonl", "deep/er/b.jsonl", "_SUCCESS", ".hidden", "_temporary/c.jsonl"):
        path = tmp_path / "events" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(lines(len(name), len(name) + 1))
    assert ids(open_source("events")) == [len("a.jsonl"), len("deep/er/b.jsonl")]
    assert len(ids(open_source("events/**/*.jsonl"))) == 3


def test_a_growing_file_gives_what_has_come_and_a_partial_line_waits(tmp_path, open_source, lines, ids):
    path = tmp_path / "events.jsonl"
    source = open_source()
    assert ids(source) == []
    data = lines(0, 10)
    for end, expected in ((50, []), (len(data) - 40, numbers((0, 9))), (len(data) - 1, []), (len(data), [9])):
        path.write_bytes(data[:end])
        assert ids(source) == expected
    append(path, lines(10, 12)[:-1])
    assert ids(source) == [10]
    assert ids(source, complete=True) == [11]
    assert ids(source, complete=True) == []


def test_a_new_process_reads_on_from_any_position(tmp_path, open_source, lines, ids):
    for index in range(4):
        (tmp_path / f"{index}.jsonl").write_bytes(lines(index * 5, index * 5 + 5))
    first = open_source()
    batches = list(first.read())
    assert len(batches) == 4
    for index, raw in enumerate(batches):
        second = open_source()
        second.restore(raw.position)
        assert ids(second) == numbers((index * 5 + 5, 20))


def test_a_message_names_the_line_also_after_a_restart(tmp_path, open_source, lines):
    path = tmp_path / "events.jsonl"
    path.write_bytes(lines(0, 3))
    (raw,) = open_source().read()
    append(path, lines(3, 4) + b"bad\n")
    second = open_source()
    second.restore(raw.position)
    (raw,) = second.read()
    assert second.format.decode(raw).account.examples == (f"{path}:5: not JSON",)


def test_a_renamed_file_is_not_read_twice_and_its_successor_from_the_start(tmp_path, open_source, lines, ids):
    log = tmp_path / "app.log"
    log.write_bytes(lines(0, 5))
    source = open_source("app.log*")
    assert ids(source) == numbers((0, 5))
    append(log, lines(5, 7))
    log.rename(tmp_path / "app.log.1")
    log.write_bytes(lines(7, 9))
    assert sorted(ids(source)) == numbers((5, 9))
    assert ids(source) == []
    assert source.problems == []


@pytest.mark.parametrize("copy", ["app.log.1", "app-copy.log"])
def test_a_log_that_is_copied_and_truncated_loses_and_repeats_nothing(tmp_path, open_source, lines, ids, copy):
    log = tmp_path / "app.log"
    log.write_bytes(lines(0, 50))
    source = open_source("app*")
    assert ids(source) == numbers((0, 50))
    append(log, lines(50, 52))
    shutil.copy(log, tmp_path / copy)
    with log.open("r+b") as file:
        file.truncate(0)
    append(log, lines(52, 54))
    assert sorted(ids(source)) == numbers((50, 54))


def test_a_log_that_was_truncated_and_has_outgrown_its_past_is_read_anew(tmp_path, open_source, lines, ids):
    log = tmp_path / "app.log"
    log.write_bytes(lines(0, 5))
    source = open_source("app.log")
    ids(source)
    with log.open("r+b") as file:
        file.truncate(0)
    append(log, lines(5, 20))
    assert ids(source) == numbers((5, 20))
    assert source.problems == [f"{log}: holds other content than was read before; read from its start"]


def test_a_file_replaced_by_a_copy_of_itself_is_not_read_twice(tmp_path, open_source, lines, ids):
    path = tmp_path / "events.jsonl"
    path.write_bytes(lines(0, 5))
    source = open_source()
    assert ids(source) == numbers((0, 5))
    copy = tmp_path.parent / "elsewhere"
    copy.write_bytes(lines(0, 6))
    os.replace(copy, path)  # noqa: PTH105  # the name of what happens
    assert ids(source) == [5]


def test_a_log_that_is_compressed_after_rotation_is_not_read_twice(tmp_path, open_source, lines, ids):
    log = tmp_path / "app.log"
    log.write_bytes(lines(0, 50))
    source = open_source("app*")
    assert ids(source) == numbers((0, 50))
    packed = gzip.compress(lines(0, 55))
    (tmp_path / "app.log.1.gz").write_bytes(packed[: len(packed) // 2])
    assert ids(source) == []
    log.write_bytes(b"")
    (tmp_path / "app.log.1.gz").write_bytes(packed)
    assert ids(source) == numbers((50, 55))


def test_the_position_forgets_files_that_are_gone(tmp_path, open_source, lines, ids):
    source = open_source()
    sizes = []
    for index in range(200):
        path = tmp_path / f"{index:03d}.jsonl"
        path.write_bytes(lines(index, index + 1))
        (raw,) = source.read()
        sizes.append(len(raw.position))
        path.unlink()
    assert ids(source) == []
    assert sizes[-1] < sizes[100] * 1.1


@pytest.mark.parametrize("suffix", [".gz", ".zst", ""])
@pytest.mark.parametrize("compress", [gzip.compress, zstandard.ZstdCompressor().compress])
def test_members_of_compressed_files_are_read_as_they_are_appended(
    tmp_path, open_source, lines, ids, *, compress, suffix
):
    path = tmp_path / f"events.jsonl{suffix}"
    source = open_source()
    first, second = compress(lines(0, 500)), compress(lines(500, 600))
    path.write_bytes(first[: len(first) * 2 // 3])
    begun = ids(source)
    assert begun == numbers((0, len(begun)))
    path.write_bytes(first)
    assert begun + ids(source) == numbers((0, 500))
    path.write_bytes(first + second)
    assert ids(source) == numbers((500, 600))
    assert source.problems == []


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.ZstdCompressor(write_checksum=True).compress])
def test_a_damaged_file_is_reported_and_the_others_are_read(tmp_path, open_source, lines, ids, compress):
    whole = compress(lines(0, 20_000))
    damaged = bytearray(compress(lines(20_000, 40_000)))
    damaged[len(damaged) // 2] ^= 0xFF
    (tmp_path / "a.gz").write_bytes(compress(lines(0, 10)) + bytes(damaged))
    (tmp_path / "b.gz").write_bytes(whole)
    source = open_source()
    found = ids(source)
    assert found[:10] == numbers((0, 10))
    assert found[-20_000:] == numbers((0, 20_000))
    (problem,) = source.problems
    assert problem.startswith(f"{tmp_path / 'a.gz'}: damaged ")
    assert ids(source) == []
    assert source.problems == [problem]


def test_a_compressed_file_cut_short_is_reported_once_it_is_final(tmp_path, open_source, lines, ids):
    packed = gzip.compress(lines(0, 1000))
    (tmp_path / "a.gz").write_bytes(packed[: len(packed) // 2])
    source = open_source()
    ids(source)
    assert source.problems == []
    ids(source, complete=True)
    assert source.problems == [f"{tmp_path / 'a.gz'}: ends inside compressed data; what was whole has been read"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_reported_and_tried_again(tmp_path, open_source, lines, ids):
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines(0, 1))
    path.chmod(0)
    source = open_source()
    assert ids(source) == []
    assert source.problems == [f"{path}: Permission denied"]
    path.chmod(0o600)
    assert ids(source) == [0]
    assert source.problems == []


def test_what_is_no_regular_file_is_left_alone(tmp_path, open_source, ids):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert ids(open_source()) == []


def test_a_file_under_two_names_is_read_once(tmp_path, open_source, lines, ids):
    (tmp_path / "a.jsonl").write_bytes(lines(0, 2))
    (tmp_path / "b.jsonl").symlink_to(tmp_path / "a.jsonl")
    os.link(tmp_path / "a.jsonl", tmp_path / "c.jsonl")
    assert ids(open_source()) == [0, 1]


def test_a_glob_without_files_is_for_check_to_say(tmp_path, open_source, ids):
    source = open_source("*.jsonl")
    assert ids(source) == []
    assert source.problems == []
    assert source.check() == [f"{tmp_path / '*.jsonl'}: no file matches"]


def test_a_parquet_file_is_read_once_it_is_whole_and_from_where_it_was_left(tmp_path, open_source, ids):
    rows = {"timestamp": ["2026-03-01T00:00:00Z"] * 6, "model": ["m"] * 6, "prediction.score": [1.0] * 6}
    path = tmp_path / "events.parquet"
    pq.write_table(pa.table({**rows, "prediction_id": range(6)}), path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-8])
    source = open_source(format=ParquetFormat())
    assert ids(source) == []
    assert "cannot be read as Parquet" in source.problems[0]
    path.write_bytes(whole)
    assert ids(source) == numbers((0, 6))
    assert source.problems == []
    (tmp_path / "copy").write_bytes(whole)
    os.replace(tmp_path / "copy", path)  # noqa: PTH105  # the name of what happens
    assert ids(source) == []
    pq.write_table(pa.table({**rows, "prediction_id": range(6, 12)}), path)
    assert ids(source) == numbers((6, 12))


def test_a_growing_csv_file_keeps_its_header(tmp_path, open_source, ids):
    path = tmp_path / "events.csv"
    header = b"timestamp,model,prediction_id,prediction.score\n"
    path.write_bytes(header[:9])
    source = open_source(format=CsvFormat())
    assert ids(source) == []
    for index in range(3):
        append(path, (header[9:] if index == 0 else b"") + b"2026-03-01T00:00:00Z,m,%d,0.5\n" % index)
        assert ids(source) == [index]


def test_the_role_says_what_is_read(tmp_path, lines):
    (tmp_path / "a.jsonl").write_bytes(lines(0, 2))
    source = FileSource(path=str(tmp_path), role=Role.LABELS).open(DecodePlan())
    (raw,) = source.read()
    assert source.format.decode(raw).account.skipped == 2


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"path": []}, "must name at least one"),
        ({"path": ""}, "must name at least one"),
        ({"path": ["-", "a"]}, "cannot join standard input"),
        ({"path": "a", "role": "all"}, r"Invalid enum value 'all' - at `\$.role`"),
        ({"path": "a", "glob": "b"}, "unknown field `glob`"),
        ({"path": "a", "format": {"type": "xml"}}, r"Invalid value 'xml' - at `\$.format.type`"),
    ],
)
def test_a_broken_config_is_refused(broken, message):
    with pytest.raises(msgspec.ValidationError, match=message):
        msgspec.convert({"type": "file", **broken}, FileSource)


def test_a_config_reads_as_the_interface_writes_it():
    config = {"type": "file", "path": "events-*.jsonl.gz", "role": "both", "format": {"type": "mlvitals"}}
    source = msgspec.convert(config, FileSource)
    assert (source.format, source.open(DecodePlan()).name) == (MlvitalsFormat(), "file:events-*.jsonl.gz")


def test_standard_input_is_read_to_its_end(lines, ids):
    pipe = io.BytesIO(lines(0, 3) + lines(3, 4)[:-1])
    source = StandardInput("file:-", MlvitalsFormat().open(DecodePlan()), pipe)
    assert ids(source) == numbers((0, 4))
    assert ids(source) == []
    assert FileSource(path="-").open(DecodePlan()).name == "file:-"


def test_standard_input_can_be_csv_but_not_parquet(ids):
    data = b"timestamp,model,prediction_id,prediction.score\n2026-03-01T00:00:00Z,m,7,0.5\n"
    assert ids(StandardInput("file:-", CsvFormat().open(DecodePlan()), io.BytesIO(data))) == [7]
    with pytest.raises(InputError, match="cannot be read from a pipe"):
        ids(StandardInput("file:-", ParquetFormat().open(DecodePlan()), io.BytesIO(b"")))


STEPS = st.lists(
    st.tuples(st.sampled_from(["append", "partial", "rename", "restart", "read", "crash"]), st.integers(1, 4)),
    max_size=14,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_happens_every_line_is_read_once(tmp_path_factory, lines, steps):
    folder = tmp_path_factory.mktemp("logs")
    log = folder / "app.log"

    def opened(position):
        source = FileSource(path=str(folder / "app.log*")).open(DecodePlan())
        if position:
            source.restore(position)
        return source

    source, position, written, rotated, held = opened(b""), b"", 0, 0, b""
    found = []
    for step, count in [*steps, ("append", 1), ("read", 1)]:
        if step in {"append", "partial"}:
            data = held + lines(written, written + count)
            held = data[-7:] if step == "partial" else b""
            append(log, data[: len(data) - len(held)])
            written += count
        elif step == "rename" and log.exists() and not held:
            rotated += 1
            log.rename(folder / f"app.log.{rotated}")
        elif step == "restart":
            source = opened(position)
        else:
            for raw in source.read():
                found += source.format.decode(raw).predictions["prediction_id"].to_pylist()
                position = raw.position
                if step == "crash":
                    source = opened(position)
                    break
    assert sorted(map(int, found)) == numbers((0, written))
