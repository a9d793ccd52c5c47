"""What `mlvitals signals` prints: a row for each series, with the shape of its last windows."""

import json
import os
import pty
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.cli.console import sparkline, visible
from mlvitals.signals.spec import Status

COUNT = "mlvitals.prediction.count"


@given(st.lists(st.none() | st.floats(-1e9, 1e9), max_size=40))
def test_a_sparkline_has_a_character_for_each_value_and_keeps_their_order(values):
    line = sparkline(values, blocks=True)
    known = [(value, one) for value, one in zip(values, line, strict=False) if value is not None]
    assert len(line) == (len(values) if known else 0)
    assert [one for _, one in sorted(known)] == sorted(one for _, one in known)
    assert sparkline(values, blocks=False).isascii()


def test_a_sparkline_reaches_from_the_lowest_block_to_the_highest():
    assert sparkline([0, 1, None, 7], blocks=True) == "▁▂ █"
    assert sparkline([3, 3], blocks=True) == "▁▁"
    assert sparkline([], blocks=True) == sparkline([None], blocks=True) == ""


def test_a_name_cannot_move_the_cursor():
    assert visible("a\x1b[2Jb\u202e\n") == "a\\u001b[2Jb\\u202e\\u000a"


def test_elsewhere_than_on_a_terminal_a_series_is_a_line_of_fields(world, mlvitals):
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    heads, line = mlvitals("signals", "-c", world.config, "--signal", COUNT).out.splitlines()
    row = dict(zip(heads.split("\t"), line.split("\t"), strict=True))
    assert (row["model"], row["signal"], row["value"], row["rows"]) == ("m 1", "prediction.count", "60", "60")
    assert (row["window"], row["status"], row["last windows"]) == ("2026-03-01T12:08:00Z", "ok", "▁" * 9)


def test_a_signal_may_be_named_as_the_table_shows_it(world, mlvitals):
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    short = mlvitals("signals", "-c", world.config, "--signal", COUNT.removeprefix("mlvitals."))
    assert short.out == mlvitals("signals", "-c", world.config, "--signal", COUNT).out


def test_a_misspelt_signal_is_told_with_the_nearest(world, mlvitals):
    told = mlvitals("signals", "-c", world.config, "--signal", "prediction.counts")
    assert (told.code, "did you mean `mlvitals.prediction.count`?" in told.err) == (2, True)


@pytest.fixture
def on_a_terminal():
    """Run `signals` on a terminal of so many columns; return its lines without colours."""

    def run(columns, *words):
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "mlvitals", "signals", *map(str, words)]
        with subprocess.Popen(
            command, stdout=theirs, env={**os.environ, "COLUMNS": str(columns), "TERM": "xterm"}
        ) as process:
            os.close(theirs)
            shown = b"".join(iter(lambda: _some(ours), b""))
        os.close(ours)
        assert process.returncode == 0
        return re.sub(r"\x1b\[[0-9;]*m", "", shown.decode()).splitlines()

    return run


def _some(terminal):
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # how Linux tells that the other end is closed
        return b""


def test_on_a_terminal_it_is_a_table(world, mlvitals, on_a_terminal):
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    shown = "\n".join(on_a_terminal(160, "-c", world.config, "--signal", COUNT))
    assert "┃" in shown
    assert "▁" * 9 in shown


@pytest.mark.parametrize("columns", [60, 80, 100, 130])
def test_a_narrow_terminal_shows_each_signal_with_its_value_and_status_whole(world, mlvitals, on_a_terminal, columns):
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    rows = [line.split("\t") for line in mlvitals("signals", "-c", world.config).out.splitlines()]
    lines = on_a_terminal(columns, "-c", world.config)
    assert max(map(len, lines)) <= columns
    assert lines[0].strip() == "m 1"
    heads = [cell.strip() for cell in lines[2].strip("┃").split("┃")]
    assert (heads[0], heads[-1], "value" in heads) == ("signal", "status", True)
    place = heads.index("value")
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines if line.startswith("│")]
    shown = [(row[place], row[-1]) for row in cells if row[-1]]
    assert shown == [(row[rows[0].index("value")], row[-1]) for row in rows[1:]]
    if columns >= 80:
        assert [row[0] for row in cells if row[0]] == [row[1] for row in rows[1:]]


def test_the_sparkline_is_the_first_to_go(world, mlvitals, on_a_terminal):
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    lines = on_a_terminal(95, "-c", world.config, "--signal", COUNT)
    heads = [cell.strip() for cell in lines[2].strip("┃").split("┃")]
    assert heads == ["signal", "attributes", "window", "value", "warns from", "rows", "status"]


def test_series_are_chosen_by_the_status_of_their_newest_value(world, mlvitals):
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    everything = measured(mlvitals("signals", "-c", world.config, "--format", "jsonl"))
    newest = {series(one): one["status"] for one in everything}
    assert len(set(newest.values())) > 1
    for wanted in (["ok"], ["insufficient_data"], ["ok", "insufficient_data"], ["alert"]):
        words = [word for status in wanted for word in ("--status", status)]
        chosen = mlvitals("signals", "-c", world.config, *words, "--format", "jsonl")
        assert measured(chosen) == [one for one in everything if newest[series(one)] in wanted]
        _, *rows = mlvitals("signals", "-c", world.config, *words).out.splitlines() or [""]
        assert len(rows) == sum(status in wanted for status in newest.values())
        assert {row.split("\t")[-1] for row in rows} <= set(wanted)


def test_every_status_can_be_chosen_and_no_other(world, mlvitals):
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    for status in Status:
        assert mlvitals("signals", "-c", world.config, "--status", status.value).code == 0
    assert mlvitals("signals", "-c", world.config, "--status", "bad").code == 2


def measured(answer):
    assert answer.code == 0, answer.err
    return [json.loads(line) for line in answer.out.splitlines()]


def series(one):
    return one["model"], one["model_version"], one["signal"], json.dumps(one["attributes"], sort_keys=True)
