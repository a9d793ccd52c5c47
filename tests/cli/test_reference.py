"""`mlvitals reference build` and `show`."""

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest


@pytest.fixture
def rows(make):
    return make.predictions(500, make.noon, seed=1)


def flat(events):
    """Return events as columns, spelled as CSV and Parquet spell them."""
    columns = {
        name: [event[name] for event in events] for name in ("timestamp", "model", "model_version", "latency_ms")
    }
    for outer in ("features", "prediction"):
        columns |= {f"{outer}.{name}": [event[outer][name] for event in events] for name in events[0][outer]}
    return columns


def csv_of(events):
    columns = flat(events)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()


def test_the_same_rows_make_the_same_reference_in_every_format(world, mlvitals, rows, make):
    (world.folder / "a.jsonl").write_bytes(make.lines(rows))
    (world.folder / "a.csv").write_text(csv_of(rows), encoding="utf-8")
    table = pa.table(flat(rows))
    times = pa.array(table["timestamp"].to_pylist(), pa.string()).cast(pa.timestamp("us", "UTC"))
    pq.write_table(table.set_column(0, "timestamp", times), world.folder / "a.parquet")
    hashes = set()
    for kind in ("jsonl", "csv", "parquet"):
        output = world.folder / f"{kind}.reference"
        built = mlvitals("reference", "build", "-c", world.config, "--data", world.folder / f"a.{kind}", "-o", output)
        assert built == (0, "", f"{output}: 500 rows of m, 2 features, binary\n")
        shown = mlvitals("reference", "show", output)
        assert shown.code == 0
        hashes |= {line for line in shown.out.splitlines() if line.startswith("  reference: ")}
        assert {"  windows: 1m, 9 of them", "  taken as: a sample of it", f"  taken from: a.{kind}"} <= set(
            shown.out.splitlines()
        )
        assert "\n  feature, features: only 7 whole windows: what is usual is learnt from" in shown.out
    assert len(hashes) == 1


def test_globs_and_several_files_are_one_reference(world, mlvitals, rows, make):
    for part in range(5):
        (world.folder / f"part-{part}.jsonl").write_bytes(make.lines(rows[part * 100 : part * 100 + 100]))
    output = world.folder / "x.reference"
    built = mlvitals("reference", "build", "-c", world.config, "--data", world.folder / "part-*.jsonl", "-o", output)
    assert (built.code, built.err) == (0, f"{output}: 500 rows of m, 2 features, binary\n")
    files = [world.folder / f"part-{part}.jsonl" for part in range(5)]
    built = mlvitals("reference", "build", "-c", world.config, "--complete", "--data", *files, "-o", output)
    assert (built.code, built.err) == (0, f"{output}: 500 rows of m, 2 features, binary\n")
    assert "  taken as: all that was served" in mlvitals("reference", "show", output).out


def test_rows_that_cannot_be_used_are_told_with_their_places(world, mlvitals, rows, make):
    path = world.folder / "mixed.jsonl"
    others = make.predictions(30, make.noon, model="other", seed=2)
    path.write_bytes(make.lines([*rows, *others]) + b"{nothing\n")
    output = world.folder / "x.reference"
    built = mlvitals("reference", "build", "-c", world.config, "--data", path, "-o", output)
    assert built.code == 0
    told = built.err.splitlines()
    assert told[:3] == [
        f"{output}: 500 rows of m, 2 features, binary",
        "1 rows left out: unparseable",
        "30 rows left out: of other models or versions",
    ]
    assert told[3].startswith(f"  {path}:531: ")


def test_features_that_only_another_model_has_are_not_taken_for_silent_ones(world, mlvitals, rows, make):
    own, foreign = flat(rows), flat(make.predictions(30, make.noon, model="other", seed=2))
    columns = {name: [*own[name], *foreign[name]] for name in own}
    columns["features.silent"] = [None] * 530
    columns["features.foreign"] = [*[None] * 500, *[1.0] * 30]
    columns["timestamp"] = pa.array(columns["timestamp"], pa.string()).cast(pa.timestamp("us", "UTC"))
    path, output = world.folder / "mixed.parquet", world.folder / "x.reference"
    pq.write_table(pa.table(columns), path)
    assert mlvitals("reference", "build", "-c", world.config, "--data", path, "-o", output).code == 0
    shown = mlvitals("reference", "show", output).out
    assert "silent" in shown
    assert "foreign" not in shown


def test_a_feature_that_is_named_is_watched_though_no_row_has_it(world, mlvitals):
    world.configure(model={"features": {"kinds": {"silent": "numeric"}}})
    output = world.folder / "x.reference"
    built = mlvitals("reference", "build", "-c", world.config, "--data", world.folder / "rows.jsonl", "-o", output)
    assert (built.code, built.err) == (0, f"{output}: 500 rows of m, 3 features, binary\n")
    assert "silent" in mlvitals("reference", "show", output).out


