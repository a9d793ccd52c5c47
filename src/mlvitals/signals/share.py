"""Plain shares of a window: predicted classes, predictions that have their label."""

from collections.abc import Iterator
from typing import Final

from mlvitals.signals.comparison import Comparison
from mlvitals.signals.proportion import wilson_interval
from mlvitals.signals.spec import Evidence, Export, Layer, MetricSpec, Orientation, Reading, Stage, Statistic
from mlvitals.windows.bins import MISSING, OTHER, UNSEEN
from mlvitals.windows.summary import ColumnCounts

# Half of Wilson's interval at a share of one half is 0.17 for 30 rows.
RATIO_ROWS: Final = 30

OTHER_CLASS: Final = "__other__"


def class_shares(column: ColumnCounts) -> dict[str, float]:
    """Return each class's share of the rows that have a class; rare and new ones together, where there are any."""
    predicted = column.total - int(column.specials[MISSING])
    if predicted == 0:
        return {}
    counts = {column.bins.label(index): int(count) for index, count in enumerate(column.counts)}
    rest = int(column.specials[OTHER] + column.specials[UNSEEN])
    if rest:
        counts[OTHER_CLASS] = rest
    return {name: count / predicted for name, count in counts.items()}


def _classes(evidence: Evidence) -> Iterator[Reading]:
    column = evidence.current.classes
    if column is None:
        return
    reference = Comparison.OPERATING.output(evidence)
    normal = None if reference is None else reference.classes
    usual = {} if normal is None else class_shares(normal)
    for name, share in class_shares(column).items():
        yield Reading(
            value=share,
            samples=column.total - int(column.specials[MISSING]),
            attributes={"class": name},
            reference_samples=normal.total - int(normal.specials[MISSING]) if normal is not None and usual else None,
            evidence={"reference": usual.get(name, 0.0)} if usual else {},
        )


def _coverage(evidence: Evidence) -> Iterator[Reading]:
    served = evidence.current.predictions
    if evidence.outcome is None or evidence.maturity is None or served == 0:
        return
    labelled = evidence.outcome.labelled
    lower, upper = wilson_interval(labelled, served)
    yield Reading(
        value=labelled / served,
        samples=served,
        attributes={"maturity": evidence.maturity},
        lower=lower,
        upper=upper,
        evidence={"labelled": float(labelled)},
    )


PREDICTION_CLASS_RATIO: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.prediction.class.ratio",
        unit="1",
        brief="Share of each predicted class.",
        layer=Layer.MODEL,
        stage=Stage.WINDOW,
        orientation=Orientation.NEITHER,
        level=Export.STANDARD,
        attributes=("class",),
        minimum_samples=RATIO_ROWS,
    ),
    compute=_classes,
)

LABEL_COVERAGE_RATIO: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.label.coverage.ratio",
        unit="1",
        brief="Share of the cohort's predictions whose label came within the maturity.",
        layer=Layer.LABEL,
        stage=Stage.MATURITY,
        one_sided=True,
        orientation=Orientation.HIGHER,
        level=Export.LEAN,
        attributes=("maturity",),
        minimum_samples=RATIO_ROWS,
    ),
    compute=_coverage,
)
