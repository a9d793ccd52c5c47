"""What mistakes cost, and what could be saved."""

from typing import Final

from mlvitals.assets.boards.board import Board, Row
from mlvitals.assets.boards.pieces import ask, events, note, number, table, trend
from mlvitals.assets.query import Aggregate
from mlvitals.signals.spec import Layer
from mlvitals.telemetry.pages import PAGE, PAGE_CLOSED

_READING: Final = (
    "**What these figures are.** Costs are those that the configuration declares (`cost`). *Cost* counts mistakes "
    "that labels have shown at a maturity, and grows with it. *At risk* is what a window is expected to cost "
    "before its labels come, as long as scores mean what they meant. Currencies are never added up."
)

VALUE: Final = Board(
    name="value",
    title="Model vitals · value",
    brief="What mistakes cost, what an incident puts at risk, and what another threshold would save.",
    variables=("environment", "model", "maturity"),
    leads_to=("model", "performance"),
    rows=(
        Row(
            title="What it costs",
            layer=Layer.VALUE,
            panels=(
                note(_READING),
                number(
                    "Cost of the newest cohort",
                    "At each maturity.",
                    ask("cost.total", by=("maturity", "currency"), aggregate=Aggregate.SUM),
                    width=6,
                ),
                number(
                    "At risk in the newest window",
                    "Expected before labels come.",
                    ask("cost.at_risk", by=("currency",), aggregate=Aggregate.SUM),
                    width=6,
                ),
                trend(
                    "Cost of cohorts",
                    "By model and maturity.",
                    ask("cost.total", by=("model", "maturity", "currency"), aggregate=Aggregate.SUM),
                ),
                trend(
                    "Cost of a prediction",
                    "By model and maturity.",
                    ask("cost.per_prediction", by=("model", "maturity", "currency")),
                ),
                trend(
                    "Cost at risk",
                    "By model.",
                    ask("cost.at_risk", by=("model", "currency"), aggregate=Aggregate.SUM),
                    width=3,
                ),
                trend(
                    "Cost of downtime",
                    "Failed requests, and hours in which nothing was served.",
                    ask("cost.downtime", by=("model", "currency"), aggregate=Aggregate.SUM),
                    width=3,
                ),
                trend(
                    "Regret",
                    "What the cheapest threshold would have saved.",
                    ask("cost.regret", by=("model", "maturity", "currency"), aggregate=Aggregate.SUM),
                    width=3,
                ),
                trend(
                    "Evidence: cost",
                    "As log10; it pages at its bar.",
                    ask("cost.evidence", by=("model", "maturity")),
                    width=3,
                ),
            ),
        ),
        Row(
            title="What can be done",
            layer=Layer.VALUE,
            panels=(
                trend(
                    "Cheapest threshold",
                    "The score from which on acting would have been cheapest.",
                    ask("cost.best_threshold", by=("model", "model_version", "maturity", "currency")),
                ),
                table(
                    "What pages, and what it costs",
                    "Time since the onset.",
                    ask("decision.page.age", by=("model", "detector", "subject", "costs")),
                ),
                number(
                    "Pages by verdict",
                    "Of the last 400 days: true, false, or not judged yet.",
                    ask("decision.page.count", by=("verdict",)),
                    width=12,
                ),
                events("Pages", "Each with what it costs a day.", PAGE, PAGE_CLOSED),
            ),
        ),
    ),
)
