"""`accept`, `mute`, `unmute`, `verdict`: a person's word, put down while the job runs or not, heeded and told."""

import json
import re
import signal
import sqlite3
import time
from contextlib import closing

import pytest

from mlvitals.clock import HOUR, parse_time
from mlvitals.decisions.episode_rows import read_episodes
from mlvitals.decisions.episode_tables import MIGRATIONS
from mlvitals.decisions.words import rebases
from mlvitals.state.beside import writing_beside
from tests.decisions.incidents import NOON, Told
from tests.intake.datadog import KEY
from tests.s3 import BUCKET, serving

SECONDS = 30.0
TOMORROW = "2026-03-02T12:00:00Z"


def wait_for(condition, what):
    deadline = time.monotonic() + SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
    return found


@pytest.fixture
def paged(world, mlvitals):
    """A world whose model was run once, and of which `x` was found to have moved at four o'clock."""
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    return Paged(world)


class Paged:
    """What is known of a world's episodes; findings come as a run would bring them."""

    def __init__(self, world):
        self.world = world
        self.path = world.folder / "state" / "state.db"
        self.take(4, ["x"])

    def take(self, window, found=(), over=()):
        with writing_beside(self.path, MIGRATIONS) as connection:
            return Told(connection).take("m", window, found, over)

    def episodes(self):
        with closing(sqlite3.connect(self.path)) as connection:
            return [*read_episodes(connection)]


def say(mlvitals, paged, *words, code=0):
    answer = mlvitals(words[0], "-c", paged.world.config, *words[1:])
    assert answer.code == code, answer.err
    return answer.out if code == 0 else answer.err


def told(receiver, name):
    """Return the bodies of the records of a kind that a receiver got."""
    return [
        {one.key: one.value for one in record.body.kvlist_value.values}
        for message in receiver.messages("/v1/logs")
        for resource in message.resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
        if record.event_name == name
    ]


def texts(receiver, name):
    return [body["text"].string_value for body in told(receiver, name)]


def test_words_are_heeded_by_a_job_that_runs(paged, start, mlvitals, receiver):
    paged.world.configure(sinks=[{"type": "local"}, {"type": "otlp", "endpoint": receiver.url}])
    job = start("run", "-c", paged.world.config)
    wait_for(lambda: receiver.messages("/v1/metrics"), "it runs")
    (episode,) = paged.episodes()
    out = say(mlvitals, paged, "mute", "--model", "m", "--until", TOMORROW, "--reason", "new shop")
    assert out == (
        "word 1: mute m until 2026-03-02T12:00:00Z\n"
        f"  lasts now: feature x of m (episode {episode.id})\n"
        "the run heeds it in its next transaction\n"
    )
    wait_for(lambda: paged.episodes()[0].silenced, "the mute is heeded")
    listed = say(mlvitals, paged, "mute", "--list")
    assert "new shop" in listed
    assert "yes" in listed
    assert "true" in say(mlvitals, paged, "verdict", episode.id[:6], "true", "--reason", "the shop's prices")
    say(mlvitals, paged, "unmute", "1", "--reason", "over")
    say(mlvitals, paged, "accept", "--model", "m", "--feature", "x", "--rebase", "--reason", "prices rose")
    wait_for(lambda: paged.episodes()[0].until is not None, "the episode is accepted")
    assert paged.episodes()[0].ending == "accepted"
    with closing(sqlite3.connect(paged.path)) as connection:
        (word,) = rebases(connection, "m")
    assert (word.feature, word.onset) == ("x", NOON + 2 * HOUR)
    wait_for(lambda: told(receiver, "mlvitals.page.closed"), "it is told")
    user = word.user
    assert texts(receiver, "mlvitals.audit") == [
        f"{user}: mute m until 2026-03-02T12:00:00Z: new shop",
        f"{user}: the page of episode {episode.id} was true: the shop's prices",
        f"{user}: end of word 1: over",
        f"{user}: accept m x as the new normal: prices rose",
    ]
    (closed,) = texts(receiver, "mlvitals.page.closed")
    assert closed.startswith(f"episode {episode.id} is over (accepted by {user}: prices rose)")
    assert job.poll() is None
    job.send_signal(signal.SIGTERM)
    assert job.wait(SECONDS) == 0


