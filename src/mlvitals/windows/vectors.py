"""What waits for its label beside a prediction's few numbers: probabilities of its classes, or its ranking."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mlvitals.windows.layout import OutputLayout, Task
from mlvitals.windows.probabilities import pack_probabilities
from mlvitals.windows.ranked import pack_rankings


def pack_vectors(batch: pa.RecordBatch, output: OutputLayout, rows: npt.NDArray[np.intp]) -> Sequence[bytes | None]:
    """Return what is remembered of rows by the layout's task; None where there is nothing."""
    pack = pack_rankings if output.task is Task.RANKING else pack_probabilities
    return pack(batch, output, rows)
