"""What the job tells of itself, beside its models: how many series that is for a destination that takes points."""

from math import prod

from mlvitals.delivery import Fate
from mlvitals.events import Disposition
from mlvitals.signals.running import RUNNING


def job_series(models: int, destinations: int) -> int:
    """Return how many series the job itself may have, so many models and destinations being configured."""
    values = {"outcome": len(Disposition), "fate": len(Fate), "model": models, "destination": destinations}
    return sum(prod(values[name] for name in spec.attributes) for spec in RUNNING)
