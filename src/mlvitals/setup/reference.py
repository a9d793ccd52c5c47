"""Building a reference from files of rows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from mlvitals import wire
from mlvitals.config import ModelConfig
from mlvitals.engines.intake import UNKNOWN_VERSION, failed, rows_by_text, times_of
from mlvitals.engines.layouts import choice_of
from mlvitals.errors import InputError
from mlvitals.events import EventBatch, ReadAccount, canonical_text
from mlvitals.formats import CsvFormat, DecodePlan, FormatConfig, MlvitalsFormat, ParquetFormat
from mlvitals.sources import FileSource
from mlvitals.windows.reference import Reference, read_reference
from mlvitals.windows.taking import take_reference


@dataclass(slots=True)
class Built:
    """A reference that was built, and what became of the rows it was built from."""

    reference: Reference
    account: ReadAccount
    other_models: int


@dataclass(slots=True)
class _Rows:
    """The rows of one model (and version) in some files, readable again and again."""

    model: str
    version: str | None
    paths: Sequence[str]
    progress: Callable[[int], None]
    account: ReadAccount = field(default_factory=lambda: ReadAccount(rows=0, parsed=0))
    other_models: int = 0
    labels: dict[str, str] | None = None

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield the model's rows, each with its label where one is known."""
        if self.labels is None:
            self.labels = self._find_labels()
        self.account, self.other_models = ReadAccount(rows=0, parsed=0), 0
        for batch in self._batches(self.paths, DecodePlan(ids=bool(self.labels), model=self.model, times=False)):
            self.account += batch.account
            served = _served(batch.predictions)
            mine = self._mine(served)
            self.other_models += served.num_rows - mine.num_rows
            self.progress(mine.num_rows)
            yield _with_labels(mine, self.labels) if self.labels and mine.num_rows else mine

    def _find_labels(self) -> dict[str, str]:
        """Return the labels that JSON Lines hold apart: by prediction id the newest, ties by content."""
        newest: dict[str, tuple[int, str]] = {}
        plan = DecodePlan(features={}, model=self.model, predictions=False)
        apart = [path for path in self.paths if isinstance(_format_of(path), MlvitalsFormat)]
        for batch in self._batches(apart, plan):
            labels = _only(batch.labels, wire.MODEL, {self.model})
            ids = canonical_text(labels.column(wire.PREDICTION_ID)).cast(pa.string()).to_pylist()
            texts = canonical_text(labels.column(wire.LABEL), numerals=True).cast(pa.string()).to_pylist()
            for one, label in zip(ids, zip(times_of(labels).tolist(), texts, strict=True), strict=True):
                newest[one] = max(label, newest.get(one, label))
        return {one: text for one, (_, text) in newest.items()}

    def _batches(self, paths: Sequence[str], plan: DecodePlan) -> Iterator[EventBatch]:
        for path in paths:
            source = FileSource(path=path, format=_format_of(path)).open(plan)
            problems = source.check()
            if problems:
                raise InputError(problems[0])
            for raw in source.read(complete=True):
                yield source.format.decode(raw)
            source.close()

    def _mine(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        mine = _without_features_of_others(_only(batch, wire.MODEL, {self.model}), batch)
        return mine if self.version is None else _only(mine, wire.MODEL_VERSION, {self.version, UNKNOWN_VERSION})


def build_reference(
    model: ModelConfig,
    *,
    version: str | None,
    paths: Sequence[str],
    complete: bool,
    progress: Callable[[int], None] = lambda _: None,
) -> Built:
    """Build a model's operating reference, or with `version` that version's training reference.

    A training reference takes the features' bins of the operating one where that is there already, so that both can be
    held against the same windows. Labels stand beside the predictions, or (in JSON Lines) are events of their own.

    Args:
        model: the model's configuration.
        version: of the rows; None for the operating reference.
        paths: files, globs or folders.
        complete: they hold all that was served, not a sample.
        progress: told the number of rows of each batch, in each of the two passes.

    Raises:
        InputError: a path is not there, or holds no row of the model.

    """
    rows = _Rows(model.name, version, paths, progress)
    operating = None if model.operating is None else model.operating.path
    bins = (
        read_reference(operating).layout
        if version is not None and operating is not None and operating.exists()
        else None
    )
    reference = take_reference(
        choice_of(model),
        rows.read,
        model=model.name,
        version=version or "",
        size=model.windows.size.window,
        complete=complete,
        provenance={"taken from": ", ".join(Path(path).name for path in paths)},
        features_of=bins,
    )
    if not reference.summary.predictions:
        raise InputError(f"{', '.join(paths)}: no usable row of model `{model.name}`" + _reason(rows))
    return Built(reference, rows.account, rows.other_models)


def _served(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Leave out failed requests: they are no predictions."""
    errors = failed(batch)
    return batch.filter(pa.array(~errors)) if errors.any() else batch


def _with_labels(batch: pa.RecordBatch, labels: Mapping[str, str]) -> pa.RecordBatch:
    ids = canonical_text(batch.column(wire.PREDICTION_ID)).cast(pa.string()).to_pylist()
    return batch.append_column(wire.LABEL, pa.array([labels.get(one) for one in ids], pa.string()))


def _only(batch: pa.RecordBatch, name: str, values: set[str]) -> pa.RecordBatch:
    parts = rows_by_text(batch, name, UNKNOWN_VERSION)
    if set(parts) <= values:
        return batch
    rows = [row for value, rows in parts.items() if value in values for row in rows.tolist()]
    return batch.take(pa.array(sorted(rows), pa.int64()))


def _without_features_of_others(mine: pa.RecordBatch, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Leave out features that only rows of other models have; one that no row has may come alive."""
    if mine.num_rows == batch.num_rows:
        return mine
    own = [
        name
        for name in mine.schema.names
        if not name.startswith(wire.FEATURE_PREFIX)
        or mine.column(name).null_count < mine.num_rows
        or batch.column(name).null_count == batch.num_rows
    ]
    return mine.select(own)


def _format_of(path: str) -> FormatConfig:
    """Return the format that a path's last suffix tells, compression aside; native JSON Lines where it tells none."""
    suffixes = [suffix for suffix in Path(path).suffixes if suffix not in {".gz", ".zst"}]
    known: dict[str, FormatConfig] = {".parquet": ParquetFormat(), ".csv": CsvFormat()}
    return known.get(suffixes[-1] if suffixes else "", MlvitalsFormat())


def _reason(rows: _Rows) -> str:
    if rows.other_models:
        return f" ({rows.other_models} rows are of other models)"
    return f" ({rows.account.examples[0]})" if rows.account.examples else ""
