"""How late labels come, how many come before what they are about, and how many come to say something else."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from mlvitals.clock import SECOND
from mlvitals.signals.proportion import wilson_interval
from mlvitals.signals.share import RATIO_ROWS
from mlvitals.signals.spec import Evidence, Export, Layer, MetricSpec, Orientation, Reading, Stage, Statistic
from mlvitals.windows.delays import DELAY_AGES, EARLY
from mlvitals.windows.summary import Counts

DELAY_QUANTILES: Final = (0.25, 0.5, 0.75, 0.9)

# The ages, in seconds, between which each bin's labels came; the early ones came at no delay.
_STARTS: Final = np.array((0, 0, *DELAY_AGES), dtype=np.float64) / SECOND
_ENDS: Final = np.array((0, *DELAY_AGES, DELAY_AGES[-1]), dtype=np.float64) / SECOND


def delay_quantile(delays: Counts, served: int, share: float) -> tuple[float, float, float | None] | None:
    """Return the age in seconds by which a share of the served predictions is labelled, and its 95 % interval.

    What has no label by the maturity is censored there, all at the same age: Kaplan and Meier's estimate is then the
    plain share that is labelled, and Greenwood's variance the binomial one (Kaplan and Meier, 1958, JASA 53). The
    interval holds the ages at which Wilson's interval of that share holds the quantile. None where fewer are labelled;
    the upper end is None where that may be so.
    """
    known = np.cumsum(delays)
    place = int(np.searchsorted(known, share * served))
    if served == 0 or place == len(known):
        return None
    inside = int(delays[place])
    part = (share * served - (int(known[place]) - inside)) / inside
    value = _STARTS[place] + part * (_ENDS[place] - _STARTS[place])
    bounds = np.array([wilson_interval(int(count), served) for count in known])
    first = int(np.argmax(bounds[:, 1] >= share))
    upper = float(_ENDS[np.argmax(bounds[:, 0] >= share)]) if bounds[-1, 0] >= share else None
    return float(value), float(_STARTS[first]), upper


def _delays(evidence: Evidence) -> Iterator[Reading]:
    outcome = evidence.outcome
    if outcome is None or evidence.maturity is None:
        return
    # Where the others' silence has become an answer, no label of theirs is waited for.
    served = outcome.labelled if outcome.judged > outcome.labelled else evidence.current.predictions
    for share in DELAY_QUANTILES:
        found = delay_quantile(outcome.delays, served, share)
        if found is None:
            return
        yield Reading(
            value=found[0],
            samples=served,
            attributes={"quantile": f"{share:g}", "maturity": evidence.maturity},
            lower=found[1],
            upper=found[2],
        )


def _early(evidence: Evidence) -> Iterator[Reading]:
    if evidence.outcome is None or evidence.maturity is None:
        return
    labelled = int(evidence.outcome.delays.sum())
    if labelled:
        early = int(evidence.outcome.delays[EARLY])
        lower, upper = wilson_interval(early, labelled)
        attributes = {"maturity": evidence.maturity}
        yield Reading(value=early / labelled, samples=labelled, attributes=attributes, lower=lower, upper=upper)


def _conflicts(evidence: Evidence) -> Iterator[Reading]:
    if evidence.outcome is None or evidence.maturity is None or not evidence.outcome.labelled:
        return
    labelled = evidence.outcome.labelled
    lower, upper = wilson_interval(evidence.conflicts, labelled)
    attributes = {"maturity": evidence.maturity}
    yield Reading(
        value=evidence.conflicts / labelled, samples=labelled, attributes=attributes, lower=lower, upper=upper
    )


LABEL_DELAY: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.label.delay",
        unit="s",
        brief="Age by which a share (the quantile) of the cohort's predictions had its label.",
        layer=Layer.LABEL,
        stage=Stage.MATURITY,
        one_sided=True,
        orientation=Orientation.LOWER,
        level=Export.STANDARD,
        attributes=("quantile", "maturity"),
        minimum_samples=RATIO_ROWS,
    ),
    compute=_delays,
)

LABEL_EARLY_RATIO: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.label.early.ratio",
        unit="1",
        brief="Share of the cohort's labels that are older than the prediction which they are about.",
        layer=Layer.LABEL,
        stage=Stage.MATURITY,
        one_sided=True,
        orientation=Orientation.LOWER,
        level=Export.STANDARD,
        attributes=("maturity",),
        minimum_samples=RATIO_ROWS,
    ),
    compute=_early,
)

LABEL_CONFLICT_RATIO: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.label.conflict.ratio",
        unit="1",
        brief="Share of the cohort's labelled predictions whose labels have said different things.",
        layer=Layer.LABEL,
        stage=Stage.MATURITY,
        one_sided=True,
        orientation=Orientation.LOWER,
        level=Export.STANDARD,
        attributes=("maturity",),
        minimum_samples=RATIO_ROWS,
    ),
    compute=_conflicts,
)
