"""One model's windows as columns: a row of numbers for each series, a place for each window."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from mlvitals.report.reading import Row, decode_attributes, read_window, stored_versions, window_starts
from mlvitals.signals.comparison import DRIFT_ROWS, Comparison
from mlvitals.signals.rules import is_ours
from mlvitals.signals.spec import MetricSpec, Status
from mlvitals.signals.traffic import PREDICTION_COUNT

Column = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int8]

WINDOWS_AT_MOST: Final = 500
STATUSES: Final = tuple(Status)
ABSENT: Final = -1  # the status code of a window without the measurement

_METHOD: Final = "psi"


@dataclass(frozen=True, slots=True)
class Window:
    """A window, the version that served most in it, and what all versions served together."""

    start: int
    version: str
    served: float


@dataclass(slots=True)
class Series:
    """One signal under one set of attributes: a value for each window, NaN where there is none.

    status: the index in `STATUSES`, `ABSENT` where the window has no such measurement.
    """

    spec: MetricSpec
    attributes: Mapping[str, str]
    value: Column
    noise: Column
    threshold: Column
    lower: Column
    upper: Column
    samples: npt.NDArray[np.int64]
    status: Codes

    @property
    def present(self) -> npt.NDArray[np.intp]:
        """The places of the windows that have a value."""
        return np.flatnonzero(~np.isnan(self.value))


@dataclass(slots=True)
class Frame:
    """A model's newest windows, ascending, and what was measured in them.

    specs: of all signals, by name. series: by signal and attributes' text, in the order of the specs, then of the text.
    judged: the newest window with enough rows for a verdict. readings: all that was measured in it.
    """

    model: str
    windows: Sequence[Window]
    specs: Mapping[str, MetricSpec]
    series: Mapping[tuple[str, str], Series] = field(default_factory=dict)
    judged: Window | None = None
    readings: Sequence[Row] = ()
    _places: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._places = {window.start: place for place, window in enumerate(self.windows)}

    def place(self, start: int) -> int | None:
        """Return the place of the window that starts at a time, None where it is not among these."""
        return self._places.get(start)

    def of(self, *signals: str) -> list[Series]:
        """Return the series of signals."""
        return [one for (signal, _), one in self.series.items() if signal in signals]

    def by_feature(self) -> dict[str, list[Series]]:
        """Return the series of each feature, features in order of name."""
        found: dict[str, list[Series]] = {}
        for one in self.series.values():
            name = one.attributes.get("feature")
            if name is not None:
                found.setdefault(name, []).append(one)
        return dict(sorted(found.items()))


def signals_of_models(specs: Mapping[str, MetricSpec]) -> list[MetricSpec]:
    """Return the signals that say something of a model as a whole."""
    return [spec for spec in specs.values() if "feature" not in spec.attributes]


def charted_of_features(specs: Mapping[str, MetricSpec]) -> list[MetricSpec]:
    """Return the signals that are drawn for each feature: how far it moved, how its shape changed, what is missing.

    Drift against normal production is drawn; skew, the other methods and the other shares stand in the latest readings.
    A user's own signals are all drawn: whoever adds one wants to see it.
    """
    drawn = tuple(f"feature.{one}" for one in ("drift.location", "drift.shape", "drift.score", "missing.ratio"))
    of_features = [spec for spec in specs.values() if "feature" in spec.attributes]
    return [spec for spec in of_features if spec.name.endswith(drawn) or not is_ours(spec.name)]


def read_windows(connection: sqlite3.Connection, model: str, since: int, most: int = WINDOWS_AT_MOST) -> list[Window]:
    """Return a model's newest windows, each with the version that served most in it, ascending."""
    served: dict[int, list[tuple[float, str]]] = {}
    for version in stored_versions(connection, model):
        for start in window_starts(connection, model, version, since, most):
            counts = read_window(connection, model, version, start, signals=[PREDICTION_COUNT.spec])
            rows = next((row.value or 0.0 for row in counts), 0.0)
            served.setdefault(start, []).append((rows, version))
    newest = sorted(served)[-most:]
    return [Window(start, max(served[start])[1], sum(rows for rows, _ in served[start])) for start in newest]


def judged_window(windows: Sequence[Window]) -> Window | None:
    """Return the newest window with enough rows for a verdict, else the newest; None where there is none."""
    enough = (window for window in reversed(windows) if window.served >= DRIFT_ROWS)
    return next(enough, windows[-1] if windows else None)


def read_frame(
    connection: sqlite3.Connection, model: str, windows: Sequence[Window], specs: Mapping[str, MetricSpec]
) -> Frame:
    """Return what was measured in a model's windows: whole-model signals, and those drawn of each feature."""
    builder = _Builder(len(windows))
    of_models, of_features = signals_of_models(specs), charted_of_features(specs)
    for place, window in enumerate(windows):
        where = (connection, model, window.version, window.start)
        builder.add(place, read_window(*where, signals=of_models))
        builder.add(place, read_window(*where, signals=of_features, methods=[_METHOD]))
    judged = judged_window(windows)
    readings: list[Row] = []
    if judged is not None:
        readings = list(read_window(connection, model, judged.version, judged.start, signals=specs.values()))
    return Frame(model, windows, specs, builder.ordered(specs), judged, readings)


class _Builder:
    """Collects rows into columns; the attributes of a series are decoded once."""

    def __init__(self, windows: int) -> None:
        self._windows = windows
        self._series: dict[tuple[str, str], Series | None] = {}

    def add(self, place: int, rows: Iterable[Row]) -> None:
        """Put a window's rows at its place."""
        codes = {status.value: code for code, status in enumerate(STATUSES)}
        for row in rows:
            key = (row.signal, row.attributes)
            if key not in self._series:
                self._series[key] = self._begin(row.spec, row.attributes)
            series = self._series[key]
            if series is None:
                continue
            series.status[place] = codes[row.status]
            series.samples[place] = row.samples
            for column, value in (
                (series.value, row.value),
                (series.noise, row.noise),
                (series.threshold, row.threshold),
                (series.lower, row.lower),
                (series.upper, row.upper),
            ):
                if value is not None:
                    column[place] = value

    def ordered(self, specs: Iterable[str]) -> dict[tuple[str, str], Series]:
        """Return the series in the order of the specs' names."""
        rank = {name: number for number, name in enumerate(specs)}
        kept = {key: one for key, one in self._series.items() if one is not None}
        return dict(sorted(kept.items(), key=lambda item: (rank[item[0][0]], item[0][1])))

    def _begin(self, spec: MetricSpec, text: str) -> Series | None:
        attributes = decode_attributes(text)
        compared = attributes.get("comparison")
        if "feature" in attributes and compared not in {None, Comparison.OPERATING.value}:
            return None
        return Series(
            spec,
            attributes,
            value=self._empty(),
            noise=self._empty(),
            threshold=self._empty(),
            lower=self._empty(),
            upper=self._empty(),
            samples=np.zeros(self._windows, np.int64),
            status=np.full(self._windows, ABSENT, np.int8),
        )

    def _empty(self) -> Column:
        return np.full(self._windows, np.nan)
