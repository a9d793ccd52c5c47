"""What is watched of a model: its traffic, its features, its predictions, and its cohorts once their labels came."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from mlvitals.decisions.columns import Watched, column_streams
from mlvitals.decisions.finding import Detector, Source
from mlvitals.decisions.streams import ANGLE, EFFECT, LOG_RATIO, Stream, Streams, Values
from mlvitals.signals.prediction_drift import output_bins
from mlvitals.signals.table import feature_section
from mlvitals.windows.delays import bins_within
from mlvitals.windows.layout import Layout, Task
from mlvitals.windows.summary import Counts, Summary

Floats = npt.NDArray[np.float64]

RATE: Final = "rate"
_COUNTED: Final = 6
_SURELY: Final = 3.0  # standard errors
_LEAST_MISTAKES: Final = 10


def traffic_streams(model: str) -> Streams:
    """Return the streams of [predictions, failed requests]: the logarithm of the volume, and the share that failed."""

    def read(counts: Floats) -> Values:
        served, failed = counts.T
        return Values(
            np.log(served + 0.5)[:, None], (1 / (served + 1))[:, None], failed[:, None], (served + failed)[:, None]
        )

    volume, errors = (Source(model, "", detector, "") for detector in (Detector.VOLUME, Detector.ERRORS))
    return Streams(
        effects=(Stream(source=volume, component="count", weight=1.0, unit=LOG_RATIO),),
        rates=(Stream(source=errors, component=RATE, weight=1.0, unit=ANGLE),),
        read=read,
    )


def traffic_counts(served: Floats, layout: Layout) -> Floats:
    """Return what `traffic_streams` reads, of served vectors of shape (windows, size)."""
    places = [layout.served_sections[name].start for name in ("predictions", "errors")]
    return served[:, places]


def feature_streams(model: str, layout: Layout, reference: Counts, typical: float) -> Streams:
    """Return the streams of the features' section of `served`.

    reference: that section of the reference. typical: rows of a typical window.
    """
    start = feature_section(layout).start
    return column_streams(
        [
            Watched(
                source=Source(model, "", Detector.FEATURE, feature.name),
                bins=feature.bins,
                reference=reference[place.start - start : place.stop - start],
                distribution=feature.kind.drifts,
                typical=typical,
            )
            for feature in layout.features
            for place in (layout.served_sections[feature.column],)
        ]
    )


def prediction_streams(model: str, version: str, layout: Layout, reference: Counts, typical: float) -> Streams | None:
    """Return the streams of what `output_counts` gives; None where a version logs neither score nor class."""
    bins = output_bins(layout.output)
    if bins is None:
        return None
    source = Source(model, version, Detector.PREDICTION, "")
    one = Watched(source=source, bins=bins, reference=reference, distribution=True, typical=typical)
    return column_streams([one])


def segment_streams(
    source: Source, layout: Layout, segments: Sequence[str], reference: Counts, typical: float
) -> Streams | None:
    """Return the streams of what `output_counts` gives of each segment, side by side; None as of all predictions.

    source: of the model, the version and the detector. reference: the counts of all that is learnt from. typical: their
    sum in a typical window.
    """
    bins, rows = output_bins(layout.output), max(int(reference.sum()), 1)
    if bins is None:
        return None
    parts = np.split(reference, len(segments))
    return column_streams(
        [
            Watched(
                source=source._replace(subject=name),
                bins=bins,
                reference=part,
                distribution=True,
                typical=typical * int(part.sum()) / rows,
            )
            for name, part in zip(segments, parts, strict=True)
        ]
    )


def cohort_streams(model: str, version: str, maturity: str, task: Task) -> Streams:
    """Return the streams of what `cohort_counts` gives.

    Label coverage is a rate. So is in a classification what labels say against the predictions beyond chance
    (`contradictions`): the world may change until predictions say nothing, but they say the opposite where labels are
    turned round. Performance is that of what is acted on: in a binary task recall and precision, for a
    share of all is blind where positives are rare; of many classes the share that is right; in a regression the
    logarithm of the mean absolute error, and the bias as a part of that error; of rankings the mean ndcg, read as a
    share, which varies more than any mean of values in [0, 1] does.
    """
    coverage, performance = (
        Source(model, version, detector, maturity) for detector in (Detector.COVERAGE, Detector.PERFORMANCE)
    )
    if task is Task.REGRESSION:
        parts = (("mae", LOG_RATIO), ("bias", EFFECT))
        return Streams(
            effects=tuple(
                Stream(source=performance, component=name, weight=0.5, unit=unit, least=0.0) for name, unit in parts
            ),
            rates=coverage_streams(model, version, maturity).rates,
            read=_read_errors,
        )
    if task is Task.RANKING:
        return Streams(
            rates=(
                *coverage_streams(model, version, maturity).rates,
                Stream(source=performance, component="ndcg", weight=1.0, unit=ANGLE),
            ),
            read=_read_rankings,
        )
    names = ("recall", "precision") if task is Task.BINARY else ("accuracy",)
    return Streams(
        rates=(
            *(Stream(source=coverage, component=name, weight=0.5, unit=ANGLE) for name in (RATE, "reversed")),
            *(Stream(source=performance, component=name, weight=1 / len(names), unit=ANGLE) for name in names),
        ),
        read=_read_binary if task is Task.BINARY else _read_classes,
    )


def coverage_streams(model: str, version: str, age: str) -> Streams:
    """Return the stream of what `coverage_counts` gives: the share that is labelled."""

    def read(counts: Floats) -> Values:
        none = np.zeros((len(counts), 0))
        return Values(none, none, counts[:, 1:], counts[:, :1])

    source = Source(model, version, Detector.COVERAGE, age)
    return Streams(rates=(Stream(source=source, component=RATE, weight=1.0, unit=ANGLE),), read=read)


def cost_streams(model: str, version: str, maturity: str) -> Streams:
    """Return the stream of what known mistakes cost: the logarithm of the mean over the predictions with a label.

    It is read from [predictions with a label, their cost, the sum of each one's square], by which the cost varies as a
    sum of independent mistakes does. Of what stands for fewer than ten mistakes of one size it says nothing.
    """

    def read(counts: Floats) -> Values:
        rows, total, squares = counts.T
        there = (rows > 0) & (total > 0) & (total * total >= _LEAST_MISTAKES * squares)
        known = np.where(there, total, 1.0)
        effects = np.where(there, np.log(known / np.maximum(rows, 1)), np.nan)
        sampling = np.where(there, squares / (known * known), np.nan)
        none = np.zeros((len(counts), 0))
        return Values(effects[:, None], sampling[:, None], none, none)

    source = Source(model, version, Detector.COST, maturity)
    return Streams(effects=(Stream(source=source, component="mean", weight=1.0, unit=LOG_RATIO),), read=read)


def coverage_counts(summary: Summary, age: int) -> Floats:
    """Return a cohort's predictions, and those labelled by an age before its first maturity."""
    return np.array([summary.predictions, summary.outcome(0).delays[: bins_within(age)].sum()], dtype=np.float64)


def contradictions(confusion: Counts) -> float:
    """Return how many labels contradict what was predicted, beyond chance: 0 where predictions say anything or nothing.

    That is the rows × how far their correlation is below three standard errors under 0. Of two classes it is Matthews'.
    Source: Gorodkin (2004), "Comparing two K-category assignments by a K-category correlation coefficient".
    """
    rows = float(confusion.sum())
    predicted, true = confusion.sum(axis=1, dtype=np.float64), confusion.sum(axis=0, dtype=np.float64)
    spread = (rows**2 - predicted @ predicted) * (rows**2 - true @ true)
    if spread <= 0:
        return 0.0
    correlation = (float(confusion.trace()) * rows - predicted @ true) / np.sqrt(spread)
    return float(max(0.0, rows * -correlation - _SURELY * np.sqrt(rows)))


def cohort_counts(summary: Summary, bucket: int) -> Floats:
    """Return what is counted of a cohort at the maturity that closes an age bucket, six numbers.

    Predictions served and labelled; then in a binary task true positives, those predicted, those that are, and
    contradictions; of many classes those that are right, all, and contradictions; in a regression rows measured, and
    sums of absolute and signed errors; of rankings rows measured, and the sum of ndcg at the largest cutoff.
    """
    outcome = summary.outcome(bucket)
    counted: list[float] = [summary.predictions, outcome.labelled]
    if summary.layout.output.task is Task.REGRESSION:
        rows = outcome.measured
        counted += [rows, outcome.total("absolute") if rows else 0.0, outcome.total("signed") if rows else 0.0]
    elif summary.layout.output.task is Task.RANKING:
        cutoffs = summary.layout.output.cutoffs
        counted += [outcome.measured, outcome.total(f"ndcg@{cutoffs[-1]}") if cutoffs else 0.0]
    else:
        classes = len(summary.layout.outcome_classes)
        confusion = outcome.cells[summary.layout.outcome_sections["confusion"]].reshape(classes, classes)
        if summary.layout.output.task is Task.BINARY:
            counted += [int(confusion[1, 1]), int(confusion[1].sum()), int(confusion[:, 1].sum())]

        else:
            counted += [int(confusion.trace()), int(confusion.sum())]
        counted.append(contradictions(confusion[:-1, :-1]))
    return np.array([*counted, *[0.0] * (_COUNTED - len(counted))], dtype=np.float64)


def _read_binary(counts: Floats) -> Values:
    served, labelled, hits, predicted, positives, against = counts.T
    none = np.zeros((len(counts), 0))
    found, rows = [labelled, against, hits, hits], [served, labelled, positives, predicted]
    return Values(none, none, np.column_stack(found), np.column_stack(rows))


def _read_classes(counts: Floats) -> Values:
    served, labelled, right, judged, against, _ = counts.T
    none = np.zeros((len(counts), 0))
    found, rows = [labelled, against, right], [served, labelled, judged]
    return Values(none, none, np.column_stack(found), np.column_stack(rows))


def _read_rankings(counts: Floats) -> Values:
    served, labelled, rows, gained, *_ = counts.T
    none = np.zeros((len(counts), 0))
    return Values(none, none, np.column_stack([labelled, gained]), np.column_stack([served, rows]))


def _read_errors(counts: Floats) -> Values:
    served, labelled, rows, absolute, signed, _ = counts.T
    there = (rows > 0) & (absolute > 0)
    mean = np.where(there, absolute, 1.0) / np.maximum(rows, 1)
    effects = np.where(there[:, None], np.column_stack([np.log(mean), signed / np.where(there, absolute, 1.0)]), np.nan)
    sampling = np.where(there, 1 / np.maximum(rows, 1), np.nan)[:, None]
    return Values(effects, np.repeat(sampling, 2, axis=1), labelled[:, None], served[:, None])
