"""The chance of what was done with a prediction, and so of its label, as predictions log it."""

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from mlvitals import wire
from mlvitals.windows.layout import OutputLayout

if TYPE_CHECKING:
    from mlvitals.windows.summarize import Columns

Floats = npt.NDArray[np.float64]

# Below one in a thousand million nobody tries anything, and a label would drown all others.
_LEAST: Final = 1e-9


def propensities_of(columns: "Columns", output: OutputLayout) -> Floats:
    """Return the propensity of each row of a batch, 0 where it has none in [1e-9, 1], or where nobody asks for it."""
    read = columns.numbers(wire.PROPENSITY) if output.weighs is True else None
    if read is None:
        return np.zeros(columns.batch.num_rows)
    values = read.values
    return np.where((values >= _LEAST) & (values <= 1), values, 0.0)
