"""What the backends share that hold documents of our sink: searches, pictures of Vega, and the plan of a page."""

from typing import Final

from mlvitals.assets.documents.search import NONE, TIME, Documents, identity, running
from mlvitals.telemetry.naming.opensearch import Schema

__all__ = ["ECS", "NONE", "SS4O", "TIME", "Documents", "identity", "running"]

SS4O: Final = Documents(Schema.SS4O)
ECS: Final = Documents(Schema.ECS)
