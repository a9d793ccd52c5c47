"""`mlvitals check` finds what would keep a job from running, and changes nothing."""

import json

import pytest


def everything(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def faults(answer):
    return [line.removeprefix("FAULT ") for line in answer.out.splitlines() if line.startswith("FAULT")]


def test_what_would_run_is_told_and_nothing_is_changed(world, process):
    before = everything(world.folder)
    answer = process("check", "-c", world.config, cwd=world.folder)
    assert answer == (
        0,
        (
            f"ok    {world.config}: 1 models, 2 sources, 1 sinks\n"
            "ok    model m: binary, 2 features\n"
            "ok    source file:events*: readable\n"
            "ok    source file:events*: of its first 600 rows 600 are events, 0 skipped\n"
            "ok    source file:labels*: readable\n"
            "ok    source file:labels*: of its first 600 rows 600 are events, 0 skipped\n"
            "ok    sink local: reachable\n"
            f"ok    state {world.folder / 'state' / 'state.db'}: will be made\n"
        ),
        "",
    )
    assert everything(world.folder) == before


def test_native_rows_that_nobody_can_read_are_a_fault_and_told_by_run_too(world, mlvitals):
    event = {"event": "prediction", "timestamp": "2026-03-01 12:00:00", "model": "m", "prediction": {"score": 0.5}}
    (world.folder / "naive.jsonl").write_text(json.dumps(event) + "\n", encoding="utf-8")
    world.configure(sources=[{"type": "file", "path": "naive.jsonl"}])
    reason = f"{world.folder / 'naive.jsonl'}:1: the time names no zone, and the format has none configured"
    answer = mlvitals("check", "-c", world.config)
    assert answer.code == 1
    told = f"source file:naive.jsonl: of its first 1 rows 0 are events, 0 skipped, 1 unparseable ({reason})"
    assert told in faults(answer)
    ran = mlvitals("run", "-c", world.config, "--once")
    assert ran.err.splitlines()[0] == f"1 rows read, 1 of them unparseable ({reason})"


@pytest.mark.parametrize(("broken", "code"), [(500, 0), (501, 1)])
def test_a_source_is_a_fault_when_more_than_half_of_its_first_rows_are_unparseable(world, mlvitals, broken, code):
    [events] = world.folder.glob("events*")
    good = events.read_text(encoding="utf-8").splitlines()
    first = ["{"] * broken + good[: 1_000 - broken]
    events.write_text("\n".join([*first, *["{"] * 900]) + "\n", encoding="utf-8")  # the rest is not looked at
    answer = mlvitals("check", "-c", world.config)
    assert answer.code == code
    told = f"source file:events*: of its first 1000 rows {1_000 - broken} are events, 0 skipped, {broken} unparseable"
    assert [told in fault for fault in faults(answer)] == [True] * code
    assert told in answer.out


def test_a_state_that_is_there_is_left_as_it_is(world, mlvitals):
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    before = everything(world.folder)
    assert mlvitals("check", "-c", world.config).code == 0
    assert everything(world.folder) == before


def test_every_fault_is_told_beside_what_is_good(world, mlvitals, closed_port):
    world.configure(
        model={"operating": {"path": "gone.reference"}},
        sources=[{"type": "file", "path": "events*"}, {"type": "file", "path": "nothing-*.jsonl"}],
        sinks=[{"type": "local"}, {"type": "otlp", "endpoint": closed_port}],
    )
    answer = mlvitals("check", "-c", world.config)
    assert answer.code == 1
    reference, source, sink = faults(answer)
    assert reference == f"{world.folder / 'gone.reference'}: cannot read the reference: No such file or directory"
    assert source == f"source file:nothing-*.jsonl: {world.folder / 'nothing-*.jsonl'}: no file matches"
    assert sink.startswith("sink otlp: ")
    assert "refused" in sink.lower()
    assert "ok    source file:events*: readable" in answer.out
    assert "ok    sink local: reachable" in answer.out


def test_an_address_that_answers_with_a_page_is_no_receiver(world, mlvitals, receiver):
    world.configure(sinks=[{"type": "otlp", "endpoint": receiver.url}])
    assert mlvitals("check", "-c", world.config).code == 0
    receiver.html = True
    answer = mlvitals("check", "-c", world.config)
    assert answer.code == 1
    assert faults(answer) == [
        "sink otlp: HTTP 200 with text/html, not an OTLP response: is this the address of an OTLP receiver?"
    ]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"name": "other"}, "model `other`: its reference was built for model `m`"),
        (
            {"windows": {"size": "1h"}},
            (
                "model `m`: its reference was built with windows of 1m, the configuration says 1h: build it again, or "
                "change `windows.size`"
            ),
        ),
    ],
)
def test_a_reference_that_does_not_fit_is_told_by_check_and_refused_by_run(world, mlvitals, changes, fault):
    world.configure(model=changes)
    answer = mlvitals("check", "-c", world.config)
    assert (answer.code, faults(answer)) == (1, [fault])
    assert mlvitals("run", "-c", world.config, "--once") == (2, "", f"mlvitals: {fault}\n")


def test_a_configuration_may_be_a_folder(world, mlvitals, tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    document = json.loads(world.config.read_text(encoding="utf-8"))
    for name in ("models", "sources", "sinks"):
        part = json.dumps({name: document.pop(name)}).replace("model.reference", "../model.reference")
        (folder / f"{name}.yaml").write_text(
            part.replace('"events*"', '"../events*"').replace('"labels*"', '"../labels*"')
        )
    answer = mlvitals("check", "-c", folder)
    assert answer.code == 0, answer
