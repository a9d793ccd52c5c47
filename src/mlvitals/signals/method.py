"""Every method of drift: adding one is one line here, and the battery of methods comes with it."""

from collections.abc import Callable
from typing import Final, NamedTuple

from mlvitals.signals.chi_square import omega_square
from mlvitals.signals.distance import largest_distance
from mlvitals.signals.hellinger import hellinger
from mlvitals.signals.jensen_shannon import jensen_shannon
from mlvitals.signals.largest_share import largest_share
from mlvitals.signals.location import location_shift
from mlvitals.signals.pair import Difference, Pair
from mlvitals.signals.shape import shape_change
from mlvitals.signals.spread import SPREAD_BINS, spread_change
from mlvitals.signals.stability import stability_index
from mlvitals.signals.table import Ruler
from mlvitals.signals.variation import total_variation
from mlvitals.signals.wasserstein import wasserstein


class Method(NamedTuple):
    """A way to say how much columns differ. least: the bins that a column must have."""

    name: str
    compute: Callable[[Pair, Ruler], Difference]
    least: int = 1


class CellMethod(NamedTuple):
    """A way to say how much columns differ that needs no order of their cells."""

    name: str
    compute: Callable[[Pair], Difference]


def _distance(pair: Pair, ruler: Ruler) -> Difference:
    return largest_distance(pair, ruler.is_point)


def _wasserstein(pair: Pair, ruler: Ruler) -> Difference:
    return wasserstein(pair, ruler.edges, ruler.is_outside)


def _location(pair: Pair, _: Ruler) -> Difference:
    return location_shift(pair)


def _spread(pair: Pair, _: Ruler) -> Difference:
    return spread_change(pair)


def _shape(pair: Pair, _: Ruler) -> Difference:
    return shape_change(pair)


# What is judged, and what a comparison that is there to be read beside has to be read with.
STABILITY: Final = CellMethod("psi", stability_index)

# Over bins and specials of any column.
CELL_METHODS: Final = (
    STABILITY,
    CellMethod("js", jensen_shannon),
    CellMethod("hellinger", hellinger),
    CellMethod("tvd", total_variation),
    CellMethod("linf", largest_share),
    CellMethod("chi2", omega_square),
)
# Over the finite values of a numeric column.
NUMBER_METHODS: Final = (Method("ks", _distance), Method("wasserstein", _wasserstein, 3))

# The effects: signals of their own, each in its unit.
LOCATION: Final = Method("location", _location, 2)
SPREAD: Final = Method("spread", _spread, SPREAD_BINS)
SHAPE: Final = Method("shape", _shape, SPREAD_BINS)
CATEGORY_SHAPE: Final = CellMethod("shape", omega_square)
