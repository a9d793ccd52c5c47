"""The layout: which columns are summarised and into which bins, frozen when the reference is taken."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from mlvitals import wire
from mlvitals.hashing import content_hash
from mlvitals.windows.amounts import outcome_sizes, served_sizes
from mlvitals.windows.bins import SPECIALS, CategoryBins, NumericBins
from mlvitals.windows.delays import DELAY_BINS
from mlvitals.windows.exact_sum import CELLS
from mlvitals.windows.histogram import HISTOGRAM_BINS
from mlvitals.windows.outcome_sums import CALIBRATION_RUNS, PROBABILITY_SUMS, WEIGHT_SIZES, loss_sizes, rank_sizes
from mlvitals.windows.sections import sections_of


class Kind(StrEnum):
    """What a feature holds, which says how it is summarised.

    text: free text, counted by its length in characters. identifier: nearly every row has a value of its own, so only
    whether there is one is counted. calendar: follows from the time of the prediction, so that its drift says nothing.
    """

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    BOOLEAN = "boolean"
    TEXT = "text"
    IDENTIFIER = "identifier"
    CALENDAR = "calendar"

    @property
    def drifts(self) -> bool:
        """Whether a change of the values' distribution means anything."""
        return self not in {Kind.IDENTIFIER, Kind.CALENDAR}


class Task(StrEnum):
    """What kind of prediction a model makes."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"
    RANKING = "ranking"


@dataclass(frozen=True)
class FeatureLayout:
    """One monitored feature and its bins.

    Bins go by the kind: numeric ones of numbers, of a text's length, and of a calendar's number; `TRUTHS` of a boolean;
    `UNKNOWN_VALUES` of an identifier, and of a calendar that holds no numbers. sensitive: no value of it may be shown.
    """

    name: str
    kind: Kind
    bins: NumericBins | CategoryBins
    sensitive: bool = False

    @property
    def holds_numbers(self) -> bool:
        """Whether its values are read as numbers: a text's length is one, the text is not."""
        return isinstance(self.bins, NumericBins) and self.kind is not Kind.TEXT

    @property
    def column(self) -> str:
        """The feature's column in an event batch."""
        return wire.FEATURE_PREFIX + self.name


