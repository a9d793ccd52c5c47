"""All detectors that read one vector of counts: evidence, alarms and recoveries, window by window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from mlvitals.decisions.allocation import CAP_POWER
from mlvitals.decisions.finding import Finding, Recovery, Source
from mlvitals.decisions.latch import Latches, recovery_windows
from mlvitals.decisions.levels import Levels
from mlvitals.decisions.rates import RATE_BETS, Rates
from mlvitals.decisions.shapes import SHAPE_BETS, Shapes, Vectors
from mlvitals.decisions.steps import STEP_BETS, Novelty, Steps
from mlvitals.decisions.streams import Stream
from mlvitals.decisions.tails import normalise
from mlvitals.decisions.usual import Prepared, Usually
from mlvitals.decisions.whitening import Filter
from mlvitals.windows.window import WindowSize

Floats = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]

_NORMAL_95: Final = 1.959963984540054
_SHAPE: Final = "shape"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What counts as moved, in standard deviations of the reference.

    tolerance: the step that is no news. min_effect: what a step is to be at least, by the nearer end of its interval.
    """

    size: WindowSize
    tolerance: float
    min_effect: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a window's detectors say.

    findings: those whose evidence reached its bar, in the order of the detectors. recoveries: alarms that are over.
    """

    findings: tuple[Finding, ...]
    recoveries: tuple[Recovery, ...]


class Ensemble:
    """Detectors over streams that are read together.

    together: a detector of all others' mean evidence, where there is one. It begins all of them anew when it alarms.
    """

    def __init__(self, usually: Usually, rule: Rule, together: Source | None = None) -> None:
        self.usually = usually
        self._rule = rule
        streams = usually.streams
        self._shape_streams = streams.shapes
        self._rates: tuple[Stream, ...] = tuple(streams.rates[place] for place in usually.rare)
        self._parts = (*usually.effects, *streams.shapes, *self._rates)
        self._own = tuple(dict.fromkeys(stream.source for stream in streams.effects + streams.shapes + streams.rates))
        self.sources = self._own if together is None else (*self._own, together)
        place = {source: number for number, source in enumerate(self._own)}
        self._owner = np.array([place[stream.source] for stream in self._parts], dtype=np.intp)
        self._weight = np.array([stream.weight for stream in self._parts])
        bets = [STEP_BETS] * len(usually.effects) + [SHAPE_BETS] * len(streams.shapes) + [RATE_BETS] * len(self._rates)
        self._dilution = np.log10(np.array(bets) / np.maximum(self._weight, 1e-12))
        self._least = np.array([rule.min_effect ** (2 if stream.component == _SHAPE else 1) for stream in self._parts])
        effects, shapes, rates = len(usually.effects), len(streams.shapes), len(self._rates)
        self._effects, self._shapes = slice(0, effects), slice(effects, effects + shapes)
        self._rare = slice(effects + shapes, effects + shapes + rates)
        self._cells = np.concatenate(
            [self._owner[self._effects], np.repeat(self._owner[self._shapes], streams.directions)]
        )
        directions = usually.places.shape[1]
        self._filter = Filter.start(usually.baseline.noise)
        self._steps = Steps.start(effects)
        self._forms = Shapes.start(shapes, directions)
        self._counts = Rates.start(rates)
        self._latches = Latches.start(len(self.sources))
        self._towards = np.zeros((shapes, directions))
        self._levels = Levels.start(len(self._own), len(self._cells), rates)
        self._bars = np.full(len(self.sources), np.inf)
        self._told = np.full(len(self.sources), -9.0)

    @property
    def kept(self) -> Sequence[Floats]:
        """All that the next window depends on, as arrays that may be overwritten in place."""
        of = (self._filter, self._steps, self._forms, self._counts, self._latches, self._levels)
        return [*(getattr(one, name) for one in of for name in one.__slots__), self._towards, self._bars, self._told]

    def restore(self, arrays: Sequence[Floats]) -> None:
        """Go on where `kept` stood."""
        for own, saved in zip(self.kept, arrays, strict=True):
            own[...] = saved

    def take(self, counts: Floats, start: int, bars: Mapping[Source, float]) -> Judgement:
        """Take a window in; `bars` are log10 of what evidence has to reach."""
        self._raise_bars(np.array([bars[source] for source in self.sources]))
        values = self.usually.prepare(self.usually.streams.read(counts[None, :]))
        departures, weights = self._observe(values, start)
        over = self._latches.take(departures, weights, recovery_windows(self._rule.size))
        evidence = self._evidence()
        bare = self._per_detector(evidence)
        # Of what lasts the evidence is told with which it began.
        self._told[...] = np.where(self._latches.closed, self._told, np.log10(np.maximum(bare, 1e-9)))
        findings = self._alarms(evidence, bare, start)
        return Judgement(
            findings=tuple(findings),
            recoveries=tuple(
                Recovery(source=self.sources[place], end=self._rule.size.end(start)) for place in np.flatnonzero(over)
            ),
        )

    @property
    def evidence(self) -> Mapping[Source, float]:
        """Log10 of every detector's evidence after the last window, before any alarm began it anew."""
        return dict(zip(self.sources, self._told.tolist(), strict=True))

    @property
    def latched(self) -> frozenset[Source]:
        """The detectors whose alarm lasts."""
        return frozenset(self.sources[place] for place in np.flatnonzero(self._latches.closed))

    def expected_rate(self, source: Source, component: str, start: int) -> float | None:
        """Return the share that is usual of a rate in the window that starts then; None where there is no such rate.

        Of a rate that is an effect, the level of its angle with the season, turned back into a share.
        """
        for place, stream in enumerate(self._parts):
            if stream.source != source or stream.component != component:
                continue
            if place < self._effects.stop:
                level = self.usually.expected(np.array([start], dtype=np.int64))[0, place] + self._levels.offset[place]
                return float(np.sin(np.clip(level, 0.0, np.pi) / 2) ** 2)
            return float(self._levels.usual(self.usually.usual).rate[place - self._rare.start])
        return None

    def release(self, source: Source) -> None:
        """End a detector's alarm, for a person accepted it; its evidence begins anew, of all together that of all."""
        chosen = np.arange(len(self.sources)) == self.sources.index(source)
        self._latches.release(chosen)
        self._reset(chosen | (source not in self._own))

    def rebase(self, source: Source) -> None:
        """Learn a detector's usual level anew from the windows that follow, and judge by it from then on.

        The one of all together has no level but those of all.
        """
        self.release(source)
        chosen = np.array([source not in self._own or one == source for one in self._own])
        rates = chosen[self._owner[self._rare]]
        self._levels.begin(chosen, chosen[self._cells], rates, recovery_windows(self._rule.size))

    def _raise_bars(self, bars: Floats) -> None:
        """Keep evidence ÷ bar where a bar falls: what was gathered towards a higher one must not count for more."""
        factor = 10.0 ** np.subtract(bars, self._bars, out=np.zeros_like(bars), where=bars < self._bars)
        # What all together have gathered is what each has: it can fall with its own bar only as they do.
        factor = np.minimum(factor[: len(self._own)], factor[len(self._own) :].min(initial=1.0))
        if (factor < 1).any():
            by_part = factor[self._owner]
            self._steps.sums *= by_part[self._effects][:, None, None, None]
            self._forms.sums *= by_part[self._shapes][:, None]
            self._counts.sums *= by_part[self._rare][:, None]
        self._bars = bars

    def _observe(self, values: Prepared, start: int) -> tuple[Floats, Floats]:
        """Take values in; return how far every alarmed stream is from usual, by detector, and how much that says."""
        baseline, levels, size = self.usually.baseline, self._levels, len(self._owner[self._effects])
        effects, sampling, hits, rows = (one[0] for one in values)
        residual = effects - self.usually.expected(np.array([start], dtype=np.int64))[0]
        learning = levels.left > 0
        noise = baseline.noise
        variance = noise.inflation * np.where(np.isfinite(sampling), sampling, 1.0) + noise.natural
        self._learn_levels(residual, variance, (hits, rows), learning)
        residual = np.where(np.isfinite(baseline.error), residual - levels.offset, np.nan)
        innovation, total, gain = self._filter.step(residual, sampling, noise)
        deviation = np.sqrt(total) * baseline.scale
        error = np.hypot(baseline.error, levels.error) / deviation
        tolerance = np.hypot(error, self._rule.tolerance / deviation)
        standard = np.where(learning[self._cells], np.nan, innovation / deviation)
        caps = self._caps()
        own = slice(0, size)
        self._steps.take(
            Novelty(
                standard=standard[own],
                deviation=deviation[own],
                tolerance=tolerance[own],
                tails=baseline.tails[own],
                gain=gain[own],
                persistence=noise.persistence[own],
                cap=caps[self._effects],
            )
        )
        vectors = self._vectors(
            np.stack([normalise(standard, baseline.tails), residual, variance, error, deviation]), caps[self._shapes]
        )
        self._forms.take(vectors, self.usually.spread)
        usual = levels.usual(self.usually.usual)
        asked = np.where(learning[self._owner[self._rare]], 0.0, rows)
        self._counts.take(np.where(asked > 0, hits, 0.0), asked, usual, caps[self._rare])
        along = (self._towards * np.nan_to_num(vectors.residual)).sum(axis=1)
        shares = np.divide(hits, rows, out=np.zeros_like(hits), where=rows > 0) - usual.rate
        departures = np.concatenate([np.nan_to_num(residual[own]), along, shares])
        known = np.isfinite(vectors.normal).all(axis=1)
        says = np.concatenate(
            [np.isfinite(residual[own]) / variance[own], known / np.maximum(vectors.variance, 1e-300), rows]
        )
        part = np.maximum(self._latches.part, 0).astype(np.intp)
        return departures[part], says[part]

    def _caps(self) -> Floats:
        """Return the largest logarithm of an e-value that counts, by stream, so that no single window alarms.

        Nor may it alarm the detector of all together, in whose mean each counts for so much less.
        """
        own = max(len(self._own), 1)
        bars = np.minimum(self._bars[:own], self._bars[own:].min(initial=300.0) + np.log10(own))
        return np.asarray(CAP_POWER * (bars[self._owner] + self._dilution) * np.log(10.0))

    def _learn_levels(
        self, residual: Floats, variance: Floats, counts: tuple[Floats, Floats], learning: Truths
    ) -> None:
        if not learning.any():
            return
        noise, levels = self.usually.baseline.noise, self._levels
        lasting = (1 + noise.persistence) / (1 - noise.persistence)
        weight = np.where(np.isfinite(residual), 1 / variance, 0.0)
        levels.take(residual, weight, learning[self._cells], lasting / np.maximum(levels.weight + weight, 1e-300))
        levels.take_rates(*counts, learning[self._owner[self._rare]])
        says = np.zeros_like(learning)
        says[self._cells[np.isfinite(residual)]] = True
        says[self._owner[self._rare][counts[1] > 0]] = True
        levels.left[learning & says] -= 1

    def _vectors(self, cells: Floats, cap: Floats) -> Vectors:
        """Return directions by shape, from rows of normal innovations, residuals, variances, errors, deviations."""
        places = self.usually.places
        own = places >= 0
        normal, residual, variance, error, deviation = (np.where(own, row[places], 0.0) for row in cells)
        squares = error**2
        # The level is off by its standard errors in all directions at once; what is tolerated is one step in any.
        length = squares.sum(axis=1) + 2 * np.sqrt(2 * (squares**2).sum(axis=1))
        mean = deviation.sum(axis=1) / np.maximum(own.sum(axis=1), 1)
        length += (self._rule.tolerance / np.maximum(mean, 1e-300)) ** 2
        return Vectors(
            normal=normal, tolerance=np.sqrt(length), cap=cap, residual=residual, variance=variance.sum(axis=1)
        )

    def _evidence(self) -> Floats:
        """Return every stream's evidence by its weight; that of detectors whose alarm lasts begins anew."""
        self._reset(self._latches.closed)
        parts = (self._steps.evidence, self._forms.evidence, self._counts.evidence)
        return np.asarray(np.concatenate(parts) * self._weight)

    def _per_detector(self, evidence: Floats) -> Floats:
        own: Floats = np.bincount(self._owner, evidence, len(self._own)).astype(np.float64)
        return own if len(own) == len(self.sources) else np.append(own, own.mean())

    def _alarms(self, evidence: Floats, bare: Floats, start: int) -> list[Finding]:
        if not self._reached(bare).any():
            return []
        effect, error, since = (
            np.concatenate(some)
            for some in zip(
                self._steps.likeliest(),
                self._forms.likeliest(),
                self._counts.likeliest(self._levels.usual(self.usually.usual)),
                strict=True,
            )
        )
        # What is not sure to have moved by as much as is to be told pages nobody, and hides nothing that is. The
        # estimate alone would not do: looked at in every window, that of a lesser step that lasts is as large once.
        told = (since > 0) & (np.maximum(np.abs(effect) - _NORMAL_95 * error, 0.0) >= self._least)
        evidence = np.where(told, evidence, 0.0)
        bare = self._per_detector(evidence)
        findings = []
        for place in np.flatnonzero(self._reached(bare)).tolist():
            mine = evidence if place >= len(self._own) else np.where(self._owner == place, evidence, -1.0)
            part = int(mine.argmax())
            if not told[part]:
                continue
            findings.append(self._finding(place, part, (effect[part], error[part], since[part]), bare[place], start))
            self._latches.close(place, part, self._departure(part, effect[part]))
        if findings:
            # An alarm of all together takes what all of them have gathered.
            every = any(finding.source not in self._own for finding in findings)
            self._reset(self._latches.closed | every)
        return findings

    def _reached(self, bare: Floats) -> Truths:
        return np.asarray((np.log10(np.maximum(bare, 1e-9)) >= self._bars) & ~self._latches.closed)

    def _finding(self, place: int, part: int, step: tuple[float, float, float], bare: float, start: int) -> Finding:
        effect, error, since = step
        size, stream = self._rule.size, self._parts[part]
        onset = start
        for _ in range(max(int(since) - 1, 0)):
            onset = size.start(onset - 1)
        return Finding(
            source=self.sources[place],
            component=stream.component,
            start=start,
            end=size.end(start),
            onset=onset,
            effect=float(effect),
            lower=float(effect - _NORMAL_95 * error),
            upper=float(effect + _NORMAL_95 * error),
            unit=stream.unit,
            evidence=float(np.log10(bare)),
            bar=float(self._bars[place]),
        )

    def _departure(self, part: int, effect: float) -> float:
        """Return where an alarmed stream stands, on the scale on which its recovery is told."""
        if part < self._shapes.start:
            return effect
        if part < self._rare.start:
            row = part - self._shapes.start
            mean = self._forms.change()[0][row]
            length = float(np.sqrt((mean**2).sum()))
            self._towards[row] = mean / max(length, 1e-300)
            return length
        row = part - self._rare.start
        best = self._counts.sums[row].argmax()
        rate = self._counts.hits[row, best] / max(self._counts.rows[row, best], 1.0)
        return float(rate - self._levels.usual(self.usually.usual).rate[row])

    def _reset(self, detectors: Truths) -> None:
        """Begin the evidence of some detectors anew; the one of all together begins that of all."""
        own = detectors[: len(self._own)]
        if not own.any():
            return
        chosen = own[self._owner]
        self._steps.reset(chosen[self._effects])
        self._forms.reset(chosen[self._shapes])
        self._counts.reset(chosen[self._rare])
