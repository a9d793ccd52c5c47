"""Which layout and which references hold for a model and its versions."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import msgspec

from mlvitals.config import ModelConfig
from mlvitals.windows.bins import CategoryBins, NumericBins
from mlvitals.windows.choice import Choice
from mlvitals.windows.layout import Kind, Layout, OutputLayout, Task
from mlvitals.windows.reference import Reference


def choice_of(config: ModelConfig) -> Choice:
    """Return what a model's configuration chooses of its layout."""
    return Choice(
        include=config.features.include,
        exclude=config.features.exclude,
        kinds={name: Kind(kind) for name, kind in config.features.kinds.items()},
        aliases=config.features.aliases,
        sensitive=frozenset(config.features.sensitive),
        segments=config.segments,
        metrics=frozenset(config.performance.metrics),
        positive=config.performance.positive,
        threshold=config.performance.threshold,
        amount=None if config.cost is None else config.cost.amount,
        propensity=config.labels is not None and config.labels.propensity,
    )


@dataclass(slots=True)
class References:
    """A model's references: normal production, and what each version was trained on.

    The features' layout belongs to the model; the score's to the version, which has seen its own training.
    """

    choice: Choice
    operating: Reference | None = None
    training: Mapping[str, Reference] = field(default_factory=dict)
    _layouts: dict[str, Layout] = field(default_factory=dict)

    def layout(self, version: str) -> Layout | None:
        """Return the layout for a version, None while there is nothing to freeze one from."""
        if version not in self._layouts:
            made = self._make(version)
            if made is None:
                return None
            self._layouts[version] = made
        return self._layouts[version]

    @property
    def may_read_probabilities(self) -> bool:
        """Whether any version's layout is made of probabilities of classes, or one is still to be frozen."""
        return self.layout("") is None or any(output.distribution for output in self._outputs)

    @property
    def may_read_rankings(self) -> bool:
        """Whether any version's predictions are rankings, or a layout is still to be frozen."""
        return self.layout("") is None or any(output.task is Task.RANKING for output in self._outputs)

    @property
    def _outputs(self) -> list[OutputLayout]:
        every = [self.operating, *self.training.values()]
        return [one.layout.output for one in every if one is not None]

    def learn(self, operating: Reference) -> None:
        """Take an operating reference that was learnt while running."""
        self.operating = operating
        self._layouts.clear()

    def _make(self, version: str) -> Layout | None:
        trained = self.training.get(version)
        base = self.operating or trained or next(iter(self.training.values()), None)
        if base is None:
            return None
        output = base.layout.output if trained is None else trained.layout.output
        # What is priced or weighed, and how far rankings are read, is the configuration's to say, whatever it said when
        # the reference was taken.
        if output.task is Task.RANKING:
            output = replace(output, ranked=self.choice.cutoffs)
        if output.task is Task.BINARY:
            output = replace(output, weighs=_weighs(self.choice))
        wished = replace(base.layout, output=output, amount=self.choice.amount)
        return base.layout if wished == base.layout else wished


def _weighs(choice: Choice) -> Literal[True] | msgspec.UnsetType:
    return True if choice.propensity else msgspec.UNSET


def provisional_layout(choice: Choice, task: Task) -> Layout:
    """Return the layout of windows that are served while the reference is still being learnt: no features yet.

    A binary model's scores are taken for probabilities, in two thousand equal bins from 0 to 1, so that its labels can
    be judged from the first day. Of other classes none is known yet: labels are counted, but not judged.
    """
    if task is Task.RANKING:
        return Layout(features=(), output=OutputLayout(task=task, ranked=choice.cutoffs))
    if task is not Task.BINARY:
        return Layout(features=(), output=OutputLayout(task=task, distribution=task is Task.MULTICLASS))
    positive = choice.positive or "1"
    classes = ("0", "1") if positive == "1" else (positive,)
    edges = (*(index / 2000 for index in range(2000)), math.nextafter(1.0, math.inf))
    output = OutputLayout(
        task=Task.BINARY,
        score=NumericBins(edges),
        groups=(0, *(1 + index // 100 for index in range(2000)), 21),
        classes=CategoryBins(classes, own=len(classes), closed=False),
        positive=positive,
        threshold=0.5 if choice.threshold is None else choice.threshold,
        probability=True,
        distribution=True,
        weighs=_weighs(choice),
    )
    return Layout(features=(), output=output, amount=choice.amount)
