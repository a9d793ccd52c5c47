"""All models on one page: which needs somebody, and who watches the watcher."""

from typing import Final

from mlvitals.assets.boards.board import Board, Row
from mlvitals.assets.boards.pieces import ask, events, number, states, table, trend, warning_mark
from mlvitals.assets.query import Aggregate
from mlvitals.signals.spec import Layer
from mlvitals.telemetry import CHANGE
from mlvitals.telemetry.pages import PAGE, PAGE_CLOSED

FLEET: Final = Board(
    name="fleet",
    title="Model vitals · fleet",
    brief="Every model at a glance: what pages, what warns, how much is served, what it costs.",
    variables=("environment",),
    leads_to=("model", "exporter"),
    rows=(
        Row(
            title="Now",
            panels=(
                table(
                    "What pages",
                    "Time since the onset of each incident that pages, what moved, what it costs; 0 where none does.",
                    ask("decision.page.age", by=("model", "detector", "subject", "costs")),
                    width=9,
                ),
                number(
                    "Heartbeat",
                    "Beats since the state was made: it grows as long as the exporter lives.",
                    ask("pipeline.heartbeat"),
                ),
            ),
        ),
        Row(
            title="State of every model",
            panels=(
                states(
                    "Signal families",
                    "The gravest verdict of each family of signals in the newest window, by model.",
                    ask("signal.status", by=("model", "family")),
                    height=8,
                ),
                events("Pages and changes", "What opened, what ended, what was deployed.", PAGE, PAGE_CLOSED, CHANGE),
            ),
        ),
        Row(
            title="Pipeline: served as usual?",
            layer=Layer.PIPELINE,
            panels=(
                trend(
                    "Predictions a second",
                    "Served by each model, all versions together.",
                    ask("prediction.rate", by=("model",), aggregate=Aggregate.SUM),
                    lowest=0,
                ),
                trend(
                    "Failed requests",
                    "Share of requests that failed, the worst version of each model.",
                    ask("request.error.ratio", by=("model",)),
                    marks=warning_mark("request.error.ratio"),
                    lowest=0,
                ),
            ),
        ),
        Row(
            title="Data and model: moved?",
            panels=(
                trend(
                    "Worst drift",
                    "How far the feature that moved most is from normal production, in standard deviations.",
                    ask("feature.drift.worst", by=("model",), where={"comparison": "operating"}),
                    marks=warning_mark("feature.drift.worst"),
                    lowest=0,
                ),
                trend(
                    "Features that warn",
                    "How many features warn or alert in a window.",
                    ask("feature.alert.count", by=("model",)),
                    lowest=0,
                ),
            ),
        ),
        Row(
            title="Label and value: known, and at what price?",
            panels=(
                trend(
                    "Label coverage",
                    "Share of a cohort that is labelled at each maturity, by model.",
                    ask("label.coverage.ratio", by=("model", "maturity"), aggregate=Aggregate.MIN),
                    lowest=0,
                    highest=1,
                ),
                trend(
                    "Cost of a prediction",
                    "What known mistakes, reviews and failed requests cost for each prediction.",
                    ask("cost.per_prediction", by=("model", "maturity", "currency")),
                ),
                trend(
                    "Cost at risk",
                    "What a window's predictions are expected to cost before their labels come.",
                    ask("cost.at_risk", by=("model", "currency"), aggregate=Aggregate.SUM),
                ),
                trend(
                    "Newest closed window",
                    "Age of the newest window that was closed: a model whose events stopped to arrive climbs.",
                    ask("pipeline.window.age", by=("model",)),
                    lowest=0,
                ),
            ),
        ),
    ),
)
