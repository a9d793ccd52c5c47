"""The exporter's own health: who watches the watcher."""

from typing import Final

from mlvitals.assets.boards.board import Board, Kind, Panel, Row
from mlvitals.assets.boards.pieces import ask, number, table, trend
from mlvitals.assets.query import Aggregate, Reading
from mlvitals.signals.spec import Layer

_DESTINATION: Final = ((0.0, "takes what is sent"), (1.0, "is tried again"), (2.0, "held until a person acts"))

EXPORTER: Final = Board(
    name="exporter",
    title="Model vitals · exporter",
    brief="Whether the exporter lives, reads, closes windows and delivers, and what it could not.",
    variables=("environment",),
    leads_to=("fleet",),
    rows=(
        Row(
            title="Does it live?",
            layer=Layer.PIPELINE,
            panels=(
                trend(
                    "Heartbeats",
                    "Growth of the count of beats: one each telemetry interval.",
                    ask("pipeline.heartbeat", reading=Reading.GROWTH),
                    lowest=0,
                    width=4,
                ),
                trend(
                    "Age of the loop",
                    "Time since a batch was last read or asked for.",
                    ask("pipeline.loop.age"),
                    lowest=0,
                    width=4,
                ),
                trend(
                    "Newest closed window",
                    "Its age, by model.",
                    ask("pipeline.window.age", by=("model",)),
                    lowest=0,
                    width=4,
                ),
                number("Sources with faults", "Input that is there and cannot be read.", ask("pipeline.source.faults")),
                number("Models with faults", "They cannot run; their events wait.", ask("pipeline.model.faults")),
                number(
                    "Events that wait",
                    "Their model cannot run, or their other half has not come.",
                    ask("pipeline.held"),
                ),
                number("Series that do not leave", "The series budget is full.", ask("pipeline.series.dropped")),
            ),
        ),
        Row(
            title="What became of what was read",
            layer=Layer.PIPELINE,
            panels=(
                trend(
                    "Events",
                    "By what became of them: growth of the totals.",
                    ask("pipeline.events", by=("outcome",), aggregate=Aggregate.SUM, reading=Reading.GROWTH),
                    lowest=0,
                ),
                table(
                    "Events since the state was made",
                    "By what became of them.",
                    ask("pipeline.events", by=("outcome",), aggregate=Aggregate.SUM),
                ),
                trend(
                    "Time to close windows",
                    "The last time that any were due.",
                    ask("pipeline.window.duration"),
                    lowest=0,
                    width=12,
                ),
            ),
        ),
        Row(
            title="What became of what was sent",
            layer=Layer.PIPELINE,
            panels=(
                Panel(
                    kind=Kind.STATES,
                    title="Destinations",
                    brief="How each stands.",
                    queries=(ask("pipeline.outbox.status", by=("destination",)),),
                    width=12,
                    height=3,
                    states=_DESTINATION,
                ),
                trend(
                    "Points and records",
                    "By destination and what became of them: growth of the totals.",
                    ask("pipeline.items", by=("destination", "fate"), aggregate=Aggregate.SUM, reading=Reading.GROWTH),
                    lowest=0,
                ),
                trend(
                    "Requests that wait", "By destination.", ask("pipeline.outbox.size", by=("destination",)), lowest=0
                ),
                trend(
                    "Bytes that wait",
                    "By destination.",
                    ask("pipeline.outbox.volume", by=("destination",)),
                    lowest=0,
                    width=4,
                ),
                trend(
                    "Oldest request",
                    "How long it has waited, by destination.",
                    ask("pipeline.outbox.age", by=("destination",)),
                    lowest=0,
                    width=4,
                ),
                trend(
                    "Dead letters",
                    "Requests that a destination will never take.",
                    ask("pipeline.dead_letters", by=("destination",)),
                    lowest=0,
                    width=4,
                ),
            ),
        ),
    ),
)
