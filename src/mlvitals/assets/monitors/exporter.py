"""Monitors of the exporter: the heartbeat pages, for without it nothing else can; the rest warns."""

from typing import Final

from mlvitals.assets.boards.pieces import ask
from mlvitals.assets.monitors.monitor import Bar, Cadence, Comparator, Monitor, Severity, Silence

_MINUTE: Final = 60
_HOUR: Final = 3_600

HEARTBEAT: Final = Monitor(
    name="heartbeat",
    title="The exporter is silent",
    severity=Severity.PAGE,
    cadence=Cadence.TELEMETRY,
    query=ask("pipeline.heartbeat"),
    fires=Silence(seconds=10 * _MINUTE),
    says="Nothing was heard of the exporter for {value}: no model is watched",
    means="The exporter does not run, or what it sends does not arrive: until it does, nothing here can be trusted.",
    do=(
        "Is the process there? Its supervisor and its log say; `mlvitals status -c FILE` works without it.",
        "Does it reach this backend? `mlvitals check -c FILE` tries every destination.",
        "Nothing is lost meanwhile: what was read waits on disk, what was not read waits in its source.",
    ),
)

LOOP: Final = Monitor(
    name="loop_age",
    title="The exporter does not read",
    severity=Severity.WARN,
    cadence=Cadence.TELEMETRY,
    query=ask("pipeline.loop.age"),
    fires=Bar(comparator=Comparator.ABOVE, value=10.0 * _MINUTE, recovery=1.0 * _MINUTE),
    says="The exporter has not read for {value}",
    means="The loop is stuck: it tells of itself, and does not come round.",
    do=("See its log, and whether its disk or a source makes it wait.", "A restart loses nothing."),
)

SOURCES: Final = Monitor(
    name="source_faults",
    title="A source cannot be read",
    severity=Severity.WARN,
    cadence=Cadence.TELEMETRY,
    query=ask("pipeline.source.faults"),
    fires=Bar(comparator=Comparator.ABOVE, value=0.0, recovery=0.0, lasting=5 * _MINUTE),
    says="{value} of the sources cannot be read",
    means="There is input that the exporter cannot read: rights, a broken file, an unreachable service.",
    do=("`mlvitals status -c FILE` names the source and the reason.", "The others are read on."),
)

FAULTY: Final = Monitor(
    name="model_faults",
    title="A model cannot be watched",
    severity=Severity.WARN,
    cadence=Cadence.TELEMETRY,
    query=ask("pipeline.model.faults"),
    fires=Bar(comparator=Comparator.ABOVE, value=0.0, recovery=0.0, lasting=5 * _MINUTE),
    says="{value} of the models cannot run; their events wait",
    means="A reference, a key of the configuration or a fault of ours stops a model; the others go on.",
    do=("`mlvitals check -c FILE` names the model and the reason.", "Its events wait, within a bound that is told."),
)

HELD: Final = Monitor(
    name="destination_held",
    title="A destination is held",
    severity=Severity.WARN,
    cadence=Cadence.TELEMETRY,
    query=ask("pipeline.outbox.status", by=("destination",)),
    fires=Bar(comparator=Comparator.AT_LEAST, value=2.0, recovery=2.0),
    says="{destination} refuses what is sent until a person acts",
    means="A key, an address or a right is wrong: sending is held so that nothing is lost.",
    do=(
        "`mlvitals outbox show -c FILE` tells what it answers.",
        "Mend it: it is tried again within five minutes, and at once where the job is sent SIGHUP.",
    ),
)

WAITING: Final = Monitor(
    name="outbox_age",
    title="A destination takes nothing",
    severity=Severity.WARN,
    cadence=Cadence.TELEMETRY,
    query=ask("pipeline.outbox.age", by=("destination",)),
    fires=Bar(comparator=Comparator.ABOVE, value=1.0 * _HOUR, recovery=0.5 * _HOUR),
    says="The oldest request for {destination} has waited {value}",
    means="It is unreachable or overloaded: requests wait on disk, and expire by the sink's rule.",
    do=("Is it down? Then nothing is to be done here: what waits is sent when it is back.",),
)

LETTERS: Final = Monitor(
    name="dead_letters",
    title="A destination refused for good",
    severity=Severity.WARN,
    cadence=Cadence.TELEMETRY,
    query=ask("pipeline.dead_letters", by=("destination",)),
    fires=Bar(comparator=Comparator.ABOVE, value=0.0, recovery=0.0),
    says="{value} requests for {destination} are dead letters",
    means="The destination will never take them as they are; they are kept for a person.",
    do=(
        "`mlvitals outbox show -c FILE --dead` gives each with its reason.",
        "Mend that and stop the job; then `mlvitals outbox retry -c FILE --dead`, or drop them.",
    ),
)

SERIES: Final = Monitor(
    name="series_dropped",
    title="The series budget is full",
    severity=Severity.WARN,
    cadence=Cadence.TELEMETRY,
    query=ask("pipeline.series.dropped"),
    fires=Bar(comparator=Comparator.ABOVE, value=0.0, recovery=0.0),
    says="{value} series do not leave",
    means="There are more series than `budget.series` allows: the least important do not leave, documents do.",
    do=("`mlvitals plan -c FILE` names what is cut.", "Raise the budget, or export less."),
)

EXPORTER: Final[tuple[Monitor, ...]] = (HEARTBEAT, LOOP, SOURCES, FAULTY, HELD, WAITING, LETTERS, SERIES)
