"""Which features moved, how far, since when, and how much of that is noise."""

from typing import Final

from mlvitals.assets.boards.board import Board, Row
from mlvitals.assets.boards.pieces import ask, events, heat, note, table, trend, warning_mark
from mlvitals.signals.spec import Layer
from mlvitals.telemetry import CHANGE
from mlvitals.telemetry.pages import PAGE, PAGE_CLOSED

_OPERATING: Final = {"comparison": "operating"}
_TRAINING: Final = {"comparison": "training"}

_NOISE: Final = (
    "**How much is noise.** Location, spread and shape are effects: they do not grow with the window. Their "
    "standard error is about √(1/n + 1/N) for n rows against N of the reference (0.1 for 100 rows, 0.03 for "
    "1,000), and 3 of them stand between a threshold and its warning. The record of a window "
    "(`mlvitals.window.closed`) holds each value with its interval and what no drift would read. At the export "
    "level `lean` a feature's lines are here only while it warns; `standard` sends all."
)

DRIFT: Final = Board(
    name="drift",
    title="Model vitals · drift",
    brief="Which features moved, how far, since when, against what.",
    variables=("environment", "model", "model_version", "feature"),
    leads_to=("model", "performance"),
    rows=(
        Row(
            title="Which, how far, since when",
            layer=Layer.DATA,
            panels=(
                note(_NOISE, height=3),
                heat(
                    "Shift of each feature",
                    "Against normal production, in standard deviations, window by window.",
                    ask("feature.drift.location", by=("feature",), where=_OPERATING),
                ),
                table(
                    "Moved most",
                    "Shift in standard deviations in the newest window.",
                    ask("feature.drift.location", by=("feature",), where=_OPERATING),
                ),
                trend(
                    "Evidence by feature",
                    "As log10, gathered over windows; it pages at its bar.",
                    ask("feature.drift.evidence", by=("feature",)),
                ),
                events("Pages and changes", "Since when, and after what.", PAGE, PAGE_CLOSED, CHANGE, height=3),
            ),
        ),
        Row(
            title="In what way",
            layer=Layer.DATA,
            panels=(
                trend(
                    "Location",
                    "Shift in standard deviations of the reference.",
                    ask("feature.drift.location", by=("feature",), where=_OPERATING),
                    marks=warning_mark("feature.drift.location"),
                ),
                trend(
                    "Spread",
                    "How much wider or narrower.",
                    ask("feature.drift.spread", by=("feature",), where=_OPERATING),
                ),
                trend(
                    "Shape",
                    "What neither location nor spread explains.",
                    ask("feature.drift.shape", by=("feature",), where=_OPERATING),
                ),
                trend(
                    "Stability index",
                    "PSI, without its bias.",
                    ask("feature.drift.score", by=("feature",), where={"method": "psi", **_OPERATING}),
                    marks=warning_mark("feature.drift.score"),
                    lowest=0,
                ),
            ),
        ),
        Row(
            title="Quality of the values",
            layer=Layer.DATA,
            panels=(
                trend(
                    "Missing",
                    "Share of rows without a value.",
                    ask("feature.missing.ratio", by=("feature",)),
                    lowest=0,
                    width=4,
                ),
                trend(
                    "Unseen",
                    "Share of values that the reference did not hold.",
                    ask("feature.unseen.ratio", by=("feature",)),
                    lowest=0,
                    width=4,
                ),
                trend(
                    "Out of range",
                    "Share beyond the reference's least and greatest.",
                    ask("feature.out_of_range.ratio", by=("feature",)),
                    lowest=0,
                    width=4,
                ),
                trend(
                    "Invalid",
                    "Text where numbers should be, NaN, infinities.",
                    ask("feature.invalid.ratio", by=("feature",)),
                    lowest=0,
                ),
                trend(
                    "Zero",
                    "Share that is exactly 0, or an empty text.",
                    ask("feature.zero.ratio", by=("feature",)),
                    lowest=0,
                ),
            ),
        ),
        Row(
            title="Against what the version was trained on",
            layer=Layer.DATA,
            panels=(
                trend(
                    "Skew: location",
                    "Serving against training, in standard deviations.",
                    ask("feature.skew.location", by=("feature", "model_version"), where=_TRAINING),
                    marks=warning_mark("feature.skew.location"),
                ),
                trend(
                    "Skew: spread",
                    "How much wider than in training.",
                    ask("feature.skew.spread", by=("feature", "model_version"), where=_TRAINING),
                ),
                trend(
                    "Skew: shape",
                    "What neither location nor spread explains.",
                    ask("feature.skew.shape", by=("feature", "model_version"), where=_TRAINING),
                ),
                trend(
                    "Skew: stability index",
                    "PSI against training.",
                    ask("feature.skew.score", by=("feature", "model_version"), where={"method": "psi", **_TRAINING}),
                    marks=warning_mark("feature.skew.score"),
                    lowest=0,
                ),
                trend(
                    "Skew of the predictions",
                    "PSI of the score or class against training.",
                    ask("prediction.skew.score", by=("model_version",), where={"method": "psi", **_TRAINING}),
                    marks=warning_mark("prediction.skew.score"),
                    lowest=0,
                    width=12,
                ),
            ),
        ),
    ),
)
