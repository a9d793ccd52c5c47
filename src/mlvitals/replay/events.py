"""Replay files of events: to files of the same names, or merged into one stream."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mlvitals.clock import DAY
from mlvitals.errors import ConfigError, InputError
from mlvitals.replay import table
from mlvitals.replay.lines import SUFFIXES, ShiftedLine, moments, open_target, read_lines, shift_line
from mlvitals.replay.shift import Shift


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayAccount:
    """What became of the rows: `events` were shifted; `unchanged` hold no readable time and passed as they were."""

    events: int = 0
    unchanged: int = 0

    def __add__(self, other: "ReplayAccount") -> "ReplayAccount":
        return ReplayAccount(events=self.events + other.events, unchanged=self.unchanged + other.unchanged)


def find_origin(paths: Sequence[Path]) -> int:
    """Return the beginning of the UTC day of the earliest event, prediction or label, in microseconds since the epoch.

    Times of features do not count: one stale value would put the replay's beginning far from its events.

    Raises:
        InputError: a file cannot be read, or no file holds an event.

    """
    least = [moment for path in paths if (moment := _earliest(path)) is not None]
    if not least:
        raise InputError(f"{', '.join(map(str, paths))}: no event with a time")
    return min(least) // DAY * DAY


def shift_events(paths: Sequence[Path], shift: Shift, output: Path | BinaryIO) -> ReplayAccount:
    """Write the events of files with their times shifted.

    Args:
        paths: `.jsonl`, `.jsonl.gz`, `.jsonl.zst` and, where the output is a folder, `.parquet`.
        shift: the rule.
        output: a folder for files of the same names, each complete when its name appears; or a stream for JSON Lines
            merged by time. Within a file lines keep their order, so that what came late comes late again.

    Raises:
        InputError: a file cannot be read, or is of a kind that cannot be shifted.
        ConfigError: two inputs have the same name, or an output would replace its input.

    """
    if isinstance(output, Path):
        _refuse_overwriting(paths, output)
        output.mkdir(parents=True, exist_ok=True)
        return sum((_to_file(path, output / path.name, shift) for path in paths), ReplayAccount())
    return _to_stream(paths, output, shift)


def _earliest(path: Path) -> int | None:
    if path.suffix == table.SUFFIX:
        return table.earliest(path)
    _refuse_unknown(path)
    return min((moment for line in read_lines(path) for moment in moments(line)), default=None)


def _to_file(path: Path, target: Path, shift: Shift) -> ReplayAccount:
    # A source that watches the folder must not see half a file, so the name comes last; its suffix tells how to write.
    part = target.with_name(f".part-{target.name}")
    try:
        if path.suffix == table.SUFFIX:
            events, unchanged = table.shift_table(path, part, shift)
            account = ReplayAccount(events=events, unchanged=unchanged)
        else:
            with open_target(part) as file:
                account = _write(_shifted(path, shift), file)
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    return account


def _to_stream(paths: Sequence[Path], stream: BinaryIO, shift: Shift) -> ReplayAccount:
    for path in paths:
        if path.suffix == table.SUFFIX:
            raise InputError(f"{path}: a stream carries JSON Lines; Parquet is replayed into a folder")
    ordered = [_in_order(path, shift) for path in paths]
    return _write((shifted for _, shifted in heapq.merge(*ordered, key=lambda timed: timed[0])), stream)


def _in_order(path: Path, shift: Shift) -> Iterator[tuple[int, ShiftedLine]]:
    latest = shift.start
    for shifted in _shifted(path, shift):
        latest = latest if shifted.moment is None else max(latest, shifted.moment)
        whole = shifted.line if shifted.line.endswith(b"\n") else shifted.line + b"\n"
        yield latest, ShiftedLine(whole, shifted.moment)


def _shifted(path: Path, shift: Shift) -> Iterator[ShiftedLine]:
    _refuse_unknown(path)
    return (shift_line(line, shift) for line in read_lines(path))


def _write(lines: Iterable[ShiftedLine], stream: BinaryIO) -> ReplayAccount:
    events = unchanged = 0
    for line, moment in lines:
        stream.write(line)
        if moment is None:
            unchanged += 1
        else:
            events += 1
    return ReplayAccount(events=events, unchanged=unchanged)


def _refuse_unknown(path: Path) -> None:
    if not path.name.endswith(SUFFIXES):
        raise InputError(f"{path}: only {', '.join(SUFFIXES)} and {table.SUFFIX} can be replayed")


def _refuse_overwriting(paths: Sequence[Path], folder: Path) -> None:
    names: dict[str, Path] = {}
    for path in paths:
        if path.name in names:
            raise ConfigError(f"{names[path.name]} and {path} have the same name: replay them into two folders")
        names[path.name] = path
        if (folder / path.name).resolve() == path.resolve():
            raise ConfigError(f"{path}: the output would replace its input: choose another folder")
