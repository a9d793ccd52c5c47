"""The table of models: how each of them is, in a line."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from mlvitals.clock import parse_duration
from mlvitals.config import Config
from mlvitals.report.episodes import Episode, find_episodes
from mlvitals.report.figures import sparkline
from mlvitals.report.frame import WINDOWS_AT_MOST, Frame, Window, judged_window, read_windows, signals_of_models
from mlvitals.report.numbers import measured, moment, worst
from mlvitals.report.reading import Row, decode_attributes, read_marks, read_window, stored_models, stored_versions
from mlvitals.report.whose import Whose, whose
from mlvitals.signals.share import LABEL_COVERAGE_RATIO
from mlvitals.signals.spec import Layer, MetricSpec, Stage, Status

_SPARK_WINDOWS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One model's line.

    layers: the status of each layer in the window that could be judged last; None where nothing is judged there.
    performance, coverage: at the greatest maturity that was reached with enough rows, in words.
    """

    whose: Whose
    versions: Sequence[str]
    newest: Window | None
    judged: Window | None
    layers: Mapping[Layer, Status | None]
    episodes: Sequence[Episode]
    performance: str = ""
    settled: str = ""
    spark: str = ""
    windows: Sequence[Window] = field(default_factory=tuple)

    @property
    def gravity(self) -> tuple[int, float]:
        """What to look at first sorts last: features that warn now, then the strongest of the period."""
        return sum(one.ongoing for one in self.episodes), max((one.strength for one in self.episodes), default=0.0)

    @property
    def moved(self) -> Episode | None:
        """The feature that moved furthest in the period."""
        features = [one for one in self.episodes if one.feature is not None]
        return max(features, key=lambda one: one.strength, default=None)


def read_standings(connection: sqlite3.Connection, config: Config, since: int) -> list[Standing]:
    """Return every model that is configured or has measurements, by name."""
    names = {model.name for model in config.models} | set(stored_models(connection))
    specs = config.signals.specs
    return [_standing(connection, whose(config, name), since, specs) for name in sorted(names)]


def _standing(connection: sqlite3.Connection, of: Whose, since: int, specs: Mapping[str, MetricSpec]) -> Standing:
    windows = read_windows(connection, of.name, since, WINDOWS_AT_MOST)
    judged = judged_window(windows)
    performance, settled = _performance(connection, of, windows, specs)
    frame = Frame(of.name, windows, specs)
    return Standing(
        whose=of,
        versions=stored_versions(connection, of.name),
        newest=windows[-1] if windows else None,
        judged=judged,
        layers=_layers(connection, of.name, judged, specs),
        episodes=find_episodes(read_marks(connection, of.name, since, specs), frame),
        performance=performance,
        settled=settled,
        spark=sparkline([window.served for window in windows[-_SPARK_WINDOWS:]]),
        windows=windows,
    )


def _layers(
    connection: sqlite3.Connection, model: str, judged: Window | None, specs: Mapping[str, MetricSpec]
) -> dict[Layer, Status | None]:
    said: dict[Layer, set[Status]] = {layer: set() for layer in Layer}
    if judged is not None:
        for row in read_window(connection, model, judged.version, judged.start, signals=specs.values()):
            if row.threshold is not None:
                said[row.spec.layer].add(Status(row.status))
    return {layer: worst(statuses) for layer, statuses in said.items()}


def _performance(
    connection: sqlite3.Connection, of: Whose, windows: Sequence[Window], specs: Mapping[str, MetricSpec]
) -> tuple[str, str]:
    """Return the newest settled performance with its coverage, and of when it is; never one without the other."""
    settled = [spec for spec in signals_of_models(specs) if spec.stage is Stage.MATURITY]
    wanted = of.config.performance.metrics if of.config else ()
    for window in reversed(windows):
        rows = list(read_window(connection, of.name, window.version, window.start, signals=settled))
        enough = [row for row in rows if Status(row.status) in {Status.OK, Status.WARNING, Status.ALERT}]
        metrics = {decode_attributes(row.attributes).get("metric", ""): row for row in _oldest(enough)}
        coverage = next((row for row in _oldest(rows) if row.signal == LABEL_COVERAGE_RATIO.spec.name), None)
        metrics.pop("", None)
        if not metrics or coverage is None:
            continue
        name = next((str(metric) for metric in wanted if metric in metrics), next(iter(metrics)))
        row = metrics[name]
        age = decode_attributes(row.attributes)["maturity"]
        told = f"{name} {measured(row.value, row.spec.unit)} at {age}"
        return told, f"{measured(coverage.value, '1')} labelled, window of {moment(window.start)}"
    return "", ""


def _oldest(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of the greatest maturity among them."""
    ages = [parse_duration(decode_attributes(row.attributes).get("maturity", "0s")) for row in rows]
    return [row for row, age in zip(rows, ages, strict=True) if age == max(ages)]
