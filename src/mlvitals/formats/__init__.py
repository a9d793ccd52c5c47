"""Ways in which events are written: each cuts a stream into batches, and reads a batch into columns."""

from mlvitals.formats.base import Cut, DecodePlan, Format, Mapped, Want
from mlvitals.formats.delimited import CsvFormat
from mlvitals.formats.jsonlines import MlvitalsFormat
from mlvitals.formats.mappedjson import JsonFormat
from mlvitals.formats.parquet import ParquetFormat

FormatConfig = MlvitalsFormat | JsonFormat | ParquetFormat | CsvFormat

__all__ = [
    "CsvFormat",
    "Cut",
    "DecodePlan",
    "Format",
    "FormatConfig",
    "JsonFormat",
    "Mapped",
    "MlvitalsFormat",
    "ParquetFormat",
    "Want",
]