@pytest.mark.parametrize(
    "case",
    [
        ("other", None, "no usable row of model `m` (500 rows are of other models)"),
        ("empty", b"", "no usable row of model `m`"),
        ("broken", b"{nothing\n", "no usable row of model `m` ("),
    ],
)
def test_data_without_a_row_of_the_model_is_answered_with_3(world, mlvitals, make, case):
    name, content, reason = case
    path = world.folder / f"{name}.jsonl"
    path.write_bytes(make.lines(make.predictions(500, make.noon, model="other")) if content is None else content)
    answer = mlvitals("reference", "build", "-c", world.config, "--data", path, "-o", world.folder / "x.reference")
    assert answer.code == 3
    assert answer.err.startswith(f"mlvitals: {path}: {reason}")
    assert not (world.folder / "x.reference").exists()


def test_what_cannot_be_found_is_told(world, mlvitals):
    gone = world.folder / "gone.parquet"
    output = world.folder / "x.reference"
    answer = mlvitals("reference", "build", "-c", world.config, "--data", gone, "-o", output)
    assert answer == (3, "", f"mlvitals: {gone}: no file matches\n")
    answer = mlvitals("reference", "build", "-c", world.config, "--model", "x", "--data", gone, "-o", output)
    assert answer.code == 2
    assert answer.err.startswith("mlvitals reference build: there is no model `x`: m")
    answer = mlvitals("reference", "show", output)
    assert answer == (3, "", f"mlvitals: {output}: cannot read the reference: No such file or directory\n")


def test_a_damaged_data_file_is_answered_with_3(world, mlvitals):
    path = world.folder / "x.parquet"
    path.write_bytes(b"PAR1 and nothing more")
    answer = mlvitals("reference", "build", "-c", world.config, "--data", path, "-o", world.folder / "x.reference")
    assert answer.code == 3
    assert str(path) in answer.err
    assert answer.err.count("\n") == 1


def test_a_training_reference_takes_the_bins_of_the_operating_one(world, mlvitals, make):
    (world.folder / "train.jsonl").write_bytes(make.lines(make.predictions(300, make.noon, seed=3)))
    output = world.folder / "training.reference"
    words = ("--version", "1", "--data", world.folder / "train.jsonl", "-o", output)
    assert mlvitals("reference", "build", "-c", world.config, *words).code == 0
    world.configure(model={"versions": {"1": {"training": "training.reference"}}})
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    shown = mlvitals("signals", "-c", world.config, "--signal", "mlvitals.feature.skew.location", "--format", "jsonl")
    assert shown.out.count('"comparison":"training"') == 9


def test_a_reference_of_the_last_days_takes_the_configurations_own_rows(world, mlvitals):
    output = world.folder / "last.reference"
    built = mlvitals("reference", "build", "-c", world.config, "--since", "5m", "-o", output)
    assert (built.code, built.err) == (0, f"{output}: 301 rows of m, 2 features, binary\n")
    shown = mlvitals("reference", "show", output).out
    assert "  taken as: all that was served" in shown
    assert "  taken from: file:events*, 2026-03-01T12:04:59Z to 2026-03-01T12:09:59Z" in shown
    assert "roc_auc" in shown  # its labels come from the source of labels
    mlvitals("reference", "build", "-c", world.config, "--since", "5m", "--sample", "-o", output)
    assert "  taken as: a sample of it" in mlvitals("reference", "show", output).out


@pytest.mark.parametrize("words", [[], ["--since", "5m", "--data", "rows.jsonl"]])
def test_rows_are_given_in_one_way(words, world, mlvitals):
    built = mlvitals("reference", "build", "-c", world.config, *words, "-o", world.folder / "x.reference")
    assert built.code == 2
    assert "give the rows either with --data or with --since" in built.err


def test_references_are_compared_column_by_column(world, mlvitals, make):
    moved = make.predictions(500, make.noon, seed=2)
    for event in moved:
        event["features"]["x"] += 3
        event["features"]["new"] = 1.0
    (world.folder / "moved.jsonl").write_bytes(make.lines(moved))
    before, after = world.folder / "model.reference", world.folder / "moved.reference"
    assert (
        mlvitals("reference", "build", "-c", world.config, "--data", world.folder / "moved.jsonl", "-o", after).code
        == 0
    )
    assert mlvitals("reference", "diff", before, before).code == 0
    told = mlvitals("reference", "diff", before, after)
    assert told.code == 1
    assert f"after: {after}: 500 rows of m (all versions), windows of 1m from 2026-03-01T12:00:00Z" in told.out
    lines = mlvitals("reference", "diff", before, after, "--format", "jsonl").out.splitlines()
    found = {one["name"]: one for one in map(json.loads, lines)}
    assert found["new"]["change"] == "came"
    assert found["x"]["distances"]["psi"]["status"] == "warning"
    assert found["x"]["distances"]["psi"]["value"] > 1
