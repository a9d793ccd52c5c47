"""`mlvitals replay`: a day in a minute, and the same counts."""

import json

from mlvitals.clock import DAY, HOUR, MINUTE, format_time, parse_time

BEGIN = "2026-05-04T00:00:00Z"
TIMED = {"mlvitals.prediction.rate", "mlvitals.label.delay", "mlvitals.signal.status"}


def counts(mlvitals, config):
    """Return what does not depend on how fast time goes: no rates, no delays, nothing that is judged by them."""
    answer = mlvitals("signals", "-c", config, "--format", "jsonl")
    assert answer.code == 0
    found = [json.loads(line) for line in answer.out.splitlines()]
    kept = [one for one in found if one["signal"] not in TIMED and not one["signal"].endswith(".evidence")]
    return [(one["signal"], one["attributes"], one["value"], one["samples"]) for one in kept]


def same_at(ages, found):
    """Return measurements with their maturities replaced by their places."""
    return [
        (signal, {**attributes, "maturity": ages.index(attributes["maturity"])}, value, samples)
        if "maturity" in attributes
        else (signal, attributes, value, samples)
        for signal, attributes, value, samples in found
    ]


def test_a_replayed_week_gives_the_counts_of_the_original(mlvitals, make, tmp_path):
    begin = parse_time(BEGIN)
    slow = make.world(tmp_path / "slow", size="1d", maturities=["1d", "2d"])
    fast = make.world(tmp_path / "fast", size="1m", maturities=["1m", "2m"])
    events = make.predictions(700, begin, step=DAY // 100)
    rows = make.predictions(500, begin - 30 * DAY, step=HOUR, seed=1)
    for world in (slow, fast):
        world.folder.mkdir()
        world.configure()
    slow.write("events.jsonl", events)
    slow.write("labels.jsonl.gz", make.labels_of(events, delay=30 * HOUR))
    reference = slow.write("rows.jsonl", rows)
    built = mlvitals(
        "reference", "build", "-c", slow.config, "--data", reference, "-o", slow.folder / "model.reference"
    )
    assert built.code == 0
    assert mlvitals("run", "-c", slow.config, "--until", format_time(begin + 20 * DAY)).code == 0

    replayed = mlvitals(
        *("replay", slow.folder / "events.jsonl", slow.folder / "labels.jsonl.gz"),
        *("--start", "2026-06-01T12:00:00Z", "--speed", "1440", "--output", fast.folder),
        *("--reference", slow.folder / "model.reference"),
    )
    assert replayed == (0, "", "1400 events shifted, 0 lines passed unchanged\n")
    end = format_time(parse_time("2026-06-01T12:00:00Z") + 20 * MINUTE)
    assert mlvitals("run", "-c", fast.config, "--until", end).code == 0
    original = counts(mlvitals, slow.config)
    assert len(original) > 100
    assert same_at(["1m", "2m"], counts(mlvitals, fast.config)) == same_at(["1d", "2d"], original)


def test_a_stream_is_replayed_to_the_next_program(world, process):
    answer = process("replay", world.folder / "events.jsonl", world.folder / "labels.jsonl", "--start", BEGIN)
    assert answer.code == 0
    times = [parse_time(json.loads(line)["timestamp"]) for line in answer.out.splitlines()]
    assert len(times) == 1200
    assert times == sorted(times)
    assert times[0] >= parse_time(BEGIN)


def test_what_cannot_be_replayed_is_told(world, mlvitals):
    gone = mlvitals("replay", world.folder / "gone.jsonl")
    assert gone.code == 2
    assert gone.err.count("\n") == 1
    other = world.folder / "events.txt"
    other.write_bytes(b"")
    refused = mlvitals("replay", other, "--output", world.folder / "out")
    assert refused.code == 3
    assert refused.err.startswith(f"mlvitals: {other}: only ")
    slow = mlvitals("replay", world.folder / "events.jsonl", "--speed", "0")
    assert slow.code == 2
    assert "must be a positive number" in slow.err
    over = mlvitals("replay", world.folder / "events.jsonl", "--output", world.folder)
    assert over.code == 2
    assert "the output would replace its input" in over.err
