"""One model in depth, from top to bottom in the order in which one debugs."""

from typing import Final

from mlvitals.assets.boards.board import Board, Mark, Row
from mlvitals.assets.boards.pieces import ask, events, number, states, table, trend, warning_mark
from mlvitals.signals.spec import Layer
from mlvitals.telemetry import CHANGE
from mlvitals.telemetry.pages import AUDIT, PAGE, PAGE_CLOSED, PAGE_JOINED, PAGE_SILENCED

_BAR: Final = (Mark(value=0.0, label="a week of the reference left out would have paged from here on"),)

MODEL: Final = Board(
    name="model",
    title="Model vitals · one model",
    brief="One model from pipeline to value: read from top to bottom, the first row that is wrong explains the rest.",
    variables=("environment", "model", "model_version"),
    leads_to=("fleet", "drift", "performance", "value"),
    rows=(
        Row(
            title="Now",
            panels=(
                states(
                    "Signal families",
                    "The gravest verdict of each family in the newest windows.",
                    ask("signal.status", by=("model_version", "family")),
                    width=8,
                ),
                table(
                    "What pages",
                    "Time since the onset of what pages, what moved, and what it costs a day; 0 where nothing does.",
                    ask("decision.page.age", by=("detector", "subject", "costs")),
                    width=4,
                    height=4,
                ),
                events(
                    "Pages, changes and what people said",
                    "The sentence of each page says what moved, since when, how sure that is and what it costs.",
                    PAGE,
                    PAGE_JOINED,
                    PAGE_CLOSED,
                    PAGE_SILENCED,
                    CHANGE,
                    AUDIT,
                ),
            ),
        ),
        Row(
            title="1 · Pipeline: does it run, and is it asked as usual?",
            layer=Layer.PIPELINE,
            panels=(
                trend(
                    "Requests",
                    "Asked for in a window: served and failed.",
                    ask("request.count", by=("model_version",)),
                    lowest=0,
                    width=4,
                ),
                trend(
                    "Predictions",
                    "Served in a window.",
                    ask("prediction.count", by=("model_version",)),
                    lowest=0,
                    width=4,
                ),
                trend(
                    "Predictions a second",
                    "Served, by version.",
                    ask("prediction.rate", by=("model_version",)),
                    lowest=0,
                    width=4,
                ),
                trend(
                    "Failed requests",
                    "Share of requests that failed.",
                    ask("request.error.ratio", by=("model_version",)),
                    marks=warning_mark("request.error.ratio"),
                    lowest=0,
                    width=4,
                ),
                trend(
                    "Latency",
                    "Time that the model took, by quantile.",
                    ask("request.latency", by=("model_version", "quantile")),
                    lowest=0,
                    width=4,
                ),
                trend(
                    "Event lag",
                    "From the event to its being seen, by quantile.",
                    ask("event.lag", by=("model_version", "quantile")),
                    lowest=0,
                    width=4,
                ),
                trend(
                    "Repeated predictions",
                    "Share of rows whose id had been served before.",
                    ask("prediction.duplicate.ratio", by=("model_version",)),
                    lowest=0,
                    width=4,
                ),
                trend(
                    "Evidence: volume and errors",
                    "What the budgeted detectors hold, as log10; they page at their bar.",
                    ask("prediction.volume.evidence", label="volume"),
                    ask("request.error.evidence", label="errors"),
                    width=4,
                ),
                trend("Newest closed window", "Its age.", ask("pipeline.window.age", by=("model",)), lowest=0, width=4),
            ),
        ),
        Row(
            title="2 · Data: are the features what they were?",
            layer=Layer.DATA,
            panels=(
                trend(
                    "Worst drift",
                    "The feature that moved most against normal production, in standard deviations.",
                    ask("feature.drift.worst", by=("model_version",), where={"comparison": "operating"}),
                    marks=warning_mark("feature.drift.worst"),
                    lowest=0,
                    width=4,
                ),
                trend(
                    "Features that warn",
                    "How many warn or alert in a window.",
                    ask("feature.alert.count", by=("model_version",)),
                    lowest=0,
                    width=4,
                ),
                trend(
                    "Evidence: all features together",
                    "As log10; it pages at its bar.",
                    ask("feature.joint.evidence"),
                    width=4,
                ),
                table(
                    "Features that moved most",
                    "Shift against normal production, in standard deviations; the sign is its direction.",
                    ask("feature.drift.location", by=("feature",), where={"comparison": "operating"}),
                ),
                table(
                    "Features with most missing values",
                    "Share of rows without a value.",
                    ask("feature.missing.ratio", by=("feature",)),
                ),
            ),
        ),
        Row(
            title="3 · Model: are the predictions what they were, and how good?",
            layer=Layer.MODEL,
            panels=(
                trend(
                    "Predicted classes",
                    "Share of each class.",
                    ask("prediction.class.ratio", by=("model_version", "class")),
                    lowest=0,
                    highest=1,
                    width=4,
                ),
                trend(
                    "Score, or value",
                    "By quantile.",
                    ask("prediction.quantile", by=("model_version", "quantile")),
                    width=4,
                ),
                trend(
                    "Drift of the predictions",
                    "Population stability index against normal production.",
                    ask(
                        "prediction.drift.score",
                        by=("model_version",),
                        where={"method": "psi", "comparison": "operating"},
                    ),
                    marks=warning_mark("prediction.drift.score"),
                    lowest=0,
                    width=4,
                ),
                trend(
                    "Performance",
                    "Of cohorts whose labels had time to come, by metric and maturity.",
                    ask("performance.score", by=("metric", "maturity", "model_version")),
                ),
                trend(
                    "Errors",
                    "Of cohorts whose labels had time to come, by metric and maturity.",
                    ask("performance.error", by=("metric", "maturity", "model_version")),
                ),
                trend(
                    "Expected before labels come",
                    "Estimated performance, by method and metric.",
                    ask("performance.estimated", by=("method", "metric")),
                ),
                trend(
                    "Evidence: predictions and performance",
                    "As log10; they page at their bar.",
                    ask("prediction.drift.evidence", by=("model_version",), label="predictions"),
                    ask("segment.evidence", by=("model_version",), label="worst segment"),
                    ask("performance.evidence", by=("maturity",), label="performance"),
                ),
            ),
        ),
        Row(
            title="4 · Label: do we know the truth yet?",
            layer=Layer.LABEL,
            panels=(
                trend(
                    "Label coverage",
                    "Share of a cohort that is labelled at each maturity.",
                    ask("label.coverage.ratio", by=("maturity",)),
                    lowest=0,
                    highest=1,
                    width=4,
                ),
                trend(
                    "Evidence: coverage",
                    "As log10; it pages at its bar.",
                    ask("label.coverage.evidence", by=("maturity",)),
                    width=4,
                ),
                number(
                    "Orphan labels",
                    "Share of labels that no prediction is known for.",
                    ask("label.orphan.ratio", by=("model",)),
                    width=4,
                ),
            ),
        ),
        Row(
            title="5 · Value: what does it cost?",
            layer=Layer.VALUE,
            panels=(
                trend(
                    "Cost",
                    "Of known mistakes, reviews and failed requests, by maturity.",
                    ask("cost.total", by=("maturity", "currency")),
                    width=4,
                ),
                trend(
                    "Cost of a prediction",
                    "The same for each prediction.",
                    ask("cost.per_prediction", by=("maturity", "currency")),
                    width=4,
                ),
                trend("Cost at risk", "Expected before labels come.", ask("cost.at_risk", by=("currency",)), width=4),
            ),
        ),
        Row(
            title="Is the page budget kept?",
            panels=(
                trend(
                    "Self-check of the reference",
                    "Most evidence, against its bar, in weeks of the reference left out in turn.",
                    ask("decision.selfcheck"),
                    marks=_BAR,
                    width=12,
                ),
            ),
        ),
    ),
)
