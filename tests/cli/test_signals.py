"""What `mlvitals signals` prints: a row for each series, with the shape of its last windows."""

import pty
import subprocess
import sys
from os import environ, read

from hypothesis import given
from hypothesis import strategies as st

from mlvitals.cli.console import sparkline, visible

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


def test_on_a_terminal_it_is_a_table(world, mlvitals):
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "mlvitals", "signals", "-c", str(world.config), "--signal", COUNT]
    subprocess.run(words, stdout=theirs, check=True, env={**environ, "COLUMNS": "160", "TERM": "xterm"})
    shown = read(ours, 1 << 16).decode()
    assert "┃" in shown
    assert "▁" * 9 in shown
