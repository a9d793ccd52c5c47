"""Which columns of a file with flattened names a plan needs."""

from collections.abc import Sequence
from typing import Final

from mlvitals import wire
from mlvitals.events.names import escape
from mlvitals.formats.base import DecodePlan
from mlvitals.formats.fieldmap import FieldMap
from mlvitals.formats.paths import ANY

_ALWAYS: Final = {wire.EVENT, wire.TIMESTAMP, wire.MODEL, wire.MODEL_VERSION, wire.AMOUNT, wire.KIND, wire.TEXT}
_OF_PREDICTIONS: Final = {wire.LATENCY_MS, wire.WEIGHT, wire.PROPENSITY}
# They also tell a prediction from a label where no column `event` does.
_OF_KIND: Final = {wire.PREDICTION_LABEL, wire.PREDICTION_SCORE, wire.PREDICTION_VALUE, wire.PREDICTION, wire.ERROR}
_OF_LABELS: Final = {wire.LABEL_TIMESTAMP, wire.LABEL_AMOUNT, wire.LABEL_VERSION}

NO_NATIVE_COLUMN: Final = "holds no column of a native event, like `timestamp` or `features.…`"
NO_MAPPED_COLUMN: Final = "holds no column that `map` names"


def wanted_columns(names: Sequence[str], plan: DecodePlan) -> list[str]:
    """Return the columns that the plan needs, in the file's order."""
    known = _ALWAYS | _OF_KIND | {wire.LABEL, wire.RELEVANCE}
    if plan.ids:
        known = known | {wire.PREDICTION_ID}
    if plan.predictions:
        known = known | _OF_PREDICTIONS
    if plan.labels:
        known = known | _OF_LABELS
    return [
        name
        for name in names
        if name in known
        or name.startswith((wire.PREDICTION_PROBABILITIES, wire.PREDICTION_RANKING))
        or (plan.predictions and _is_wanted_feature(name, plan))
    ]


def _is_wanted_feature(name: str, plan: DecodePlan) -> bool:
    if name == wire.FEATURES:
        return True
    if not name.startswith(wire.FEATURE_PREFIX):
        return False
    return plan.features is None or name.removeprefix(wire.FEATURE_PREFIX) in plan.features


def mapped_columns(names: Sequence[str], fields: FieldMap, plan: DecodePlan) -> list[str]:
    """Return the columns that a mapping looks at, in the file's order; a wildcard takes those that the plan wants."""
    firsts = {path[0] for path in (*fields.values(), *fields.structures())}
    if ANY not in firsts:
        return [name for name in names if name in firsts]
    if plan.features is None:
        return list(names)
    return [name for name in names if name in firsts or escape(name) in plan.features]