def test_a_drill_is_put_down_told_and_silences_nothing(paged, mlvitals):
    paged.world.configure(sinks=[{"type": "local"}, {"type": "stdout"}])
    out = say(mlvitals, paged, "drill", "--model", "m")
    assert re.match(r"word 1: drill m until \d{4}-\d\d-\d\dT[\d:.]+Z: nothing is wrong\n", out)
    assert say(mlvitals, paged, "mute", "--list") == "nothing is muted\n"
    ran = mlvitals("run", "-c", paged.world.config, "--once")
    assert ran.code == 0
    (told,) = [one for one in map(json.loads, ran.out.splitlines()) if one.get("event_name") == "mlvitals.audit"]
    assert told["body"]["word"]["kind"] == "drill"
    assert told["body"]["text"].endswith("nothing is wrong: does a page arrive?")
    assert not paged.episodes()[0].silenced
    assert "there is no model `n`" in say(mlvitals, paged, "drill", "--model", "n", code=2)
    assert "--until has passed" in say(mlvitals, paged, "drill", "--model", "m", "--until", TOMORROW, code=2)


def test_where_no_job_runs_a_word_waits_for_the_next(paged, mlvitals):
    say(mlvitals, paged, "accept", "--model", "m", "--until", TOMORROW, "--reason", "known")
    assert "waits for the run" in say(mlvitals, paged, "mute", "--list")
    assert paged.episodes()[0].until is None
    assert mlvitals("run", "-c", paged.world.config, "--once").code == 0
    assert "yes" in say(mlvitals, paged, "mute", "--list")
    assert paged.episodes()[0].ending == "accepted"
    say(mlvitals, paged, "unmute", "1", "--reason", "it was something else")
    assert say(mlvitals, paged, "mute", "--list") == "nothing is muted\n"
    say(mlvitals, paged, "unmute", "1", "--reason", "again", code=2)


def test_what_became_of_an_episode_is_told_to_every_destination_once(paged, mlvitals, datadog_intake):
    datadog = {"type": "datadog", "api_key": KEY, "endpoints": datadog_intake.endpoints}
    paged.world.configure(sinks=[{"type": "local"}, {"type": "stdout"}, datadog])
    say(mlvitals, paged, "accept", "--model", "m", "--rebase", "--reason", "prices rose")
    ran = [mlvitals("run", "-c", paged.world.config, "--once") for _ in range(2)]
    assert [one.code for one in ran] == [0, 0]
    names = ["mlvitals.audit", "mlvitals.page.closed"]
    printed = [json.loads(line) for one in ran for line in one.out.splitlines()]
    of_pages = [one for one in printed if one.get("event_name") in names]
    assert [one["event_name"] for one in of_pages] == names
    sent = {one["mlvitals"]["event"]: one for one in datadog_intake.logs if one["mlvitals"]["event"] in names}
    assert [sent[name]["mlvitals"]["body"] for name in names] == [one["body"] for one in of_pages]
    assert sent[names[1]]["message"] == f"m: mlvitals.page.closed {of_pages[1]['body']['text']}"


def test_what_has_passed_is_not_listed_and_cannot_be_said(paged, mlvitals):
    say(mlvitals, paged, "mute", "--model", "m", "--until", "2026-03-01T20:00:00Z", "--reason", "known")
    mlvitals("run", "-c", paged.world.config, "--once")
    paged.take(8)
    assert say(mlvitals, paged, "mute", "--list") == "nothing is muted\n"
    err = say(mlvitals, paged, "mute", "--model", "m", "--until", "2026-03-01T20:00:00Z", "--reason", "r", code=2)
    assert "`--until 2026-03-01T20:00:00Z` has passed: windows of m are closed up to 2026-03-01T21:00:00Z" in err


def test_a_time_may_be_a_duration_from_now(paged, mlvitals):
    now = time.time()
    out = say(mlvitals, paged, "mute", "--model", "m", "--until", "6h", "--reason", "known")
    until = parse_time(out.splitlines()[0].split()[-1]) / 1e6
    assert 6 * 3600 <= until - now < 6 * 3600 + 60
    err = say(mlvitals, paged, "mute", "--model", "m", "--until", "noon", "--reason", "known", code=2)
    assert "`noon` is not an RFC 3339 time" in err
    assert "nor a duration from now, like 6h" in err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["accept", "--model", "n", "--rebase"], "there is no model `n`: did you mean `m`?"),
        (["accept", "--model", "m", "--feature", "xx", "--rebase"], "there is no feature of m `xx`: did you mean `x`?"),
        (["accept", "--model", "m"], "say for how long: one of --until and --rebase"),
        (["accept", "--model", "m", "--rebase", "--until", "6h"], "say for how long: one of --until and --rebase"),
        (["mute", "--model", "m"], "say of which --model, --until when, and for what --reason"),
        (["mute", "--model", "m", "--feature", "zz", "--until", "6h"], "there is no feature of m `zz`"),
        (
            ["mute", "--model", "m", "--feature", "x", "--detector", "volume", "--until", "6h"],
            "--detector volume watches no feature",
        ),
        (["unmute", "3"], "no word 3 keeps anything from paging: nothing is muted"),
        (["verdict", "nosuch", "true"], "there is no episode `nosuch`: "),
        (["verdict", ""], "say whether it was true or false"),
    ],
)
def test_what_the_state_does_not_know_is_refused_with_the_nearest(paged, mlvitals, words, complaint):
    assert complaint in say(mlvitals, paged, *words, "--reason", "why", code=2)
    assert say(mlvitals, paged, "mute", "--list") == "nothing is muted\n"


