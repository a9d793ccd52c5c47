"""Production that is simulated, as counts: what a model's features look like where nothing changes, and what may.

A feature is normal, counted in twenty bins of equal shares and two outside. Its mean moves with the hour and the
weekend, and by a natural deviation that lasts from hour to hour: nothing of that is drift, all of it is "significant".
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter
from scipy.special import ndtr, ndtri

from mlvitals.clock import DAY, HOUR
from mlvitals.decisions.columns import Watched, column_streams
from mlvitals.decisions.finding import Detector, Source
from mlvitals.decisions.streams import Streams, joined
from mlvitals.decisions.usual import Usually, learn
from mlvitals.windows.bins import MISSING, SPECIALS, NumericBins
from mlvitals.windows.window import WindowSize

Floats = npt.NDArray[np.float64]

FEATURES: Final = 30
WEEK: Final = 168  # windows
SIZE: Final = WindowSize.parse("1h")
EDGES: Final = np.concatenate([[-4.2], ndtri(np.arange(1, 20) / 20), [4.2]])
_BINS: Final = len(EDGES) + 1
CELLS: Final = _BINS + SPECIALS
_PERSISTENCE: Final = 0.7
_NATURAL: Final = 0.03  # standard deviation of the natural deviation, in those of the values
_BEFORE: Final = 60  # windows after which a deviation has forgotten how it began
_SHOCK: Final = 5.0
_MONDAY: Final = 4 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is ordinary.

    rows: of a typical window. season: whether means move with the hour and the weekend, and deviate. freedom: of the t
    distribution of what is new in a deviation. weeks: of the reference. together: the correlation of the features'
    deviations. shocks: whether once a week all features deviate at once, by five standard deviations. varying: whether
    rows follow the hour of the day, and chance.
    """

    name: str
    rows: int
    season: bool = True
    freedom: float = np.inf
    weeks: int = 4
    together: float = 0.0
    shocks: bool = False
    varying: bool = False


def counts(
    setting: Setting,
    generator: np.random.Generator,
    windows: int,
    *,
    features: int = FEATURES,
    shift: Floats | float = 0.0,
    missing: Floats | float = 0.0,
) -> Floats:
    """Return windows from a Monday's midnight on, shape (windows, features x cells).

    shift: of the means, in standard deviations of the values; missing: the share of values that are not there. Both
    are broadcast to (windows, features).
    """
    hours = np.arange(windows)
    rows = np.full(windows, setting.rows)
    if setting.varying:
        rows = generator.poisson(setting.rows * (1 + 0.8 * np.sin(2 * np.pi * (hours - 8) / 24)))
    means = np.zeros((windows, features)) + shift
    if setting.season:
        usual = 0.15 * np.sin(2 * np.pi * hours / 24) + 0.1 * (hours // 24 % 7 >= 5)
        means += usual[:, None] + _deviations(setting, generator, windows, features)
    below = ndtr(EDGES[None, None, :] - means[:, :, None])
    shares = np.zeros((*means.shape, CELLS))
    shares[..., 0], shares[..., 1:_BINS] = below[..., 0], np.diff(below, axis=2, append=1.0)
    gone = np.broadcast_to(missing, means.shape)
    shares *= 1 - gone[..., None]
    shares[..., _BINS + MISSING] = gone
    # What adds up to a hair over 1 is refused as probabilities.
    found = generator.multinomial(rows[:, None], shares / shares.sum(axis=2, keepdims=True))
    return found.reshape(windows, -1).astype(np.float64)


def _deviations(setting: Setting, generator: np.random.Generator, windows: int, features: int) -> Floats:
    own, common = (_news(setting, generator, (windows + _BEFORE, count)) for count in (features, 1))
    news = np.sqrt(setting.together) * common + np.sqrt(1 - setting.together) * own
    if setting.shocks:
        for week in range(0, windows, WEEK):
            news[_BEFORE + week + generator.integers(min(WEEK, windows - week))] += _SHOCK / _fresh()
    return np.asarray(_NATURAL * _fresh() * lfilter([1.0], [1.0, -_PERSISTENCE], news, axis=0)[_BEFORE:])


def _fresh() -> float:
    """Return the standard deviation of what is new in a deviation of one."""
    return float(np.sqrt(1 - _PERSISTENCE**2))


def _news(setting: Setting, generator: np.random.Generator, shape: tuple[int, int]) -> Floats:
    if np.isinf(setting.freedom):
        return generator.normal(size=shape)
    scale = np.sqrt((setting.freedom - 2) / setting.freedom)
    return np.asarray(generator.standard_t(setting.freedom, size=shape) * scale)


def learnt(setting: Setting, generator: np.random.Generator, models: int = 1, features: int = FEATURES) -> Usually:
    """Return what is usual of models side by side, each after a reference of its own."""
    references = [counts(setting, generator, setting.weeks * WEEK, features=features) for _ in range(models)]
    parts = tuple(_streams(f"model {place}", reference, setting) for place, reference in enumerate(references))
    streams = joined(parts, tuple(reference.shape[1] for reference in references))
    starts = np.array([start(window) for window in range(setting.weeks * WEEK)])
    found = learn(streams, np.concatenate(references, axis=1), starts, SIZE)
    assert found is not None
    return found


def start(window: int) -> int:
    """Return when a window starts, counted from a Monday's midnight."""
    return _MONDAY + window * HOUR


def _streams(model: str, reference: Floats, setting: Setting) -> Streams:
    total = reference.sum(axis=0).reshape(-1, CELLS).astype(np.int64)
    return column_streams(
        [
            Watched(
                source=Source(model, "", Detector.FEATURE, f"feature {number}"),
                bins=NumericBins(tuple(EDGES.tolist())),
                reference=one,
                distribution=True,
                typical=float(setting.rows),
            )
            for number, one in enumerate(total)
        ]
    )
