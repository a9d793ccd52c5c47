"""How often the intervals of mean losses and of R² hold what is true, of few rows and of heavy tails too."""

from fractions import Fraction

import numpy as np
import pytest

from mlvitals.signals.intervals import (
    AREA_LABELS,
    PairSums,
    determination_interval,
    loss_interval,
    mean_interval_by_sums,
    student_95,
)

TRIES = 1_000
MANY = 1_000_000
ROWS = (50, 300, 3_000)


def scored(metric, chances):
    """Return a draw of losses of scores that are right, None where a class came less often than is asked for."""

    def draw(random, rows):
        scores = chances(random, rows)
        true = random.random(rows) < scores
        if min(true.sum(), (~true).sum()) < AREA_LABELS:
            return None
        given = np.where(true, scores, 1 - scores)
        return -np.log(np.maximum(given, 2**-52)) if metric == "log_loss" else np.square(1 - given)

    return draw


def relative(errors):
    return lambda random, rows: np.abs(errors(random, rows)) / random.lognormal(0, 0.7, rows)


def spread(random, rows):
    return random.beta(0.5, 1.5, rows)


def rare(random, rows):
    return random.beta(0.3, 6, rows)


# Of each draw how often 95 of 100 intervals hold, with 50, 300 and 3,000 rows; None where none is told of so few.
LOSSES = {
    "log_loss of spread scores": (
        scored("log_loss", spread),
        (0.92, 0.92, 0.92),
    ),
    "brier of spread scores": (scored("brier", spread), (0.92, 0.92, 0.92)),
    "log_loss of rare events": (scored("log_loss", rare), (None, 0.92, 0.92)),
    "brier of rare events": (scored("brier", rare), (None, 0.92, 0.92)),
    "mape of normal errors": (relative(lambda random, rows: random.normal(0, 1, rows)), (0.89, 0.92, 0.92)),
    "mape of heavy tails": (relative(lambda random, rows: random.standard_t(3, rows)), (0.88, 0.90, 0.91)),
}
PAIRS = {
    "normal errors": (lambda random, rows: random.normal(0, 0.5, rows), (0.91, 0.92, 0.92)),
    "tails of five degrees": (lambda random, rows: 0.4 * random.standard_t(5, rows), (0.89, 0.91, 0.92)),
    "tails of three degrees": (lambda random, rows: 0.3 * random.standard_t(3, rows), (0.78, 0.78, 0.78)),
}


def cases(draws):
    """Yield each draw with each number of rows of which intervals are told."""
    for name, (draw, shares) in draws.items():
        for rows, enough in zip(ROWS, shares, strict=True):
            if enough is not None:
                yield pytest.param(draw, rows, enough, id=f"{name}, {rows} rows")


def rounded(values) -> Fraction:
    return Fraction(float(values.sum()))


def exact(values) -> Fraction:
    return sum(map(Fraction, values.tolist()), Fraction(0))


def pair_sums(errors, labels, middle, add) -> PairSums:
    away, squared = labels - middle, errors**2
    moments = (squared, squared**2, squared * away, squared * away**2, away, away**2, away**3, away**4)
    return PairSums(len(errors), *map(add, moments))


@pytest.mark.parametrize(("draw", "rows", "enough"), list(cases(LOSSES)))
def test_of_mean_losses_they_hold(draw, rows, enough):
    random = np.random.default_rng(rows)
    truth = draw(random, MANY).mean()
    held = []
    for _ in range(TRIES):
        losses = draw(random, rows)
        if losses is not None:
            ends = loss_interval(rounded(losses), rounded(losses**2), rows)
            assert ends is not None
            held.append(ends.lower <= truth <= ends.upper)
    assert sum(held) / len(held) >= enough


@pytest.mark.parametrize(("draw", "rows", "enough"), list(cases(PAIRS)))
def test_of_r2_they_hold(draw, rows, enough):
    random = np.random.default_rng(rows)
    errors, labels = draw(random, 4 * MANY), random.normal(0, 1, 4 * MANY)
    truth = 1 - (errors**2).mean() / labels.var()
    held = 0
    for _ in range(TRIES):
        ends = determination_interval(pair_sums(draw(random, rows), random.normal(0, 1, rows), 0.0, rounded))
        assert ends is not None
        held += ends.lower <= truth <= ends.upper
    assert held / TRIES >= enough


def test_a_great_mean_takes_nothing_from_the_interval_of_r2():
    random = np.random.default_rng(3)
    errors, labels = random.normal(0, 1, 200), np.rint(random.normal(0, 4096, 200)) / 1024
    near = determination_interval(pair_sums(errors, labels, 0.0, exact))
    far = determination_interval(pair_sums(errors, labels + 2.0**30, 2.0**30, exact))
    apart = determination_interval(pair_sums(errors, labels, 1000.0, exact))
    assert near == far
    assert apart == pytest.approx(near, rel=1e-6)


def test_nothing_is_told_of_one_row_of_what_does_not_vary_or_of_powers_past_all_doubles():
    two, most = Fraction(2), Fraction(float(np.finfo(np.float64).max))
    for interval in (loss_interval, mean_interval_by_sums):
        assert interval(two, two * 2, 1) is None
        assert interval(two, two * 2 / 2, 2) is None
        assert interval(two, most, 2) is None
        assert interval(two, two * 2, 2) is not None
    perfect = pair_sums(np.zeros(5), np.arange(5.0), 0.0, exact)
    assert determination_interval(perfect) is None
    known = pair_sums(np.array([1.0, -1, 2, 0.5]), np.array([1.0, 5, 2, 9]), 2.0, exact)
    assert determination_interval(known) is not None
    assert determination_interval(known._replace(fourth=most)) is None
    assert determination_interval(known._replace(rows=1)) is None


def test_student_s_quantile_comes_down_to_the_normal_one():
    assert student_95(2) == pytest.approx(12.7062047)
    assert student_95(10**7) == pytest.approx(1.959964, abs=1e-5)
