"""What the model answered: a class, a score, a value, probabilities; and what turned out to be true."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mlvitals import wire
from mlvitals.setup.inference import words
from mlvitals.setup.inference.columns import Column, Path, words_of
from mlvitals.setup.inference.roles import Choice, Trust
from mlvitals.setup.inference.words import name_points, points

PROBABILITIES: Final = wire.PREDICTION_PROBABILITIES
_MOST_CLASSES: Final = 50
_ENOUGH: Final = 0.9
_PARENT: Final = 4
_LEAST: Final = 3
_STEM: Final = 5
_YES_OR_NO: Final = frozenset({0.0, 1.0})
# What the names of any predictions start with.
_GENERIC: Final = frozenset(name[:_STEM] for name in words.SCORE | words.CLASS | words.VALUE | words.PREDICTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """The fields of a prediction that were found, by their native names.

    shares: the object whose fields are the classes' probabilities.
    """

    fields: Mapping[str, Choice]
    shares: Path | None = None

    @property
    def columns(self) -> list[Choice]:
        """The columns taken."""
        return list(self.fields.values())


def find_outputs(columns: Iterable[Column]) -> Outputs | None:
    """Return the prediction's fields, None where there is none.

    A name like `probability` must hold numbers, one like `decision` few values; a name like `prediction` is read by its
    values: numbers from 0 to 1 are a score, few whole numbers or texts a class, other numbers a value.
    """
    able = [column for column in columns if column.is_scalar and not _is_identity(column)]
    shares = _find_shares(able)
    if shares is not None:
        able = [column for column in able if column.path[:-1] != shares]
    bids: dict[str, list[tuple[int, Column, str]]] = {}
    for column in able:
        field, bid, why = _bid(column)
        if bid >= _LEAST:
            bids.setdefault(field, []).append((bid, column, why))
    fields = {field: _best(made) for field, made in bids.items()}
    if wire.PREDICTION_VALUE in fields and {wire.PREDICTION_SCORE, wire.PREDICTION_LABEL} & set(fields):
        fields = _resolve(fields)
    return Outputs(fields=fields, shares=shares) if fields or shares else None


def find_truth(columns: Iterable[Column], outputs: Outputs | None = None) -> Choice | None:
    """Return the column of a prediction's row that tells what turned out to be true.

    It is called so, or it is true or false (1 or 0) and called like the prediction: `churned` beside `churn_score`.
    """
    columns = list(columns)
    best: tuple[int, Column] | None = None
    for column in columns:
        bid = points(column.words, words.TRUTH) or (5 if column.words[:1] in (("actual",), ("true",)) else 0)
        if column.is_scalar and column.distinct > 1 and bid > 4 and (best is None or bid > best[0]):
            best = bid, column
    if best is None:
        alike = [column for column in columns if outputs is not None and _is_called_like(column, outputs)]
        return Choice(alike[0], "yes or no, and called like the prediction", Trust.GUESS) if len(alike) == 1 else None
    why = f"named so; in {best[1].share:.0%} of the rows"
    return Choice(best[1], why, Trust.CERTAIN if best[0] > 5 else Trust.LIKELY)


def _is_called_like(column: Column, outputs: Outputs) -> bool:
    if not column.is_scalar or set(_numerals(column)) != _YES_OR_NO:
        return False
    stems = {word[:_STEM] for choice in outputs.columns for word in choice.column.words} - _GENERIC
    return any(word[:_STEM] in stems for word in column.words if len(word) >= _STEM)


def _numerals(column: Column) -> Sequence[float]:
    """Return the values as numbers, true as 1; none where one is something else."""
    if column.is_boolean:
        return [float(value) for value in column.present]
    return [] if column.numbers is None else column.numbers.tolist()


def _best(made: list[tuple[int, Column, str]]) -> Choice:
    bid, column, why = max(made, key=lambda one: (one[0], -len(one[1].path)))
    return Choice(column, why, Trust.CERTAIN if bid >= 6 else Trust.LIKELY if bid > _LEAST else Trust.GUESS)


def _resolve(fields: dict[str, Choice]) -> dict[str, Choice]:
    """Keep either a class and its score or a value: whichever the better name says."""
    order = {Trust.CERTAIN: 0, Trust.LIKELY: 1, Trust.GUESS: 2}
    best = min(fields, key=lambda field: (order[fields[field].trust], field == wire.PREDICTION_VALUE))
    if best == wire.PREDICTION_VALUE:
        return {best: fields[best]}
    return {field: choice for field, choice in fields.items() if field != wire.PREDICTION_VALUE}


def _bid(column: Column) -> tuple[str, int, str]:
    """Return the field that a column would be, its points, and why."""
    numbers = column.numbers
    parent = _PARENT if any(word in words.ANSWERS for level in column.path[:-1] for word in words_of(level)) else 0
    if column.share < _ENOUGH / 2:
        return "", 0, ""
    if numbers is not None and (named := name_points(column, words.SCORE)):
        kind = "numbers from 0 to 1" if column.is_share else "numbers"
        return wire.PREDICTION_SCORE, named + parent, f"named so; {kind}"
    few = column.distinct <= _MOST_CLASSES and (numbers is None or column.is_whole)
    if few and (named := name_points(column, words.CLASS)):
        return wire.PREDICTION_LABEL, named + parent, f"named so; {column.distinct} classes"
    foretold = 5 if column.words[:1] in (("predicted",), ("pred",), ("forecast",), ("estimated",)) else 0
    if numbers is not None and (named := name_points(column, words.VALUE)):
        return wire.PREDICTION_VALUE, max(named + parent - 1, foretold), "named so; numbers"
    named = name_points(column, words.PREDICTED) or foretold
    return _by_values(column, max(named, parent), few=few)


def _by_values(column: Column, named: int, *, few: bool) -> tuple[str, int, str]:
    if not named:
        return "", 0, ""
    if column.is_share:
        return wire.PREDICTION_SCORE, named, "stands where the answer does; numbers from 0 to 1"
    if few and 2 <= column.distinct <= max(2, len(column.present) // 2):
        return wire.PREDICTION_LABEL, named, f"stands where the answer does; {column.distinct} classes"
    if column.numbers is not None:
        return wire.PREDICTION_VALUE, named, "stands where the answer does; numbers"
    return "", 0, ""


def _is_identity(column: Column) -> bool:
    about = name_points(column, words.IDENTIFIER) > 1 or words.points(column.words, words.MODEL | words.VERSION)
    return bool(about) or words.is_surrounding(column)


def _find_shares(columns: Sequence[Column]) -> Path | None:
    """Return the object whose fields are numbers from 0 to 1 that sum to 1 in nearly every row."""
    parents: dict[Path, list[Column]] = {}
    for column in columns:
        if len(column.path) > 1 and column.numbers is not None:
            parents.setdefault(column.path[:-1], []).append(column)
    for path, members in parents.items():
        if len(members) < 2:
            continue
        rows = zip(*(column.values for column in members), strict=True)
        sums = [
            sum(float(value) for value in row if value is not None) for row in rows if any(v is not None for v in row)
        ]
        if sum(abs(total - 1) < 0.02 for total in sums) >= _ENOUGH * len(sums):
            return path
    return None