def test_nothing_is_said_without_a_reason(paged, mlvitals):
    for words in (["accept", "--rebase"], ["mute", "--until", "6h"]):
        answer = mlvitals(words[0], "-c", paged.world.config, "--model", "m", *words[1:])
        assert answer.code == 2
        assert "--reason" in answer.err
    err = say(mlvitals, paged, "accept", "--model", "m", "--rebase", "--reason", " ", code=2)
    assert "`--reason` is empty" in err


def test_verdicts_are_listed_with_the_measured_rate(paged, mlvitals):
    paged.take(30, over=["x"])
    paged.take(24 * 7 + 3, ["x"])
    shown = say(mlvitals, paged, "verdict")
    assert "2 pages in 1.0 weeks: 0 true, 0 false, 2 unjudged" in shown
    newest, oldest = paged.episodes()
    say(mlvitals, paged, "verdict", oldest.id, "true", "--reason", "a real outage")
    shown = say(mlvitals, paged, "verdict", newest.id[:8], "false", "--reason", "noise")
    assert shown.startswith(f"word 2: the page of episode {newest.id} was false\n")
    rows = [line for line in shown.splitlines() if "feature x of m" in line]
    assert ["lasts" in row for row in rows] == [True, False]
    assert ["false" in row for row in rows] == [True, False]
    assert "2 pages in 1.0 weeks: 1 true, 1 false, 0 unjudged" in shown
    told = re.search(r"false pages: between (\S+) and (\S+) a week \(95 %; what is unjudged may be either\)", shown)
    # χ² bounds of one false page of two in a week, to which the windows of the run itself add an hour or more.
    assert told is not None
    assert float(told[1]) == pytest.approx(0.0253, rel=0.1)
    assert float(told[2]) == pytest.approx(5.572, rel=0.1)
    assert "the budget is 0.5" in shown


def test_the_status_shows_open_episodes_first(paged, mlvitals):
    (episode,) = paged.episodes()
    lines = mlvitals("status", "-c", paged.world.config).out.splitlines()
    assert lines[0].strip() == "open episodes"
    (row,) = [line for line in lines if episode.id in line]
    assert "feature x of m" in row
    assert "location +0.4 sd" in row
    paged.take(9, over=["x"])
    assert mlvitals("status", "-c", paged.world.config).out.splitlines()[0].strip() == "models"


def test_a_state_in_object_storage_is_spoken_to_as_well(world, mlvitals, monkeypatch):
    with serving() as store:
        for name, value in store.environ.items():
            monkeypatch.setenv(name, value)
        world.configure(state={"url": f"s3://{BUCKET}/fraud/state"})
        answer = mlvitals("mute", "-c", world.config, "--model", "m", "--until", "6h", "--reason", "known")
        assert (answer.code, "there is no state yet" in answer.err) == (3, True)
        assert mlvitals("run", "-c", world.config, "--once").code == 0
        answer = mlvitals("mute", "-c", world.config, "--model", "m", "--until", "6h", "--reason", "known")
        assert answer.code == 0, answer.err
        assert "waits for the run" in mlvitals("mute", "-c", world.config, "--list").out
        assert mlvitals("run", "-c", world.config, "--once").code == 0
        assert "yes" in mlvitals("mute", "-c", world.config, "--list").out


def test_without_a_state_nobody_would_heed(world, mlvitals):
    words = ["mute", "-c", world.config, "--model", "m", "--until", "6h", "--reason", "known"]
    answer = mlvitals(*words)
    assert (answer.code, "there is no state yet" in answer.err) == (3, True)
    world.configure(state={"url": "none"})
    answer = mlvitals(*words)
    assert (answer.code, "nobody would heed it" in answer.err) == (3, True)


def test_words_are_put_down_and_heeded_while_a_job_catches_up(paged, make, start, mlvitals):
    events = make.predictions(60_000, NOON + HOUR, seed=3)
    paged.world.write("events-more.jsonl", events)
    paged.world.configure(sinks=[{"type": "local"}])
    job = start("run", "-c", paged.world.config)
    for number in range(3):
        began = time.monotonic()
        say(mlvitals, paged, "mute", "--model", "m", "--until", "6h", "--reason", f"known {number}")
        assert time.monotonic() - began < 10
    wait_for(lambda: json.dumps(say(mlvitals, paged, "mute", "--list")).count("yes") == 3, "they are heeded")
    assert job.poll() is None
