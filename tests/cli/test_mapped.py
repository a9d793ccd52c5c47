"""A log of another shape says what the same events say natively; `check` tells at once which path is wrong."""

import json
from typing import Any

from mlvitals.clock import SECOND, format_time, parse_time

INPUTS: dict[str, Any] = {
    "type": "json",
    "rows": ["data"],
    "map": {
        "timestamp": "time",
        "prediction_id": "correlationid",
        "model_version": "modelversion",
        "features.*": "data.*",
    },
    "join": {"request": {"type": "azureml.inference.inputs"}, "within": "1m"},
}
OUTPUTS: dict[str, Any] = {
    "type": "json",
    "rows": ["data"],
    "map": {
        "timestamp": "time",
        "prediction_id": "correlationid",
        "prediction.score": "data.p",
        "prediction.label": "data.class",
    },
    "join": {"response": {"type": "azureml.inference.outputs"}, "within": "1m"},
}


def sources(inputs=INPUTS):
    return [
        {"type": "file", "path": "outputs*", "role": "predictions", "format": OUTPUTS},
        {"type": "file", "path": "inputs*", "role": "predictions", "format": inputs},
        {"type": "file", "path": "labels*", "role": "labels"},
    ]


def envelope(event, kind, data, later=0):
    return {
        "specversion": "1.0",
        "type": f"azureml.inference.{kind}",
        "time": format_time(parse_time(event["timestamp"]) + later),
        "correlationid": event["prediction_id"],
        "modelversion": event["model_version"],
        "data": [data],
    }


def rewrite(world):
    """Write the world's predictions as inputs and outputs in files of their own; return them."""
    path = next(world.folder.glob("events*"))
    events = [json.loads(line) for line in path.read_text().splitlines()]
    path.unlink()
    outputs = [{"p": event["prediction"]["score"], "class": event["prediction"]["label"]} for event in events]
    world.write("inputs.jsonl", [envelope(event, "inputs", event["features"]) for event in events])
    pairs = zip(events, outputs, strict=True)
    world.write("outputs.jsonl", [envelope(event, "outputs", one, SECOND) for event, one in pairs])
    return events


def measured(mlvitals, world):
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    found = {}
    for line in mlvitals("signals", "-c", world.config, "--format", "jsonl").out.splitlines():
        one = json.loads(line)
        if one["signal"] not in {"mlvitals.event.lag", "mlvitals.request.latency"}:
            key = (
                one["signal"],
                one["model_version"],
                one["window_start"],
                json.dumps(one["attributes"], sort_keys=True),
            )
            found[key] = (one.get("value"), one["samples"], one["status"])
    return found


def test_inputs_and_outputs_in_files_of_their_own_say_what_native_events_say(world, mlvitals):
    native = measured(mlvitals, world)
    (world.folder / "state" / "state.db").unlink()
    for left in (world.folder / "state").glob("state.db-*"):
        left.unlink()
    events = rewrite(world)
    world.configure(sources=sources())
    joined = measured(mlvitals, world)
    assert joined == native
    assert native
    said = mlvitals("status", "-c", world.config).out
    assert "joined" in said
    assert str(len(events)) in said


def test_check_tells_what_is_mapped_and_which_path_leads_nowhere(world, mlvitals):
    events = rewrite(world)
    wrong = INPUTS | {"map": INPUTS["map"] | {"model_version": "version"}}
    world.configure(sources=sources(wrong))
    answer = mlvitals("check", "-c", world.config)
    assert answer.code == 0
    assert (
        f"ok    source file:inputs*: of its first {len(events)} rows {len(events)} are mapped, 0 skipped\n"
        in answer.out
    )
    assert "ok    source file:inputs*: nothing stands at model_version: version\n" in answer.out
    assert "outputs*: nothing" not in answer.out


def test_check_is_a_fault_where_nothing_is_mapped(world, mlvitals):
    events = rewrite(world)
    world.configure(sources=sources(INPUTS | {"map": INPUTS["map"] | {"timestamp": "when"}}))
    answer = mlvitals("check", "-c", world.config)
    assert answer.code == 1
    place = world.folder / "inputs.jsonl"
    told = f"of its first {len(events)} rows 0 are mapped, 0 skipped, {len(events)} unparseable ({place}:1: no time)"
    assert f"FAULT source file:inputs*: {told}\n" in answer.out


def test_a_reference_is_built_from_requests_and_responses_that_are_apart(world, mlvitals):
    native = world.folder / "native.reference"
    words = ("reference", "build", "-c", world.config, "--since", "1d", "-o")
    assert mlvitals(*words, native).code == 0
    rewrite(world)
    world.configure(sources=sources())
    joined = world.folder / "joined.reference"
    assert mlvitals(*words, joined).code == 0
    shown = [mlvitals("reference", "show", path).out.splitlines()[1:] for path in (native, joined)]
    # Where it was taken from is part of a reference, and of its hash.
    before, after = ([line for line in lines if "taken" not in line and "reference:" not in line] for lines in shown)
    assert after == before
    assert len(before) > 5
