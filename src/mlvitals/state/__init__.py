"""The embedded database: one transaction, migrations, a single-writer lock. Each layer above owns its tables."""

from mlvitals.state.store import Migrations, Store, is_full

__all__ = ["Migrations", "Store", "is_full"]
