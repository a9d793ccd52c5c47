"""What other drift monitors would print of two tables, by their stated conventions: for teams that migrate.

Offline only: nothing of the running job imports this package.
"""

from mlvitals.compat.verdict import DatasetVerdict, Verdict

__all__ = ["DatasetVerdict", "Verdict"]
