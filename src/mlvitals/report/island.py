"""The data that a page's charts are drawn from: compact columns in one island of JSON."""

import base64
from collections.abc import Sequence
from typing import Any, Final, TypeVar

import msgspec
import numpy as np

from mlvitals.clock import SECOND
from mlvitals.decisions.thresholds import NOISE_FACTOR
from mlvitals.engines.changes import Change
from mlvitals.report.charts import Chart, Line
from mlvitals.report.distribution import Distribution
from mlvitals.report.frame import Codes, Column, Frame, Series
from mlvitals.report.names import shown
from mlvitals.report.numbers import moment
from mlvitals.signals.spec import Orientation

_Value = TypeVar("_Value", str, float | None)
_LETTERS: Final = np.array(list("owain-"))  # the statuses in their order, then absent, which is code -1
_FINEST: Final = 65_534

# Inside <script> only `<` could end the element, in any spelling of its end; the others are for whoever copies it.
_ESCAPES: Final = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def island(
    frame: Frame, charts: Sequence[Chart], distributions: Sequence[Distribution], changes: Sequence[tuple[int, str]]
) -> str:
    """Return JSON that is safe inside a script element of a data type.

    Values are float32 in base64, seven significant digits; standard errors are 16-bit steps of the largest one;
    statuses are run lengths. NaN stands for no value.
    """
    document = {
        "starts": [window.start // SECOND for window in frame.windows],
        "names": [moment(window.start) for window in frame.windows],
        "versions": _runs([shown(window.version) for window in frame.windows]),
        "changes": [[time / SECOND, text] for time, text in changes],
        "charts": [{"unit": one.unit, "lines": [_line(line) for line in one.lines]} for one in charts],
        "distributions": [
            {"labels": one.labels, "reference": _shares(one.reference), "current": _shares(one.current)}
            for one in distributions
        ],
    }
    return escape(msgspec.json.encode(document).decode())


def escape(text: str) -> str:
    """Return JSON in which nothing can end the element that it stands in."""
    for character, spelled in _ESCAPES.items():
        text = text.replace(character, spelled)
    return text


def marks(frame: Frame, changes: Sequence[Change]) -> list[tuple[int, str]]:
    """Return what is marked in every chart, by time: change events of the period, and new versions taking over."""
    if not frame.windows:
        return []
    begin = frame.windows[0].start
    told = [
        (one.time, shown(f"{one.kind}: {one.text}" if one.text else one.kind)) for one in changes if one.time >= begin
    ]
    for before, after in zip(frame.windows, frame.windows[1:], strict=False):
        if before.version != after.version:
            told.append((after.start, f"version {shown(after.version)} serves most, after {shown(before.version)}"))
    return sorted(told)


def _line(line: Line) -> dict[str, Any]:
    one = line.series
    packed: dict[str, Any] = {"name": line.name, "value": _floats(one.value), "status": _statuses(one.status)}
    if line.hidden:
        packed["hidden"] = True
    if np.isfinite(one.threshold).any():
        packed |= {"limit": _floats(one.threshold)} if one.spec.warning is None else _threshold(one, one.spec.warning)
    if "feature" not in one.attributes:
        packed["samples"] = one.samples.tolist()
        if np.isfinite(one.lower).any() or np.isfinite(one.upper).any():
            packed |= {"below": _steps(one.value - one.lower), "above": _steps(one.upper - one.value)}
    return packed


def _threshold(one: Series, warning: float) -> dict[str, Any]:
    """Return what a threshold is made of: what is normal, the warning, three times the standard error."""
    noise = np.nan_to_num(one.noise)
    excess = warning + NOISE_FACTOR * noise
    sides = {Orientation.LOWER: one.threshold - excess, Orientation.HIGHER: one.threshold + excess}
    normal = sides.get(one.spec.orientation, np.where(np.isnan(one.threshold), np.nan, 0.0))
    rounded = [None if np.isnan(value) else float(f"{value:.7g}") for value in np.round(normal, 9).tolist()]
    return {
        "side": one.spec.orientation.value,
        "warning": warning,
        "normal": _runs(rounded),  # it follows from the reference, which changes rarely
        "noise": _steps(noise),
    }


def _floats(column: Column) -> str:
    return base64.b64encode(column.astype("<f4").tobytes()).decode("ascii")


def _steps(column: Column) -> list[Any]:
    known = np.isfinite(column)
    top = float(column[known].max(initial=0.0))
    if top <= 0 and known.all():
        return [0, ""]
    steps = np.where(known, np.rint(np.where(known, column, 0.0) / (top or 1.0) * _FINEST), _FINEST + 1)
    return [float(f"{top:.9g}"), base64.b64encode(steps.astype("<u2").tobytes()).decode("ascii")]


def _statuses(codes: Codes) -> str:
    return "".join(f"{count}{letter}" for letter, count in _runs(_LETTERS[codes].tolist()))


def _shares(shares: Sequence[float]) -> list[float]:
    return [float(f"{share:.4g}") for share in shares]


def _runs(values: Sequence[_Value]) -> list[tuple[_Value, int]]:
    runs: list[tuple[_Value, int]] = []
    for value in values:
        if runs and runs[-1][0] == value:
            runs[-1] = (value, runs[-1][1] + 1)
        else:
            runs.append((value, 1))
    return runs
