"""Building a reference from files of rows, or from what the sources hold of the last days."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from mlvitals import wire
from mlvitals.clock import SystemClock, format_time
from mlvitals.config import ModelConfig
from mlvitals.engines.intake import PARK_AHEAD, UNKNOWN_VERSION, failed, rows_by_text, times_of
from mlvitals.engines.joining import join_halves
from mlvitals.engines.layouts import choice_of
from mlvitals.engines.selfchecking import with_selfcheck
from mlvitals.errors import InputError
from mlvitals.events import EventBatch, ReadAccount, canonical_text
from mlvitals.formats import CsvFormat, DecodePlan, FormatConfig, MlvitalsFormat, ParquetFormat
from mlvitals.sources import FileSource, SourceConfig
from mlvitals.sources.base import Role
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
    """The rows of one model (and version) in some sources, readable again and again.

    sources: those with predictions. labels_apart: those in which labels are events of their own. span: the first and
    the last time that count, None for every row, be it without a time.
    """

    model: str
    version: str | None
    sources: Sequence[SourceConfig]
    labels_apart: Sequence[SourceConfig]
    progress: Callable[[int], None]
    span: tuple[int, int] | None = None
    account: ReadAccount = field(default_factory=lambda: ReadAccount(rows=0, parsed=0))
    other_models: int = 0
    labels: dict[str, str] | None = None

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield the model's rows, each with its label where one is known."""
        if self.labels is None:
            self.labels = self._find_labels()
        self.account, self.other_models = ReadAccount(rows=0, parsed=0), 0
        plan = DecodePlan(ids=bool(self.labels), model=self.model, times=self.span is not None)
        for batch in self._batches(self.sources, plan):
            self.account += batch.account
            served = _within(_served(batch.predictions), self.span)
            mine = self._mine(served)
            self.other_models += served.num_rows - mine.num_rows
            self.progress(mine.num_rows)
            yield _with_labels(mine, self.labels) if self.labels and mine.num_rows else mine

    def _find_labels(self) -> dict[str, str]:
        """Return the labels that JSON Lines hold apart: by prediction id the newest, ties by content."""
        newest: dict[str, tuple[int, str]] = {}
        plan = DecodePlan(features={}, model=self.model, predictions=False)
        for batch in self._batches(self.labels_apart, plan):
            labels = _only(batch.labels, wire.MODEL, {self.model})
            ids = canonical_text(labels.column(wire.PREDICTION_ID)).cast(pa.string()).to_pylist()
            texts = canonical_text(labels.column(wire.LABEL), numerals=True).cast(pa.string()).to_pylist()
            for one, label in zip(ids, zip(times_of(labels).tolist(), texts, strict=True), strict=True):
                newest[one] = max(label, newest.get(one, label))
        return {one: text for one, (_, text) in newest.items()}

    def newest(self) -> int | None:
        """Return the time of the model's newest prediction, implausible times aside; None where it has none."""
        plan = DecodePlan(features={}, ids=False, model=self.model)
        end = SystemClock().now() + PARK_AHEAD
        times = (times_of(self._mine(batch.predictions)) for batch in self._batches(self.sources, plan))
        plausible = (some[some <= end] for some in times)
        return max((int(some.max()) for some in plausible if len(some)), default=None)

    def _batches(self, sources: Sequence[SourceConfig], plan: DecodePlan) -> Iterator[EventBatch]:
        return join_halves(self._decode(sources, plan))

    def _decode(self, sources: Sequence[SourceConfig], plan: DecodePlan) -> Iterator[EventBatch]:
        for config in sources:
            source = config.open(plan)
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
    formats: Sequence[FormatConfig] = (),
    progress: Callable[[int], None] = lambda _: None,
) -> Built:
    """Build a model's operating reference from files, or with `version` that version's training reference.

    A training reference takes the features' bins of the operating one where that is there already, so that both can be
    held against the same windows. Labels stand beside the predictions, or (in JSON Lines) are events of their own.

    Args:
        model: the model's configuration.
        version: of the rows; None for the operating reference.
        paths: files, globs or folders.
        complete: they hold all that was served, not a sample.
        formats: how the configuration's sources are written; a file of the same kind is read as the first of them is.
        progress: told the number of rows of each batch, in each of the two passes.

    Raises:
        InputError: a path is not there, or holds no row of the model.

    """
    sources = [FileSource(path=path, format=_format_of(path, formats)) for path in paths]
    apart = [source for source in sources if not isinstance(source.format, ParquetFormat | CsvFormat)]
    rows = _Rows(model.name, version, sources, apart, progress)
    taken = ", ".join(Path(path).name for path in paths)
    return _build(model, rows, ", ".join(paths), taken, complete=complete)


