"""The population stability index, smoothed and freed of its bias."""

from typing import Final

import numpy as np
import numpy.typing as npt

from mlvitals.signals.null import Moments, few_rows, separable_moments
from mlvitals.signals.pair import Difference, Floats, Pair
from mlvitals.signals.proportion import NORMAL_95
from mlvitals.windows.summary import Counts

# Jeffreys' prior for a multinomial: half a row in every cell.
_SMOOTHING: Final = 0.5


def stability_index(pair: Pair) -> Difference:
    """Return PSI = Σ (q - p)·ln(q ÷ p) in nats, debiased; `cell` is the one that adds most, `raw` the sum as smoothed.

    The k cells that are empty on both sides are left out; p and q are smoothed by half a row a cell. With n and N rows
    and s = 1/n + 1/N a cell's part has, to second order in the sampling error and also under drift, the bias
    (1-q)(1+p/q) ÷ 2n + (1-p)(1+q/p) ÷ 2N; a cell that expects few rows has its part's mean where nothing changed. The
    value is the sum less these: negative at times where nothing changed, when its mean is 0.
    noise: where nothing changed, PSI ÷ s tends to χ² with k-1 degrees of freedom, of variance 2(k-1), to which cells
    with few rows add their own. Sources: Yurdakul (2018), "Statistical properties of population stability index";
    Yurdakul and Naranjo (2020), J. Risk Model Validation 14; the treatment of few rows is ours.
    lower, upper: value ∓ 1.96 standard errors as things are. error² = noise² + what the delta method's first-order
    variance exceeds 2·noise² by, its own mean where nothing changed (it is a quadratic form in the same differences).
    """
    filled = (pair.current > 0) | (pair.reference > 0)
    q, p = _smooth(pair.current, filled), _smooth(pair.reference, filled)
    log_ratio = np.log(q / p)
    terms = (q - p) * log_ratio
    raw = terms.sum(axis=1)
    n, reference_n = pair.rows, pair.reference_rows
    bias = (1 - q) * (1 + p / q) / (2 * n) + (1 - p) * (1 + q / p) / (2 * reference_n)
    # A cell's (1 - p̄)·s·χ²; between cells the covariance is 2p̄(i)p̄(j)·s².
    null = separable_moments(
        pair, _term, Moments(bias, 2 * ((1 - pair.pooled) * pair.scale[:, None]) ** 2), smoothing=_SMOOTHING
    )
    alone = np.where(few_rows(pair), 0.0, pair.pooled)
    between = 2 * pair.scale**2 * (alone.sum(axis=1) ** 2 - (alone**2).sum(axis=1))
    variance = null.variance + np.maximum(between, 0.0)
    first_order = (
        _variance(q * filled, log_ratio + 1 - p / q) / n[:, 0]
        + _variance(p * filled, 1 - log_ratio - q / p) / reference_n[:, 0]
    )
    error = np.sqrt(np.maximum(first_order - variance, variance))
    value = raw - null.mean
    return Difference(
        value=value,
        mean=np.zeros(len(raw)),
        noise=np.sqrt(variance),
        lower=value - NORMAL_95 * error,
        upper=value + NORMAL_95 * error,
        cell=np.where(raw > 0, terms.argmax(axis=1), -1),
        told={"raw": raw},
    )


def _smooth(counts: Counts, filled: npt.NDArray[np.bool_]) -> Floats:
    """Return smoothed shares of the filled cells, 1 elsewhere, where every term is 0 then."""
    total = counts.sum(axis=1, keepdims=True) + _SMOOTHING * filled.sum(axis=1, keepdims=True)
    return np.where(filled, (counts + _SMOOTHING) / total, 1.0)


def _term(q: Floats, p: Floats) -> Floats:
    return np.asarray((q - p) * np.log(q / p))


def _variance(shares: Floats, values: Floats) -> Floats:
    mean = (shares * values).sum(axis=1, keepdims=True)
    return np.asarray((shares * (values - mean) ** 2).sum(axis=1))
