"""Records that tell what turned out to be true of predictions elsewhere."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mlvitals import wire
from mlvitals.formats.paths import spell_path
from mlvitals.setup.inference import words
from mlvitals.setup.inference.columns import Column, Record, columns_of
from mlvitals.setup.inference.describe import Finding
from mlvitals.setup.inference.lines import find_test, restrict
from mlvitals.setup.inference.roles import Choice, Trust, epoch_unit, find_model, find_time, is_naive, is_time, overlap
from mlvitals.setup.inference.texts import Opened, open_texts
from mlvitals.setup.inference.words import name_points

_LEAST_OVERLAP: Final = 0.05
_IDENTIFYING: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelsFound:
    """How records are read as labels: the keys of their `format`, and why."""

    format: dict[str, Any]
    findings: Sequence[Finding]


def find_labels(
    records: Sequence[Record], ids: Column, *, others: bool = False, several: bool = False
) -> LabelsFound | str:
    """Return how records are read as labels of predictions with these ids, or why they cannot be.

    Args:
        records: of another file, or the lines that are no predictions.
        ids: of the predictions.
        others: the records are mixed with lines that are neither.
        several: there are several models, so that a label must name its own.

    """
    opened = open_texts(records)
    columns = columns_of(opened.records)
    truth = _find_truth(columns.values())
    if truth is None:
        return "no column is called like a truth (`label`, `actual`, `outcome`, …)"
    mask = [value is not None for value in truth.column.values]
    chosen = restrict(columns, mask)
    able = [column for column in chosen.values() if column.is_scalar and column.unique > _IDENTIFYING]
    shared = max(able, key=lambda column: (overlap(ids, column), -len(column.path)), default=None)
    if shared is None or overlap(ids, shared) < _LEAST_OVERLAP:
        return "no column beside the labels holds ids of the predictions in the sample"
    # Where all other lines are labels, no value tells them from each other: having a label tells them from predictions.
    test = (find_test(columns.values(), mask) or None) if others else {}
    time = find_time(chosen.values())
    if time is None:
        return "no column tells when a label became known"
    share = overlap(ids, shared)
    model = find_model(chosen.values())
    if several and model is None:
        return "its labels do not say which of the models they belong to"
    found = {
        wire.TIMESTAMP: time,
        wire.PREDICTION_ID: Choice(shared, f"{share:.0%} of its values are ids of predictions", Trust.CERTAIN),
        wire.LABEL: truth,
        **({wire.MODEL: model} if several and model is not None else {}),
    }
    return _spell(opened, found, test or {}, told=test is not None)


def _spell(opened: Opened, found: dict[str, Choice], test: dict[Any, Any], *, told: bool) -> LabelsFound:
    fields = {name: spell_path(choice.column.path) for name, choice in found.items()}
    document: dict[str, Any] = {}
    if test:
        document["where"] = {spell_path(path): value for path, value in test.items()}
    elif not told:
        document["where"] = {fields[wire.LABEL]: "*"}
    document["map"] = fields
    document["constants"] = {wire.EVENT: wire.EVENT_LABEL}
    time = found[wire.TIMESTAMP]
    if time.unit:
        document["units"] = {wire.TIMESTAMP: time.unit}
    texts = [path for path in opened.json if any(choice.column.path[: len(path)] == path for choice in found.values())]
    if texts:
        document["json"] = [spell_path(path) for path in texts]
    if is_naive(time.column):
        document["zone"] = "UTC"
    findings = [Finding(f"label: {name}", fields[name], choice.why, choice.trust) for name, choice in found.items()]
    return LabelsFound(format=document, findings=findings)


def _find_truth(columns: Iterable[Column]) -> Choice | None:
    best: tuple[int, Column] | None = None
    for column in columns:
        bid = name_points(column, words.TRUTH)
        able = column.is_scalar and not is_time(column) and epoch_unit(column) is None
        if able and bid and (best is None or bid > best[0]):
            best = bid, column
    if best is None:
        return None
    return Choice(best[1], "named so", Trust.CERTAIN if best[0] > 4 else Trust.LIKELY)