def build_reference_since(
    model: ModelConfig,
    *,
    version: str | None,
    sources: Sequence[SourceConfig],
    length: int,
    complete: bool,
    progress: Callable[[int], None] = lambda _: None,
) -> Built:
    """Build a reference from what the configuration's own sources hold of the model's last days.

    Args:
        model: the model's configuration.
        version: of the rows; None for the operating reference.
        sources: of the configuration.
        length: how far back from the newest prediction to go, in microseconds.
        complete: they hold all that was served, not a sample.
        progress: told the number of rows of each batch, in each of the two passes after the one that finds the newest.

    Raises:
        InputError: a source cannot be read, or holds no row of the model.

    """
    served = [source for source in sources if source.role is not Role.LABELS]
    apart = [source for source in sources if source.role is not Role.PREDICTIONS] if model.labels is not None else []
    rows = _Rows(model.name, version, served, apart, progress)
    names = ", ".join(source.name for source in served)
    if any("-" in source.paths for source in (*served, *apart)):
        raise InputError("standard input cannot be read again and again: give the rows with --data")
    newest = rows.newest()
    if newest is None:
        raise InputError(f"{names}: no usable row of model `{model.name}`" + _reason(rows))
    rows.span = newest - length, newest
    taken = f"{names}, {format_time(newest - length)} to {format_time(newest)}"
    return _build(model, rows, names, taken, complete=complete)


def _build(model: ModelConfig, rows: _Rows, place: str, taken: str, *, complete: bool) -> Built:
    operating = None if model.operating is None else model.operating.path
    training = rows.version is not None and operating is not None and operating.exists()
    reference = take_reference(
        choice_of(model),
        rows.read,
        model=model.name,
        version=rows.version or "",
        size=model.windows.size.window,
        complete=complete,
        provenance={"taken from": taken},
        features_of=read_reference(operating).layout if training and operating is not None else None,
    )
    if not reference.summary.predictions:
        raise InputError(f"{place}: no usable row of model `{model.name}`" + _reason(rows))
    return Built(reference if rows.version else with_selfcheck(reference), rows.account, rows.other_models)


def _within(batch: pa.RecordBatch, span: tuple[int, int] | None) -> pa.RecordBatch:
    if span is None:
        return batch
    times = times_of(batch)
    return batch.filter(pa.array((times >= span[0]) & (times <= span[1])))


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


def _format_of(path: str, formats: Sequence[FormatConfig]) -> FormatConfig:
    """Return the format of a file whose last suffix, compression aside, tells its kind; JSON Lines where it tells none.

    Of that kind the first of the given formats is taken, else the one of native events.
    """
    suffixes = [suffix for suffix in Path(path).suffixes if suffix not in {".gz", ".zst"}]
    of_columns: dict[str, FormatConfig] = {".parquet": ParquetFormat(), ".csv": CsvFormat()}
    native = of_columns.get(suffixes[-1] if suffixes else "")
    if native is not None:
        return next((one for one in formats if isinstance(one, type(native))), native)
    return next((one for one in formats if not isinstance(one, ParquetFormat | CsvFormat)), MlvitalsFormat())


def _reason(rows: _Rows) -> str:
    if rows.other_models:
        return f" ({rows.other_models} rows are of other models)"
    return f" ({rows.account.examples[0]})" if rows.account.examples else ""
