"""The pipeline's own metrics: what the job tells of itself while it runs, so that no loss is silent."""

from functools import partial
from typing import Final

from mlvitals.signals.spec import Export, Instrument, Layer, MetricSpec, Orientation, Stage

_running = partial(MetricSpec, layer=Layer.PIPELINE, stage=Stage.RUNNING, level=Export.LEAN)
_bad = partial(_running, orientation=Orientation.LOWER)
_neutral = partial(_running, orientation=Orientation.NEITHER)

PIPELINE_HEARTBEAT: Final = _running(
    name="mlvitals.pipeline.heartbeat",
    unit="{beat}",
    brief="Times that the job has told how it fares, since the state was made.",
    orientation=Orientation.HIGHER,
    instrument=Instrument.COUNTER,
)

PIPELINE_LOOP_AGE: Final = _bad(
    name="mlvitals.pipeline.loop.age",
    unit="s",
    brief="Time since the job last read a batch or asked its sources for one.",
)

PIPELINE_EVENTS: Final = _neutral(
    name="mlvitals.pipeline.events",
    unit="{event}",
    brief="Events by what became of them, since the state was made; one that became something else later is in both.",
    attributes=("outcome",),
    instrument=Instrument.COUNTER,
)

# A gauge of the state, not of a cohort: a label that met no prediction belongs to no version and to no window.
LABEL_ORPHAN_RATIO: Final = MetricSpec(
    name="mlvitals.label.orphan.ratio",
    unit="1",
    brief="Share of the different labels since the state was made that no prediction is known for, by model.",
    layer=Layer.LABEL,
    stage=Stage.RUNNING,
    orientation=Orientation.LOWER,
    level=Export.LEAN,
    attributes=("model",),
)

PIPELINE_HELD: Final = _bad(
    name="mlvitals.pipeline.held",
    unit="{event}",
    brief="Events that wait to be counted: their model cannot run, or the other half has not come.",
)

PIPELINE_SOURCE_FAULTS: Final = _bad(
    name="mlvitals.pipeline.source.faults",
    unit="{source}",
    brief="Sources with input that is there and cannot be read.",
)

PIPELINE_MODEL_FAULTS: Final = _bad(
    name="mlvitals.pipeline.model.faults",
    unit="{model}",
    brief="Models that cannot run; their events wait.",
)

PIPELINE_WINDOW_AGE: Final = _bad(
    name="mlvitals.pipeline.window.age",
    unit="s",
    brief="Time since the end of the newest window that was closed, by model.",
    attributes=("model",),
)

PIPELINE_WINDOW_DURATION: Final = _bad(
    name="mlvitals.pipeline.window.duration",
    unit="s",
    brief="Time that it took to close what was due of a model, the last time that anything was.",
)

PIPELINE_SERIES_DROPPED: Final = _bad(
    name="mlvitals.pipeline.series.dropped",
    unit="{series}",
    brief="Series that do not leave because the budget is full.",
)

PIPELINE_ITEMS: Final = _neutral(
    name="mlvitals.pipeline.items",
    unit="{item}",
    brief="Points and records by what became of them at a destination, since the state was made.",
    attributes=("destination", "fate"),
    instrument=Instrument.COUNTER,
)

PIPELINE_OUTBOX_SIZE: Final = _bad(
    name="mlvitals.pipeline.outbox.size",
    unit="{request}",
    brief="Requests that wait for a destination.",
    attributes=("destination",),
)

PIPELINE_OUTBOX_VOLUME: Final = _bad(
    name="mlvitals.pipeline.outbox.volume",
    unit="By",
    brief="Bytes that wait for a destination.",
    attributes=("destination",),
)

PIPELINE_OUTBOX_AGE: Final = _bad(
    name="mlvitals.pipeline.outbox.age",
    unit="s",
    brief="Time that the oldest request has waited for a destination, 0 where none waits.",
    attributes=("destination",),
)

PIPELINE_OUTBOX_STATUS: Final = _bad(
    name="mlvitals.pipeline.outbox.status",
    unit="{state}",
    brief="How a destination stands: 0 takes what is sent, 1 is tried again, 2 held until a person acts.",
    attributes=("destination",),
)

PIPELINE_DEAD_LETTERS: Final = _bad(
    name="mlvitals.pipeline.dead_letters",
    unit="{request}",
    brief="Requests that a destination will never take, kept for a person to look at.",
    attributes=("destination",),
)

# A verdict takes a page from `unjudged` to another, and what ended long ago is forgotten: a gauge, for both may fall.
DECISION_PAGE_COUNT: Final = _neutral(
    name="mlvitals.decision.page.count",
    unit="{page}",
    brief="Pages of the last 400 days by what people said they were: true, false, or unjudged.",
    attributes=("verdict",),
)

# One series for each model, 0 as long as it is well, so that a recovery is seen; and one for each incident that pages.
DECISION_PAGE_AGE: Final = _bad(
    name="mlvitals.decision.page.age",
    unit="s",
    brief="Time since the onset of what pages, with what moved and what it costs a day; of a model alone 0.",
    attributes=("model", "owner", "detector", "subject", "costs"),
)

# Of so many incidents that page at a time, the newest: nobody acts on more, and series are budgeted.
PAGES_TOLD: Final = 20

# What is looked at first when something is silent, then the way of the data, from the sources to the destinations, then
# pages.
RUNNING: Final[tuple[MetricSpec, ...]] = (
    PIPELINE_HEARTBEAT,
    PIPELINE_LOOP_AGE,
    PIPELINE_EVENTS,
    PIPELINE_HELD,
    PIPELINE_SOURCE_FAULTS,
    PIPELINE_MODEL_FAULTS,
    PIPELINE_WINDOW_AGE,
    PIPELINE_WINDOW_DURATION,
    PIPELINE_SERIES_DROPPED,
    PIPELINE_ITEMS,
    PIPELINE_OUTBOX_SIZE,
    PIPELINE_OUTBOX_VOLUME,
    PIPELINE_OUTBOX_AGE,
    PIPELINE_OUTBOX_STATUS,
    PIPELINE_DEAD_LETTERS,
    DECISION_PAGE_AGE,
    DECISION_PAGE_COUNT,
    LABEL_ORPHAN_RATIO,
)
