"""Labels and performance, cohort by cohort, as they mature."""

from typing import Final

from mlvitals.assets.boards.board import Board, Row
from mlvitals.assets.boards.pieces import ask, note, table, trend, warning_mark
from mlvitals.signals.spec import Layer

_READING: Final = (
    "**How to read it.** A point stands at the end of its window plus the maturity, and is never moved; labels "
    "that come later revise the document of the measurement, not the point. A young cohort's labels are a "
    "selection: read its performance beside the coverage, and beside *corrected*, which says what it will be once "
    "all labels are there. The interval of each value stands in its document, and as lines with `bound` at the "
    "export level `full`."
)

PERFORMANCE: Final = Board(
    name="performance",
    title="Model vitals · labels and performance",
    brief="How much truth is known, how good predictions were by maturity, what is expected before labels come.",
    variables=("environment", "model", "model_version", "maturity"),
    leads_to=("model", "value"),
    rows=(
        Row(
            title="Label: do we know the truth yet?",
            layer=Layer.LABEL,
            panels=(
                note(_READING, height=3),
                trend(
                    "Coverage, and what is usual",
                    "Share of a cohort that is labelled, beside what is usual at that age.",
                    ask("label.coverage.ratio", by=("maturity",), label="labelled"),
                    ask("label.coverage.expected", by=("maturity",), label="usual"),
                    lowest=0,
                    highest=1,
                ),
                trend(
                    "Evidence: coverage",
                    "As log10; it pages at its bar.",
                    ask("label.coverage.evidence", by=("maturity",)),
                ),
                trend(
                    "Delay",
                    "Age by which a share (the quantile) of a cohort had its label.",
                    ask("label.delay", by=("quantile", "maturity")),
                    lowest=0,
                    width=4,
                ),
                trend(
                    "Drift of the labels",
                    "Against the reference's labels.",
                    ask("label.drift.score", by=("method", "maturity")),
                    width=4,
                ),
                trend(
                    "Orphans",
                    "Share of labels that no prediction is known for.",
                    ask("label.orphan.ratio", by=("model",)),
                    lowest=0,
                    width=4,
                ),
                trend(
                    "Early labels",
                    "Share of labels older than their prediction.",
                    ask("label.early.ratio", by=("maturity",)),
                    lowest=0,
                    width=6,
                ),
                trend(
                    "Changed labels",
                    "Share of labelled predictions whose labels have said different things.",
                    ask("label.conflict.ratio", by=("maturity",)),
                    lowest=0,
                    width=6,
                ),
            ),
        ),
        Row(
            title="Model: how good were the predictions?",
            layer=Layer.MODEL,
            panels=(
                trend(
                    "Performance",
                    "By metric and maturity.",
                    ask("performance.score", by=("metric", "maturity", "model_version")),
                ),
                trend(
                    "Errors",
                    "By metric and maturity.",
                    ask("performance.error", by=("metric", "maturity", "model_version")),
                ),
                trend(
                    "Corrected for labels to come",
                    "What a young cohort's performance will be, by how those of matured cohorts came.",
                    ask("performance.corrected", by=("metric", "maturity", "method")),
                ),
                trend(
                    "Evidence: performance",
                    "As log10; it pages at its bar.",
                    ask("performance.evidence", by=("maturity", "model_version")),
                ),
                table(
                    "Classes",
                    "Performance of each class (export level full).",
                    ask("performance.class.score", by=("metric", "class", "maturity")),
                ),
                trend(
                    "Worst segment",
                    "By how much the worst declared segment is worse than the rest.",
                    ask("segment.worst", by=("metric", "maturity")),
                ),
                trend(
                    "Against the other version",
                    "By how much this version is better on the same cohorts.",
                    ask("performance.advantage", by=("metric", "maturity", "comparison", "model_version")),
                    width=12,
                ),
            ),
        ),
        Row(
            title="Before labels come",
            layer=Layer.MODEL,
            panels=(
                trend("Estimated", "By method and metric.", ask("performance.estimated", by=("method", "metric"))),
                trend(
                    "Error of the estimate",
                    "What labels showed less what was estimated.",
                    ask("performance.estimate_error", by=("method", "metric", "maturity")),
                ),
                trend(
                    "Miscalibration",
                    "By how much log odds differ from what scores meant: then estimates mislead.",
                    ask("performance.miscalibration", by=("method", "maturity")),
                    marks=warning_mark("performance.miscalibration"),
                    width=12,
                ),
            ),
        ),
    ),
)
