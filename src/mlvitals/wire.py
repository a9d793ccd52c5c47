"""Field names of native events, flattened by a dot: the one spelling in JSON, Parquet, CSV and our own columns."""

EVENT = "event"
EVENT_PREDICTION = "prediction"
EVENT_LABEL = "label"
EVENT_CHANGE = "change"

# The halves of a prediction whose request and response are logged apart; no native event is called so.
EVENT_REQUEST = "request"
EVENT_RESPONSE = "response"
DEADLINE = "deadline"
RESPONDED = "responded"

TIMESTAMP = "timestamp"
MODEL = "model"
MODEL_VERSION = "model_version"
PREDICTION_ID = "prediction_id"

FEATURES = "features"
FEATURE_PREFIX = "features."

PREDICTION = "prediction"
PREDICTION_LABEL = "prediction.label"
PREDICTION_SCORE = "prediction.score"
PREDICTION_VALUE = "prediction.value"
PREDICTION_PROBABILITIES = "prediction.probabilities"
PROBABILITY_PREFIX = "prediction.probabilities."
PREDICTION_RANKING = "prediction.ranking"

LATENCY_MS = "latency_ms"
ERROR = "error"
WEIGHT = "weight"
AMOUNT = "amount"
PROPENSITY = "propensity"

LABEL = "label"
RELEVANCE = "relevance"
LABEL_TIMESTAMP = "label_timestamp"
LABEL_AMOUNT = "label_amount"
LABEL_VERSION = "version"

KIND = "kind"
TEXT = "text"
