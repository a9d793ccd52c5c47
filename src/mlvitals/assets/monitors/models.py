"""Monitors of models: the page budget's own, and plain thresholds that warn."""

from typing import Final

from mlvitals.assets.boards.pieces import ask
from mlvitals.assets.monitors.monitor import Bar, Cadence, Comparator, Monitor, Overdue, Severity
from mlvitals.signals.signal_status import STATES
from mlvitals.signals.spec import Status

_WARNING: Final = STATES[Status.WARNING]

PAGE: Final = Monitor(
    name="page",
    title="A model needs somebody",
    severity=Severity.PAGE,
    cadence=Cadence.TELEMETRY,
    query=ask("decision.page.age", by=("model", "owner", "detector", "subject", "costs")),
    fires=Bar(comparator=Comparator.ABOVE, value=0.0, recovery=0.0),
    says="{model}: {detector} {subject} moved; {costs}",
    means=(
        "A budgeted detector has gathered enough evidence that something changed for good: it is the only monitor of "
        "models that wakes a person, and all of them together keep to the page budget."
    ),
    do=(
        "Read the page's sentence among the events of the model's board: what moved, since when, what it costs.",
        "Go through the rows of the board from pipeline to value: the first that is wrong explains the rest.",
        "Look at the rows behind it by the page's link, and at what was deployed shortly before.",
        "If it is known or wanted, say so: `mlvitals mute` for a disturbance, `mlvitals accept` for a new normal.",
        "When it is over, say whether the page was a true one: `mlvitals verdict`.",
    ),
)

FAMILY_WARNS: Final = Monitor(
    name="family_warns",
    title="Signals of a model warn",
    severity=Severity.WARN,
    cadence=Cadence.WINDOW,
    query=ask("signal.status", by=("model", "family")),
    fires=Bar(comparator=Comparator.AT_LEAST, value=_WARNING, recovery=_WARNING),
    says="{model}: signals of the family {family} warn",
    means="A plain threshold of a family of signals is exceeded in the newest window, beyond what chance explains.",
    do=(
        "Look at the family's row of the model's board: which signal, which feature, since when.",
        "If it lasts it will page by itself as soon as the evidence is there; nothing has to be done at night.",
    ),
)

ORPHANS: Final = Monitor(
    name="orphan_labels",
    title="Labels meet no predictions",
    severity=Severity.WARN,
    cadence=Cadence.TELEMETRY,
    query=ask("label.orphan.ratio", by=("model",)),
    fires=Bar(comparator=Comparator.AT_LEAST, value=0.2, recovery=0.1),
    says="{model}: {value} of the labels belong to no prediction that is known",
    means="One label in five or more has an id that no prediction had: the feeds spell ids differently, or one is cut.",
    do=(
        "Compare ids of both feeds: prefixes, lower and upper case, leading zeros, another environment.",
        "Labels of predictions that were served before the exporter was installed are orphans too, and pass.",
    ),
)

STALE: Final = Monitor(
    name="window_age",
    title="A model's windows do not close",
    severity=Severity.WARN,
    cadence=Cadence.TELEMETRY,
    query=ask("pipeline.window.age", by=("model",)),
    fires=Overdue(),
    says="{model}: its newest closed window ended {value} ago",
    means=(
        "No window of the model has closed for longer than its lookback: events do not arrive, or one source holds the "
        "watermark of all."
    ),
    do=(
        "`mlvitals status -c FILE` shows positions, watermarks and what sources cannot read.",
        "A source that is silent and not idle holds the windows open: see `windows.idle`.",
    ),
)

MODELS: Final[tuple[Monitor, ...]] = (PAGE, FAMILY_WARNS, ORPHANS, STALE)
