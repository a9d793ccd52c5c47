"""How sure a metric of labelled predictions is: 95 % intervals from the counts and sums that it is computed from."""

from collections.abc import Sequence
from fractions import Fraction
from math import atanh, exp, expm1, log, sqrt, tanh
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, stdtrit

from mlvitals.signals.proportion import NORMAL_95, wilson_interval
from mlvitals.signals.ranking import Area
from mlvitals.windows.summary import Counts

Floats = npt.NDArray[np.float64]

# Of fewer rows Wilson's interval may hold in 83 of 100 cases only, Clopper and Pearson's always holds in 95 or more.
_EXACT_BELOW: Final = 40
_ALPHA: Final = 0.05
# A variance of an area that is taken from fewer labels of a class says next to nothing.
AREA_LABELS: Final = 10
# What is summed is bounded by the largest double: a sum that reaches it is none.
_NO_SUM: Final = Fraction(float(np.finfo(np.float64).max))


class Interval(NamedTuple):
    """The ends of a 95 % interval."""

    lower: float
    upper: float


def share_interval(part: int, whole: int) -> Interval:
    """Return Clopper and Pearson's interval of a share of fewer than 40 rows, Wilson's of more; `whole` ≥ 1.

    With quantiles of the beta distribution: B(0.025; x, m - x + 1) to B(0.975; x + 1, m - x). Source: Clopper and
    Pearson (1934), "The use of confidence or fiducial limits illustrated in the case of the binomial", Biometrika 26.
    """
    if whole >= _EXACT_BELOW:
        return Interval(*wilson_interval(part, whole))
    lower = 0.0 if part == 0 else float(betaincinv(part, whole - part + 1, _ALPHA / 2))
    upper = 1.0 if part == whole else float(betaincinv(part + 1, whole - part, 1 - _ALPHA / 2))
    return Interval(lower, upper)


def f1_interval(right: int, wrong: int) -> Interval:
    """Return that of 2·right ÷ (2·right + wrong), of one or more rows.

    It is 2h ÷ (1 + h), with the share h = right ÷ (right + wrong) of the rows that are predicted or truly of the class:
    the share's interval, carried over. Source: Takahashi and others (2022), "Confidence interval for micro-averaged F1
    and macro-averaged F1 scores", Applied Intelligence 52, which take the delta method where this is exact.
    """
    lower, upper = share_interval(right, right + wrong)
    return Interval(2 * lower / (1 + lower), 2 * upper / (1 + upper))


def mean_interval(shares: Sequence[tuple[int, int]]) -> Interval:
    """Return that of the mean of independent shares, given as (part, whole); one of nothing is 0 and known.

    With shares p and their intervals [l, u], k of them: mean - √Σ (p - l)² ÷ k to mean + √Σ (u - p)² ÷ k. Source: Zou,
    Huang and Zhang (2009), "A note on confidence interval estimation for a linear function of binomial proportions",
    Computational Statistics & Data Analysis 53.
    """
    known = [(part / whole, *share_interval(part, whole)) for part, whole in shares if whole]
    mean = sum(share for share, _, _ in known) / len(shares)
    below = sqrt(sum((share - lower) ** 2 for share, lower, _ in known)) / len(shares)
    above = sqrt(sum((upper - share) ** 2 for share, _, upper in known)) / len(shares)
    return Interval(max(0.0, mean - below), min(1.0, mean + above))


def macro_f1_interval(confusion: Counts, value: float, present: npt.NDArray[np.bool_]) -> Interval | None:
    """Return that of the mean f1 of the present classes, by the delta method on the logit scale; None at 0 and 1.

    confusion: predicted × true. With cells c, p(k) predicted and t(k) true rows, f1 = 2c(kk) ÷ (p(k) + t(k)).
    """
    cells = confusion.astype(np.float64)
    sums = np.where(present, cells.sum(axis=0) + cells.sum(axis=1), np.inf)
    own = 2 * cells.diagonal() / sums
    slopes = np.diag(2 / sums) - (own / sums)[:, None] - (own / sums)[None, :]
    variance = _delta(cells, slopes / present.sum())
    return _on_the_logit_scale(value, value, variance)


def correlation_interval(confusion: Counts, value: float) -> Interval | None:
    """Return that of Matthews' (Gorodkin's) correlation, on Fisher's scale; None at -1 and 1.

    By the delta method: with shares p of cells, rows' and columns' sums, C = Σ p(kk) - Σ p(k·)p(·k), A = 1 - Σ p(k·)²
    and B = 1 - Σ p(·k)² of R = C ÷ √(AB). Source: Itaya and others (2025), "Asymptotic properties of Matthews
    correlation coefficient", Statistics in Medicine 44, for two classes.
    """
    if abs(value) >= 1:
        return None
    total = float(confusion.sum())
    cells = confusion / total
    rows, columns = cells.sum(axis=1), cells.sum(axis=0)
    spread, truth = 1 - (rows**2).sum(), 1 - (columns**2).sum()
    both = sqrt(spread * truth)
    covariance = np.eye(len(rows)) - columns[:, None] - rows[None, :]
    slopes = covariance / both + value * (rows[:, None] / spread + columns[None, :] / truth)
    half = NORMAL_95 * sqrt(_delta(cells * total, slopes / total)) / (1 - value**2)
    centre = atanh(value)
    return Interval(min(value, tanh(centre - half)), max(value, tanh(centre + half)))


