"""A word is put down whoever else writes, and names who said it."""

import json
import os
from dataclasses import replace

import pytest

from mlvitals.app.kept import reading_state
from mlvitals.app.run import run_once
from mlvitals.app.saying import Said, say, user_name, word_of
from mlvitals.config import load
from mlvitals.decisions.words import Kind, read_words
from mlvitals.errors import ConfigError, StateError


@pytest.fixture
def config(tmp_path):
    """A configuration whose state is an object in a folder, after a first run."""
    document = {
        "models": [{"name": "m", "operating": {"first": "1m"}, "windows": {"size": "1m", "lateness": "10s"}}],
        "sources": [{"type": "file", "path": "events*"}],
        "sinks": [{"type": "local"}],
        "state": {"url": (tmp_path / "kept").as_uri()},
    }
    (tmp_path / "events.jsonl").write_text("", encoding="utf-8")
    (tmp_path / "mlvitals.yaml").write_text(json.dumps(document), encoding="utf-8")
    found = load(tmp_path / "mlvitals.yaml", {})
    run_once(found, progress=lambda _: None)
    return found


def mute(reason):
    return replace(word_of(Kind.MUTE, reason), model="m", until=1)


def reasons(config):
    with reading_state(config) as store:
        return [word.reason for word in read_words(store.connection)]


def test_who_is_overtaken_by_another_puts_the_word_down_again(config):
    overtaken: list[int] = []

    def make(_):
        if not overtaken:
            overtaken.append(say(config, lambda _: mute("the other's")).word.sequence)
        return mute("mine")

    assert say(config, make).word.sequence == 2
    assert reasons(config) == ["the other's", "mine"]


def test_who_is_overtaken_each_time_says_so_and_leaves_nothing(config):
    tries: list[Said] = []

    def make(_):
        tries.append(say(config, lambda _: mute("the other's")))
        return mute("mine")

    with pytest.raises(StateError):
        say(config, make)
    assert reasons(config) == ["the other's"] * len(tries) == ["the other's"] * 3


def test_a_word_that_is_refused_leaves_nothing(config):
    def make(_):
        raise ConfigError("no")

    with pytest.raises(ConfigError, match="no"):
        say(config, make)
    assert reasons(config) == []


def test_who_has_no_name_is_told_by_the_number(monkeypatch):
    monkeypatch.setenv("LOGNAME", "ann")
    assert user_name() == "ann"
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_123)
    assert user_name() == "uid 4000000123"


def test_a_reason_is_one_line_and_not_endless():
    assert word_of(Kind.MUTE, " a\nb  c ").reason == "a b c"
    assert len(word_of(Kind.MUTE, "x" * 5_000).reason) == 1_000
