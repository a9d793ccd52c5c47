"""The vectors of counts that a model's detectors read together: how to read them of windows, and what is watched."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlvitals.decisions.detectors import Make
from mlvitals.decisions.finding import Detector, Source
from mlvitals.decisions.watching import feature_streams, prediction_streams, traffic_counts, traffic_streams
from mlvitals.signals.prediction_drift import output_bins, output_counts
from mlvitals.signals.table import feature_section
from mlvitals.windows.layout import Layout
from mlvitals.windows.reference import Reference
from mlvitals.windows.summary import Summary

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """A vector of counts.

    name: within the model. read: it, of served counts of windows under a layout, shape (windows, size). make: the
    streams. rows: how many rows a window's counts stand for. together: a detector of the mean evidence of all.
    """

    name: str
    read: Callable[[Floats, Layout], Floats]
    make: Make
    rows: Callable[[Floats], Floats]
    together: Source | None = None


def traffic_vector(model: str) -> Vector:
    """Return what volume and failed requests are read from."""
    streams = traffic_streams(model)
    return Vector(name="traffic", read=traffic_counts, make=lambda *_: streams, rows=first_counts)


def feature_vector(model: str, layout: Layout) -> Vector:
    """Return what all features are read from, under the layout by which they are judged."""
    first = next(iter(layout.features), None)
    width = 0 if first is None else layout.served_sections[first.column].stop - feature_section(layout).start
    return Vector(
        name="features",
        read=lambda served, under: served[:, feature_section(under)],
        make=lambda counts, typical: feature_streams(model, layout, counts.astype(np.int64), typical),
        rows=lambda counts: counts[:, :width].sum(axis=1),
        together=Source(model, "", Detector.FEATURES, ""),
    )


def prediction_vector(model: str, version: str, layout: Layout) -> Vector:
    """Return what the predictions of a version are read from, under the layout by which they are judged."""
    return Vector(
        name=f"prediction:{version}",
        read=_outputs,
        make=lambda counts, typical: prediction_streams(model, version, layout, counts.astype(np.int64), typical),
        rows=lambda counts: np.asarray(counts.sum(axis=1)),
    )


def served_vectors(model: str, layout: Layout, *, complete: bool) -> Iterator[Vector]:
    """Yield what can be read of the windows of a reference; its volume only where it is all that was served."""
    if complete:
        yield traffic_vector(model)
    if layout.features:
        yield feature_vector(model, layout)
    if output_bins(layout.output) is not None:
        yield prediction_vector(model, "", layout)


def read_windows(reference: Reference, vector: Vector, starts: Times) -> Floats:
    """Return a vector's counts in windows of a reference, shape (windows, counts); one window unpacked at a time."""
    rows = [
        vector.read(reference.series[start][None, :].astype(np.float64), reference.layout) for start in starts.tolist()
    ]
    return np.concatenate(rows) if rows else np.zeros((0, 0))


def first_counts(counts: Floats) -> Floats:
    """Return the rows of windows whose first count is of all of them."""
    return np.asarray(counts[:, 0])


def _outputs(served: Floats, layout: Layout) -> Floats:
    outcomes = np.zeros((0, layout.outcome_size), dtype=np.int64)
    found = [output_counts(Summary(layout, one.astype(np.int64), outcomes)) for one in served]
    return np.array([counts for counts in found if counts is not None], dtype=np.float64)
