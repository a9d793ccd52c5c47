"""Change events: kept by content, bounded, whatever their order."""

import json
import random

import pytest

from mlvitals.clock import DAY, HOUR, format_time
from mlvitals.engines.changes import CHANGES_KEPT, TEXT_KEPT, Change, read_changes
from mlvitals.events import RawBatch
from mlvitals.formats import DecodePlan, MlvitalsFormat
from mlvitals.state import Store


def change(bench, hours, text, **more):
    event = {"event": "change", "timestamp": format_time(bench.start + hours * HOUR), "kind": "deploy", "model": "m"}
    return event | {"text": text} | more


def kept(bench, *arguments):
    with Store.open_read_only(bench.path) as store:
        return list(read_changes(store.connection, *arguments))


def test_the_newest_changes_of_a_model_come_first_and_those_of_all_models_among_them(make_bench):
    bench = make_bench(others=(make_bench().make_config(name="n"),))
    events = [change(bench, 1, "a"), change(bench, 3, "b", model="n"), change(bench, 2, "c", model=None)]
    lines = b"".join(json.dumps(event).encode() + b"\n" for event in events)
    store, engine = bench.open()
    with store:  # where there are several models, a change without one is nobody's alone
        raw = RawBatch(data=lines, place="test", position=b"")
        engine.process("s", MlvitalsFormat().open(DecodePlan(ids=True)).decode(raw))
    every, first, second = (
        Change(bench.start + hours * HOUR, model, "deploy", text)
        for hours, model, text in ((2, "", "c"), (1, "m", "a"), (3, "n", "b"))
    )
    assert kept(bench, "m") == [every, first]
    assert kept(bench, "n") == [second, every]
    assert kept(bench) == [second, every, first]
    assert kept(bench, None, 2) == [second, every]
    assert bench.account() == {("change", "accepted"): 3}


def test_the_same_change_is_kept_once_and_accounted_for_each_time(bench):
    bench.feed([("s", [change(bench, 1, "a"), change(bench, 1, "a"), change(bench, 1, "a", kind="flag")])])
    bench.feed([("s", [change(bench, 1, "a")])])
    assert [one.kind for one in kept(bench)] == ["deploy", "flag"]
    assert bench.account() == {("change", "accepted"): 4}


def test_a_change_without_a_text_is_kept(bench):
    event = change(bench, 1, "")
    del event["text"]
    bench.feed([("s", [event])])
    assert [one.text for one in kept(bench)] == [""]


def test_a_change_of_a_model_that_is_not_configured_is_of_an_unknown_model(bench):
    bench.feed([("s", [change(bench, 1, "a", model="stranger")])])
    assert kept(bench) == []
    assert bench.account() == {("change", "unknown_model"): 1}


@pytest.mark.parametrize("seed", range(3))
def test_the_newest_are_kept_in_whatever_order_they_come(make_bench, seed):
    bench = make_bench()
    events = [change(bench, number // 2, f"{number % 2}" * (2 * TEXT_KEPT)) for number in range(CHANGES_KEPT + 300)]
    random.Random(seed).shuffle(events)
    for part in range(0, len(events), 500):
        bench.feed([("s", events[part : part + 500])])
    newest = [(number // 2, f"{number % 2}" * TEXT_KEPT) for number in range(300, CHANGES_KEPT + 300)]
    assert sorted(((one.time - bench.start) // HOUR, one.text) for one in kept(bench)) == sorted(newest)


def test_changes_after_until_wait(bench):
    bench.feed([("s", [change(bench, 1, "a"), change(bench, 24, "b")])], until=bench.start + DAY)
    assert [one.text for one in kept(bench)] == ["a"]
    bench.feed([], until=bench.start + DAY + 1)
    assert [one.text for one in kept(bench)] == ["b", "a"]


def test_a_change_is_told_once_however_often_it_comes(bench):
    bench.feed([("s", [change(bench, 1, "a"), change(bench, 1, "a"), change(bench, 2, "b", kind="flag")])])
    told = [Change(bench.start + HOUR, "m", "deploy", "a"), Change(bench.start + 2 * HOUR, "m", "flag", "b")]
    assert bench.changes == told
    bench.feed([("s", [change(bench, 2, "b", kind="flag"), change(bench, 3, "c", model=None)])])
    assert [one.text for one in bench.changes] == ["a", "b", "c"]


def test_a_change_that_is_too_old_to_be_kept_is_told_all_the_same(bench):
    bench.feed([("s", [change(bench, hours, "a") for hours in range(CHANGES_KEPT + 1)])])
    assert len(bench.changes) == CHANGES_KEPT + 1
    assert len(kept(bench)) == CHANGES_KEPT


def test_a_change_behind_until_is_told_when_its_time_comes(bench):
    bench.feed([("s", [change(bench, 5, "a")])], until=bench.start + 4 * HOUR, now=bench.start + 4 * HOUR)
    assert bench.changes == []
    bench.feed([], until=bench.start + 6 * HOUR, now=bench.start + 6 * HOUR)
    assert [one.text for one in bench.changes] == ["a"]


def test_a_change_of_a_model_that_is_not_configured_is_not_told(bench):
    bench.feed([("s", [change(bench, 1, "a", model="stranger")])])
    assert bench.changes == []