def area_interval(area: Area, variance: float) -> Interval | None:
    """Return that of an area of which bins hide a part: of its least value down, of its greatest up; None at 0 and 1.

    On the logit scale, where it stays in [0, 1].
    """
    lower = _on_the_logit_scale(area.value, area.lower, variance)
    upper = _on_the_logit_scale(area.value, area.upper, variance)
    return (
        None if lower is None or upper is None else Interval(min(area.value, lower.lower), max(area.value, upper.upper))
    )


def precision_area_variance(value: float, positives: int) -> float:
    """Return the variance of an average precision as that of a share of as many rows as there are positives.

    Source: Boyd, Eng and Page (2013), "Area under the precision-recall curve: point estimates and confidence
    intervals", ECML PKDD.
    """
    return value * (1 - value) / positives


def mean_and_variance(total: Fraction, squares: Fraction, rows: int) -> tuple[float, float] | None:
    """Return the mean and the variance of values by their sums; None of fewer than two, or past all doubles.

    The sums are exact and their difference is taken before anything is rounded.
    """
    if rows <= 1 or squares >= _NO_SUM:
        return None
    try:
        return float(total / rows), max(0.0, float((squares - total**2 / rows) / (rows - 1)))
    except OverflowError:
        return None


def mean_interval_by_sums(total: Fraction, squares: Fraction, rows: int) -> Interval | None:
    """Return Student's interval of a mean, by the sums of values and of their squares; None where they do not vary."""
    found = mean_and_variance(total, squares, rows)
    if found is None or found[1] == 0:
        return None
    half = student_95(rows) * sqrt(found[1] / rows)
    return Interval(found[0] - half, found[0] + half)


def loss_interval(total: Fraction, squares: Fraction, rows: int) -> Interval | None:
    """Return that of a mean of losses, none below 0: Student's on the logarithmic scale; None where they do not vary.

    By the delta method ln of a mean m with variance v of single losses has the variance v ÷ (rows·m²). It stays above
    0, and reaches further up, where a few great losses that did not come would lie.
    """
    found = mean_and_variance(total, squares, rows)
    if found is None or found[1] == 0 or found[0] <= 0:
        return None
    mean, variance = found
    factor = exp(student_95(rows) * sqrt(variance / rows) / mean)
    return Interval(mean / factor, mean * factor)


def determination_interval(sums: "PairSums") -> Interval | None:
    """Return that of R² = 1 - Σ e² ÷ Σ (d - d̄)², by the delta method on the scale of ln(1 - R²); None where unknown.

    With u = 1 - R² and the labels' mean square distance s² from their mean, row i moves R² by
    (u·(dᵢ - d̄)² - eᵢ²) ÷ s², whose mean is 0; the sum of these squares is one of moments about any fixed number. All is
    exact until the end. Student's quantile is taken for rows - 1 degrees of freedom.
    """
    rows = sums.rows
    unusable = rows <= 1 or max(sums.error_fourth, sums.cross_second, sums.fourth) >= _NO_SUM
    if unusable or sums.error_squared == 0:
        return None
    mean = sums.first / rows
    spread = sums.second - mean * sums.first
    if spread <= 0:
        return None
    crossed = sums.cross_second - 2 * mean * sums.cross_first + mean**2 * sums.error_squared
    fourth = sums.fourth - 4 * mean * sums.third + 6 * mean**2 * sums.second - 3 * mean**3 * sums.first
    missed = sums.error_squared / spread
    # Of ln u: the variance of R² is Σ (u·d² - e²)² ÷ s⁴ ÷ rows·(rows - 1).
    moved = (sums.error_fourth - 2 * missed * crossed + missed**2 * fourth) / sums.error_squared**2
    if moved <= 0:
        return None
    try:
        half = student_95(rows) * sqrt(moved * rows / (rows - 1))
        rest = float(missed)
        return Interval(1 - rest - rest * expm1(half), 1 - rest - rest * expm1(-half))
    except OverflowError:
        return None


class PairSums(NamedTuple):
    """Exact sums over rows with an error e and a label at the distance d from a fixed number.

    first … fourth: of d, d², d³ and d⁴. cross_first, cross_second: of e²·d and e²·d².
    """

    rows: int
    error_squared: Fraction
    error_fourth: Fraction
    cross_first: Fraction
    cross_second: Fraction
    first: Fraction
    second: Fraction
    third: Fraction
    fourth: Fraction


def student_95(rows: int) -> float:
    """Return the quantile of Student's distribution at 0.975, with rows - 1 ≥ 1 degrees of freedom."""
    return float(stdtrit(rows - 1, 1 - _ALPHA / 2))


def _delta(cells: Floats, slopes: Floats) -> float:
    """Return the variance of a function of multinomial counts by its slopes in the counts."""
    return max(0.0, float((cells * slopes**2).sum() - (cells * slopes).sum() ** 2 / cells.sum()))


def _on_the_logit_scale(value: float, centre: float, variance: float) -> Interval | None:
    """Return the interval about a centre, with the variance of a value in (0, 1)."""
    if not 0 < value < 1 or variance <= 0:
        return None
    half = NORMAL_95 * sqrt(variance) / (value * (1 - value))
    if not 0 < centre < 1:
        return Interval(centre, centre)
    odds = log(centre / (1 - centre))
    return Interval(*(1 / (1 + exp(-end)) for end in (odds - half, odds + half)))
