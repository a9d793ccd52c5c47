"""Which records are predictions, and which parts of them are the features and the answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from mlvitals.setup.inference import lines
from mlvitals.setup.inference.arrays import Peeked, Use, peek
from mlvitals.setup.inference.columns import Column, Path, Record, columns_of, under
from mlvitals.setup.inference.features import Container, find_containers, rows_of
from mlvitals.setup.inference.layout import Spelling
from mlvitals.setup.inference.outputs import Outputs, find_outputs
from mlvitals.setup.inference.roles import find_status
from mlvitals.setup.inference.texts import open_texts

# From here on HTTP status codes tell of failures (RFC 9110, section 15).
_FAILED: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The records of predictions, and the two parts that make them ones.

    columns: of those records only. selected: which of all records they are. container: None where features stand side
    by side with everything else. where: what tells the records. pairs: where two of them make one prediction.
    """

    columns: Mapping[Path, Column]
    selected: Sequence[bool]
    container: Container | None
    outputs: Outputs
    where: lines.Test
    pairs: lines.Pairs | None = None
    note: str = ""


def find_parts(records: Sequence[Record], names: Sequence[str] = ()) -> tuple[Parts, Spelling] | None:
    """Return the parts of a log's predictions, and how their paths are spelled; None where there are none.

    Args:
        records: of one file, or of several that belong together.
        names: of features that the log knows by position only.

    """
    opened = open_texts(records)
    peeked = peek(opened.records, names=names, tables=opened.csv)
    parts = _find_beside(peeked)
    if parts is None:
        apart = peek(opened.records, names=names, tables=opened.csv, halves=True)
        parts = _find_pairs(apart)
        if parts is not None:
            return parts, Spelling(opened, apart)
    parts = parts or _find_flat(columns_of(peeked.records))
    if parts is None and any(use is Use.VALUE for use in peeked.uses.values()):
        peeked = peek(opened.records, names=names, tables=opened.csv, anywhere=True)
        parts = _find_beside(peeked) or _find_flat(columns_of(peeked.records))
    return None if parts is None else (parts, Spelling(opened, peeked))


def _find_beside(peeked: Peeked) -> Parts | None:
    """Find features and outputs in the same records."""
    columns = columns_of(peeked.records)
    for container in find_containers(columns):
        selected = rows_of(container)
        chosen = lines.restrict(columns, selected)
        inside = {column.path for column in under(chosen.values(), container.path)}
        outputs = find_outputs([column for path, column in chosen.items() if path not in inside])
        if outputs is not None:
            where, note = _test(columns, container, selected)
            kept = _refreshed(container, chosen)
            return Parts(columns=chosen, selected=selected, container=kept, outputs=outputs, where=where, note=note)
    return None


def _find_flat(columns: Mapping[Path, Column]) -> Parts | None:
    """Find outputs first, where features stand side by side with everything else."""
    outputs = find_outputs(columns.values())
    if outputs is None:
        return None
    answered = [False] * max(len(column.values) for column in columns.values())
    for choice in outputs.columns:
        answered = [held or value is not None for held, value in zip(answered, choice.column.values, strict=True)]
    chosen = lines.restrict(columns, answered)
    outputs = find_outputs(chosen.values()) or outputs
    asked = _or_failed(columns, answered)
    where = lines.find_test([column for column in columns.values() if len(column.path) == 1], asked)
    if where is None:
        where = {outputs.columns[0].column.path: "*"} if outputs.columns else {}
    return Parts(columns=chosen, selected=answered, container=None, outputs=outputs, where=where)


def _or_failed(columns: Mapping[Path, Column], answered: Sequence[bool]) -> list[bool]:
    """Return the records that have an answer, or a status that says why there is none: requests both."""
    status = find_status(columns.values())
    if status is None:
        return list(answered)
    codes = status.column.values
    return [held or (code is not None and float(code) >= _FAILED) for held, code in zip(answered, codes, strict=True)]


def _find_pairs(peeked: Peeked) -> Parts | None:
    """Find features in some records and outputs in others that share an id with them."""
    columns = columns_of(peeked.records)
    for container in find_containers(columns):
        asked = rows_of(container)
        rest = lines.restrict(columns, [not held for held in asked])
        outputs = find_outputs(column for path, column in rest.items())
        if outputs is None or not outputs.columns:
            continue
        best = columns[outputs.columns[0].column.path]
        answered = [not one and value is not None for one, value in zip(asked, best.values, strict=True)]
        pairs = lines.find_pairs(columns, peeked.records, asked, answered)
        if pairs is not None:
            joined = columns_of(pairs.records)
            taken = {choice.column.path for choice in outputs.columns}
            found = find_outputs(joined[path] for path in taken if path in joined)
            inside = replace(
                _refreshed(container, joined),
                columns=[
                    column
                    for column in under(joined.values(), container.path)
                    if column.is_scalar and column.path not in taken
                ],
            )
            return Parts(
                columns=joined,
                selected=[one or two for one, two in zip(asked, answered, strict=True)],
                container=inside,
                outputs=found or outputs,
                where={},
                pairs=pairs,
            )
    return None


def _test(columns: Mapping[Path, Column], container: Container, selected: Sequence[bool]) -> tuple[lines.Test, str]:
    inside = {column.path for column in under(columns.values(), container.path)}
    where = lines.find_test([column for path, column in columns.items() if path not in inside], selected)
    if where is not None:
        return where, ""
    return {container.path: "*"}, "no one value tells these lines: they are told by having features"


def _refreshed(container: Container, columns: Mapping[Path, Column]) -> Container:
    """Return the container with its columns in the chosen records only."""
    kept = [columns[column.path] for column in container.columns if column.path in columns]
    return replace(container, columns=kept)
