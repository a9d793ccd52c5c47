"""The same column of two tables, read as every peer's convention needs it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mlvitals.errors import ConfigError, InputError

Table: TypeAlias = pa.Table | pa.RecordBatch
Numbers = npt.NDArray[np.float64] | npt.NDArray[np.int64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Tally:
    """What a column of categories holds, row by row and counted; nulls and NaN are no value.

    texts: the values that either side holds, as text, ascending by their own order.
    reference_codes, current_codes: the place in `texts` of each row's value, -1 where there is none, shape (rows,).
    """

    texts: tuple[str, ...]
    reference_codes: Counts
    current_codes: Counts

    @cached_property
    def reference(self) -> Counts:
        """How often each value is in the reference, shape (values,)."""
        return self.count(self.reference_codes)

    @cached_property
    def current(self) -> Counts:
        """How often each value is in the current table, shape (values,)."""
        return self.count(self.current_codes)

    def count(self, codes: Counts) -> Counts:
        """Return how often each value is among some rows' codes, shape (values,)."""
        return np.bincount(codes[codes >= 0], minlength=len(self.texts))


@dataclass(frozen=True, eq=False)
class Column:
    """A column by name with the arrays of both sides, dictionaries decoded."""

    name: str
    reference: pa.ChunkedArray
    current: pa.ChunkedArray

    @cached_property
    def is_number(self) -> bool:
        """Whether both sides hold integers or floats."""
        return all(_is_number(side.type) for side in (self.reference, self.current))

    @cached_property
    def is_truth(self) -> bool:
        """Whether both sides hold truth values."""
        return all(pa.types.is_boolean(side.type) for side in (self.reference, self.current))

    @cached_property
    def tally(self) -> Tally:
        """Its values as categories.

        Raises:
            InputError: a side holds no value, or one side holds numbers and the other does not.

        """
        kinds = {self.reference.type, self.current.type}
        if len(kinds) > 1 and not self.is_number:
            types = f"{self.reference.type} in the reference, {self.current.type} in the current table"
            raise InputError(f"column `{self.name}`: {types}")
        kind = kinds.pop() if len(kinds) == 1 else pa.float64()
        reference, current = (_without_nan(side.cast(kind)) for side in (self.reference, self.current))
        values = pc.unique(pa.chunked_array([*reference.chunks, *current.chunks], kind)).drop_null()
        values = values.take(pc.array_sort_indices(values))
        codes = (pc.index_in(side, value_set=values).fill_null(-1).to_numpy() for side in (reference, current))
        tally = Tally(tuple(str(value) for value in values.to_pylist()), *codes)
        self.refuse_empty(int(tally.reference.sum()), int(tally.current.sum()))
        return tally

    def finite(self) -> tuple[Numbers, Numbers]:
        """Return the finite numbers of both sides.

        Raises:
            InputError: it does not hold numbers, or a side has no finite one.

        """
        reference, current = (side[np.isfinite(side)] for side in self.rows())
        self.refuse_empty(len(reference), len(current))
        return reference, current

    def rows(self) -> tuple[Numbers, Numbers]:
        """Return the numbers of both sides row by row, a null as NaN.

        Integers stay integers where there is no null, as they do in pandas: numpy bins them otherwise than floats.

        Raises:
            InputError: it does not hold numbers.

        """
        self._refuse_other_than_numbers()
        return _numbers(self.reference), _numbers(self.current)

    def present(self) -> tuple[Numbers, Numbers]:
        """Return the numbers of both sides that are not null, NaN and infinities with them; truth values as 0 and 1.

        Raises:
            InputError: it holds neither numbers nor truth values.

        """
        if self.is_truth:
            sides = (side.drop_null().cast(pa.int64()).to_numpy() for side in (self.reference, self.current))
        else:
            self._refuse_other_than_numbers()
            sides = (_numbers(side.drop_null()) for side in (self.reference, self.current))
        reference, current = sides
        return reference, current

    def _refuse_other_than_numbers(self) -> None:
        if not self.is_number:
            raise InputError(f"column `{self.name}`: holds {self.reference.type} and {self.current.type}, not numbers")

    def refuse_empty(self, reference: int, current: int) -> None:
        """Refuse a column of which a side has no value that the peer counts.

        Raises:
            InputError: a number of values is 0.

        """
        for rows, table in ((reference, "reference"), (current, "current")):
            if rows == 0:
                raise InputError(f"column `{self.name}`: the {table} table holds no value that counts")


def columns(reference: Table, current: Table) -> Iterator[Column]:
    """Yield the columns of the reference, in its order, with what the current table has under that name.

    What only the current table has is left out.

    Raises:
        InputError: a column is not in the current table, or holds neither numbers, truth values nor texts.

    """
    for name in reference.schema.names:
        if name not in current.schema.names:
            raise InputError(f"column `{name}`: not in the current table; select the columns that both have")
        yield Column(name, _decoded(reference, name), _decoded(current, name))


def choose(column: str, method: str, methods: tuple[str, ...], kind: str, peer: str) -> str:
    """Return the method where the peer has it for this kind of column.

    Raises:
        ConfigError: it has not.

    """
    if method not in methods:
        raise ConfigError(f"column `{column}`: {peer} has no `{method}` for {kind} columns; {', '.join(methods)}")
    return method


def _decoded(table: Table, name: str) -> pa.ChunkedArray:
    column = table.column(name)
    array = column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if pa.types.is_large_string(array.type) or pa.types.is_string_view(array.type):
        array = array.cast(pa.string())
    if pa.types.is_decimal(array.type):
        array = array.cast(pa.float64())
    if not (_is_number(array.type) or pa.types.is_boolean(array.type) or pa.types.is_string(array.type)):
        raise InputError(f"column `{name}`: holds {array.type}; only numbers, truth values and texts are compared")
    return array


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _without_nan(array: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_floating(array.type):
        return array
    return pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)


def _numbers(array: pa.ChunkedArray) -> Numbers:
    if pa.types.is_integer(array.type) and array.null_count == 0:
        whole: npt.NDArray[np.int64] = array.cast(pa.int64()).to_numpy()
        return whole
    values: npt.NDArray[np.float64] = array.cast(pa.float64()).to_numpy()
    return values
