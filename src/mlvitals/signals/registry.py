"""Every signal there is: the only source of names. Adding one is one line here; the contract battery comes with it."""

from collections.abc import Mapping
from typing import Final

from mlvitals.signals.advantage import PERFORMANCE_ADVANTAGE
from mlvitals.signals.alert_count import FEATURE_ALERT_COUNT
from mlvitals.signals.at_risk import COST_AT_RISK
from mlvitals.signals.catalogue import Catalogue
from mlvitals.signals.corrected import PERFORMANCE_CORRECTED
from mlvitals.signals.cost import COST_BEST_THRESHOLD, COST_PER_PREDICTION, COST_REGRET, COST_TOTAL
from mlvitals.signals.delay import LABEL_CONFLICT_RATIO, LABEL_DELAY, LABEL_EARLY_RATIO
from mlvitals.signals.derived import Derived
from mlvitals.signals.downtime import COST_DOWNTIME
from mlvitals.signals.drift_worst import FEATURE_DRIFT_WORST
from mlvitals.signals.estimated import PERFORMANCE_ESTIMATE_ERROR, PERFORMANCE_ESTIMATED
from mlvitals.signals.evidence import (
    COST_EVIDENCE,
    DECISION_SELFCHECK,
    FEATURE_DRIFT_EVIDENCE,
    FEATURE_JOINT_EVIDENCE,
    LABEL_COVERAGE_EVIDENCE,
    LABEL_COVERAGE_EXPECTED,
    PERFORMANCE_EVIDENCE,
    PREDICTION_DRIFT_EVIDENCE,
    PREDICTION_VOLUME_EVIDENCE,
    REQUEST_ERROR_EVIDENCE,
    SEGMENT_EVIDENCE,
)
from mlvitals.signals.feature_drift import (
    FEATURE_DRIFT_LOCATION,
    FEATURE_DRIFT_SCORE,
    FEATURE_DRIFT_SHAPE,
    FEATURE_DRIFT_SPREAD,
    FEATURE_SKEW_LOCATION,
    FEATURE_SKEW_SCORE,
    FEATURE_SKEW_SHAPE,
    FEATURE_SKEW_SPREAD,
)
from mlvitals.signals.label_drift import LABEL_DRIFT_SCORE
from mlvitals.signals.miscalibration import PERFORMANCE_MISCALIBRATION
from mlvitals.signals.performance import PERFORMANCE_CLASS_SCORE, PERFORMANCE_ERROR, PERFORMANCE_SCORE
from mlvitals.signals.prediction_drift import PREDICTION_DRIFT_SCORE, PREDICTION_SKEW_SCORE
from mlvitals.signals.prediction_quantile import PREDICTION_QUANTILE
from mlvitals.signals.quality import (
    FEATURE_INVALID_RATIO,
    FEATURE_MISSING_RATIO,
    FEATURE_OUT_OF_RANGE_RATIO,
    FEATURE_UNSEEN_RATIO,
    FEATURE_ZERO_RATIO,
)
from mlvitals.signals.running import RUNNING
from mlvitals.signals.segment_worst import SEGMENT_WORST
from mlvitals.signals.share import LABEL_COVERAGE_RATIO, PREDICTION_CLASS_RATIO
from mlvitals.signals.signal_status import SIGNAL_STATUS
from mlvitals.signals.spec import MetricSpec, Statistic
from mlvitals.signals.traffic import (
    EVENT_LAG,
    PREDICTION_COUNT,
    PREDICTION_DUPLICATE_RATIO,
    PREDICTION_RATE,
    REQUEST_COUNT,
    REQUEST_ERROR_RATIO,
    REQUEST_LATENCY,
)

# In the order in which one debugs: pipeline, data, model, label, value.
STATISTICS: Final[tuple[Statistic, ...]] = (
    PREDICTION_COUNT,
    PREDICTION_RATE,
    PREDICTION_DUPLICATE_RATIO,
    REQUEST_COUNT,
    REQUEST_ERROR_RATIO,
    REQUEST_LATENCY,
    EVENT_LAG,
    PREDICTION_VOLUME_EVIDENCE,
    REQUEST_ERROR_EVIDENCE,
    DECISION_SELFCHECK,
    FEATURE_MISSING_RATIO,
    FEATURE_UNSEEN_RATIO,
    FEATURE_OUT_OF_RANGE_RATIO,
    FEATURE_INVALID_RATIO,
    FEATURE_ZERO_RATIO,
    FEATURE_DRIFT_LOCATION,
    FEATURE_DRIFT_SPREAD,
    FEATURE_DRIFT_SHAPE,
    FEATURE_DRIFT_SCORE,
    FEATURE_SKEW_LOCATION,
    FEATURE_SKEW_SPREAD,
    FEATURE_SKEW_SHAPE,
    FEATURE_SKEW_SCORE,
    FEATURE_DRIFT_EVIDENCE,
    FEATURE_JOINT_EVIDENCE,
    PREDICTION_CLASS_RATIO,
    PREDICTION_QUANTILE,
    PREDICTION_DRIFT_SCORE,
    PREDICTION_SKEW_SCORE,
    PREDICTION_DRIFT_EVIDENCE,
    PERFORMANCE_SCORE,
    PERFORMANCE_CLASS_SCORE,
    PERFORMANCE_ERROR,
    PERFORMANCE_CORRECTED,
    PERFORMANCE_ESTIMATED,
    PERFORMANCE_ESTIMATE_ERROR,
    PERFORMANCE_MISCALIBRATION,
    PERFORMANCE_ADVANTAGE,
    SEGMENT_WORST,
    SEGMENT_EVIDENCE,
    PERFORMANCE_EVIDENCE,
    LABEL_COVERAGE_RATIO,
    LABEL_COVERAGE_EXPECTED,
    LABEL_COVERAGE_EVIDENCE,
    LABEL_DELAY,
    LABEL_EARLY_RATIO,
    LABEL_CONFLICT_RATIO,
    LABEL_DRIFT_SCORE,
    COST_TOTAL,
    COST_PER_PREDICTION,
    COST_REGRET,
    COST_BEST_THRESHOLD,
    COST_EVIDENCE,
    COST_AT_RISK,
    COST_DOWNTIME,
)

# What follows from the measurements of a window: the state of each family first, as it is looked at first.
DERIVED: Final[tuple[Derived, ...]] = (SIGNAL_STATUS, FEATURE_DRIFT_WORST, FEATURE_ALERT_COUNT)

CATALOGUE: Final = Catalogue(STATISTICS, DERIVED, RUNNING)

REGISTRY: Final[Mapping[str, MetricSpec]] = CATALOGUE.specs


def names() -> tuple[str, ...]:
    """Return the full name of every signal, in registry order: measured, following from it, of the running job."""
    return tuple(REGISTRY)