@dataclass(frozen=True)
class OutputLayout:
    """The prediction's bins.

    task: the kind of prediction.
    score: fine bins of `prediction.score` (`prediction.value` in a regression); None where none was seen.
    groups: for each fine bin the index of its drift bin, ascending from 0: about twenty by reference mass.
    classes: predicted classes, most frequent first; in a binary task `positive` is the one that scores point to.
    threshold: in a binary task, the score from which on a prediction that logs no label is a positive.
    probability: the reference's scores all lie in [0, 1], so that they can be held against what came true.
    distribution: the reference logs probabilities of classes, from which follows what else is not logged.
    ranked: of a ranking, the ascending places at which its metrics are cut; of others nothing, not even in their hash.
    weighs: true in a binary task whose labels stand for others by the prediction's propensity; of others nothing, too.
    """

    task: Task
    score: NumericBins | None = None
    groups: tuple[int, ...] = ()
    classes: CategoryBins | None = None
    positive: str = "1"
    threshold: float = 0.5
    probability: bool = False
    distribution: bool = False
    ranked: tuple[int, ...] | msgspec.UnsetType = msgspec.UNSET
    weighs: Literal[True] | msgspec.UnsetType = msgspec.UNSET

    @property
    def cutoffs(self) -> tuple[int, ...]:
        """The places at which a ranking's metrics are cut, ascending; none of other tasks."""
        return self.ranked or ()

    @property
    def column(self) -> str:
        """The column that `score` bins."""
        return wire.PREDICTION_VALUE if self.task is Task.REGRESSION else wire.PREDICTION_SCORE

    @cached_property
    def group_codes(self) -> npt.NDArray[np.intp]:
        """The drift bin of each fine bin, shape (score.size,)."""
        size = 0 if self.score is None else self.score.size
        return np.array(self.groups or range(size), dtype=np.intp)

    @cached_property
    def group_count(self) -> int:
        """How many drift bins the score has."""
        return int(self.group_codes.max(initial=-1)) + 1

    @cached_property
    def middle(self) -> float:
        """The middle edge of the score's bins, about the median of what was predicted; 0 where there is none."""
        edges = () if self.score is None else self.score.edges
        return edges[len(edges) // 2] if edges else 0.0

    @cached_property
    def outcome_sizes(self) -> Mapping[str, int]:
        """The sizes of what labels add up to beside the classes; what is an exact sum has CELLS cells.

        In a regression: exact sums over the `measured` rows, of the error e = value - label (`absolute`, `squared`,
        `signed`) and of the label (`label`, `label_squared`); `relative` of |e| ÷ |label| over `relative_rows`, and
        `relative_squared` of its square. Then by drift bin of the value: `loss_rows` measured, and exact sums of |e|,
        e², e and e⁴ (`loss_absolute`, `loss_squared`, `loss_signed`, `loss_fourth`), one bin's after another's; and
        `MOMENT_SUMS`. Powers past all doubles count as the largest one.
        With a binary score: `negatives` and `positives`, labels by fine score bin and specials; `acted_negatives` and
        `acted_positives`, those of positive decisions with a finite score, by fine bin.
        With a score that is a probability: what it says (of the positive class, or of the predicted one being right)
        against what came true. `measured` rows have a score in [0, 1], `improbable` ones another one; `calibration` is
        four runs over the drift bins: rows, those that came true, Σ score and Σ score² in units of 2⁻³², each score
        rounded to the nearest. In a binary task `brier` and `log_loss` are exact sums over the measured rows, and
        `brier_squared` and `log_loss_squared` those of each row's square.
        With the probabilities of many classes: the same sums over the `distributions`, rows whose probabilities are
        one and whose true class is of the layout; `improper` rows have probabilities that are none.
        Where labels are weighed: as `WEIGHT_SIZES` says.
        In a ranking: as `rank_sizes` says.
        """
        if self.task is Task.RANKING:
            return rank_sizes(self.cutoffs)
        if self.task is Task.REGRESSION:
            sums = ("absolute", "squared", "signed", "label", "label_squared", "relative", "relative_squared")
            sizes = {"measured": 1, "relative_rows": 1} | dict.fromkeys(sums, CELLS)
            return sizes if self.score is None else sizes | loss_sizes(self.group_count)
        sizes = dict(WEIGHT_SIZES) if self.weighs is True else {}
        if self.distribution and self.task is Task.MULTICLASS and self.classes is not None:
            sizes |= {"distributions": 1, "improper": 1} | dict.fromkeys(PROBABILITY_SUMS, CELLS)
        if self.score is None:
            return sizes
        if self.task is Task.BINARY:
            sizes |= dict.fromkeys(("negatives", "positives"), self.score.size + SPECIALS)
            sizes |= dict.fromkeys(("acted_negatives", "acted_positives"), self.score.size)
        if self.probability:
            sizes |= {"measured": 1, "improbable": 1, "calibration": CALIBRATION_RUNS * self.group_count}
            sizes |= dict.fromkeys(PROBABILITY_SUMS, CELLS) if self.task is Task.BINARY else {}
        return sizes


@dataclass(frozen=True)
class Layout:
    """What a summary counts; two summaries add only under the same layout.

    features: in the order of the reference.
    segments: column (without prefix) to its frozen values; other values are `__other__`.
    amount: the column that says what a prediction has at stake, None where nobody asks for money; `amount` is the
        label's too, which then goes first.
    """

    features: tuple[FeatureLayout, ...]
    output: OutputLayout
    segments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    amount: str | None = None

    @cached_property
    def hash(self) -> str:
        """A name for this layout's content, 32 hex digits."""
        content = {"features": self.features, "output": self.output, "segments": self.segments}
        money = {} if self.amount is None else {"amount": self.amount}
        return content_hash(msgspec.json.encode({**content, **money}, order="deterministic"))

    @cached_property
    def served_sections(self) -> Mapping[str, slice]:
        """Where each part of a summary's `served` vector stands.

        positive_score: in a binary task, finite scores of predictions that are acted on as positive.
        """
        sizes = {"predictions": 1, "errors": 1, "latency": HISTOGRAM_BINS, "lag": HISTOGRAM_BINS}
        if self.output.score is not None:
            sizes["score"] = self.output.score.size + SPECIALS
            if self.output.task is Task.BINARY:
                sizes["positive_score"] = self.output.score.size
        if self.output.classes is not None:
            sizes["class"] = self.output.classes.size + SPECIALS
        sizes |= {feature.column: feature.bins.size + SPECIALS for feature in self.features}
        if self.counts_amounts and self.output.score is not None:
            sizes |= served_sizes(self.output.score.size)
        return sections_of(sizes)

    @cached_property
    def outcome_sections(self) -> Mapping[str, slice]:
        """Where each part of one row of a summary's `outcomes` stands.

        labelled: labels joined. Each task has parts of its own (see `OutputLayout.outcome_sizes`); in a classification
        `confusion` is predicted × true over `outcome_classes`, row by row. delays: those labels by their age,
        in the bins of `windows.delays`.
        """
        sizes = {"labelled": 1}
        if self.output.task not in {Task.REGRESSION, Task.RANKING}:
            sizes["confusion"] = len(self.outcome_classes) ** 2
        bins = None if self.output.score is None else self.output.score.size
        amounts = outcome_sizes(len(self.outcome_classes), bins) if self.counts_amounts else {}
        return sections_of({**sizes, **self.output.outcome_sizes, **amounts, "delays": DELAY_BINS})

    @property
    def counts_amounts(self) -> bool:
        """Whether money is summed, by decision and outcome: in a binary task with an amount."""
        return self.amount is not None and self.output.task is Task.BINARY

    @cached_property
    def outcome_classes(self) -> tuple[str, ...]:
        """The classes of the confusion matrix; the last stand for every other class and for no class at all."""
        if self.output.task is Task.BINARY:
            return ("__negative__", self.output.positive, "__missing__")
        known = self.output.classes.values[: self.output.classes.own] if self.output.classes is not None else ()
        return (*known, "__other__", "__missing__")

    @property
    def served_size(self) -> int:
        """The length of a summary's `served` vector."""
        return max(int(part.stop) for part in self.served_sections.values())

    @property
    def outcome_size(self) -> int:
        """The length of one row of a summary's `outcomes`."""
        return max(int(part.stop) for part in self.outcome_sections.values())
