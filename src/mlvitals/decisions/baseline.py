"""What is usual of streams of window effects, learnt from the windows of the reference."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import chdtri

from mlvitals.decisions.seasonality import Seasonality
from mlvitals.decisions.tails import FREEDOMS, Places, fit_tails
from mlvitals.decisions.whitening import Noise, fit_noise, innovations

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]

# Fewer windows beyond the season's own terms than this leave the scale unknown by half.
LEAST_FREEDOM: Final = 8
# How many standard errors the usual level may be off before that counts as news: found by simulation.
_ERROR_FACTOR: Final = 1.2
_RIDGE: Final = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """What is usual of each stream; arrays of shape (streams,) but for `season`.

    season: coefficients of the seasonality's regressors, shape (streams, terms). noise: how a stream varies around it,
    the guard included. tails, scale: the t distribution of standardised innovations (see `tails`). error: the standard
    error of the usual level. windows: how many it was learnt from.
    """

    seasonality: Seasonality
    season: Floats
    noise: Noise
    tails: Places
    scale: Floats
    error: Floats
    windows: npt.NDArray[np.int64]


def fit_baseline(
    effects: Floats, sampling: Floats, starts: Times, seasonality: Seasonality, *, least: Floats
) -> Baseline:
    """Return the baseline of streams; those with too few windows have an error of infinity.

    The season is fitted by least squares, the noise to what it leaves, and the season again with weights by the noise.
    Innovations' scale is raised by what its own error and that of the season's terms may hide:
    √(dof ÷ χ²(0.05; dof) · (1 + terms ÷ windows)).

    Args:
        effects: shape (streams, windows), NaN where a window says nothing.
        sampling: variances that the numbers of rows give, of the same shape.
        starts: of the windows.
        seasonality: what windows may differ by.
        least: the least inflation of each stream's sampling variance.

    """
    design = seasonality.design(starts)
    known = np.isfinite(effects)
    count = known.sum(axis=1)
    terms = design.shape[1]
    weights = known / np.where(known, np.maximum(sampling, 1e-300), 1.0)
    season = _least_squares(effects, weights, design, known)
    noise = fit_noise(np.where(known, effects - season @ design.T, np.nan), sampling, least)
    weights = known / np.where(known, noise.inflation[:, None] * sampling + noise.natural[:, None], 1.0)
    season = _least_squares(effects, weights, design, known)
    residuals = np.where(known, effects - season @ design.T, np.nan)
    noise = replace(noise, freedom=FREEDOMS[fit_tails(innovations(residuals, sampling, noise))[0]])
    tails, scale = fit_tails(innovations(residuals, sampling, noise))
    dof = np.maximum(count - terms, 1)
    guard = dof / chdtri(dof, 0.95) * (1 + terms / np.maximum(count, 1))
    typical = np.where(known, sampling, 0.0).sum(axis=1) / np.maximum(count, 1)
    spread = np.nansum(residuals**2, axis=1) / dof
    error = np.sqrt((spread * terms + noise.long_run(typical)) / np.maximum(count, 1))
    # A history of a few stretches that are independent of each other knows its own error badly.
    independent = count * (1 - noise.persistence) / (1 + noise.persistence)
    error *= _ERROR_FACTOR * (1 + terms / np.maximum(independent, 1))
    return Baseline(
        seasonality=seasonality,
        season=season,
        noise=noise,
        tails=tails,
        scale=scale * np.sqrt(guard),
        error=np.where(count - terms >= LEAST_FREEDOM, error, np.inf),
        windows=count,
    )


def _least_squares(effects: Floats, weights: Floats, design: Floats, known: npt.NDArray[np.bool_]) -> Floats:
    gram = np.einsum("sw,wp,wq->spq", weights, design, design, optimize=True)
    right = np.einsum("sw,wp->sp", weights * np.where(known, effects, 0.0), design)
    ridge = _RIDGE * np.trace(gram, axis1=1, axis2=2)[:, None, None] + 1e-300
    # The constant goes all but free, so that an hour that was never seen is taken for an ordinary one, not for 0.
    penalty = np.diag([1e-6, *np.ones(design.shape[1] - 1)])
    return np.asarray(np.linalg.solve(gram + ridge * penalty, right[:, :, None])[:, :, 0])
