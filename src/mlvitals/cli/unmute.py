"""`mlvitals unmute`: the end of a mute before its time."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlvitals.cli.options import config_option, load_config
from mlvitals.cli.saying import answer, reason_option

if TYPE_CHECKING:
    import sqlite3

    from mlvitals.decisions.words import Word


@click.command("unmute")
@config_option
@click.argument("word", type=int)
@reason_option
def command(path: Path, *, word: int, reason: str) -> int:
    """End a mute, or an accept that has a time, by its number in `mute --list`. What still lasts pages then.

    It may be called while `run` writes.
    """
    from mlvitals.app.saying import find_silence, say, word_of  # noqa: PLC0415  # not needed for --help
    from mlvitals.decisions.words import Kind  # noqa: PLC0415

    said = word_of(Kind.UNMUTE, reason)

    def make(connection: "sqlite3.Connection") -> "Word":
        ended = find_silence(connection, word)
        return replace(said, ends=word, model=ended.model, feature=ended.feature, detector=ended.detector)

    answer(say(load_config(path), make))
    return 0
