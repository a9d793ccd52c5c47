"""Ways in which events are written: each cuts a stream into batches, and reads a batch into columns."""

from mlvitals.formats.base import Cut, DecodePlan, Format, Want
from mlvitals.formats.jsonlines import MlvitalsFormat

__all__ = ["Cut", "DecodePlan", "Format", "MlvitalsFormat", "Want"]
