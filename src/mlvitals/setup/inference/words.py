"""What fields are called in the logs of real services; points say how much a name tells by itself."""

from collections.abc import Mapping
from typing import Final

from mlvitals.setup.inference.columns import Column, words_of

# Names are compared by their last words, joined: `requestid` is met by request_id, x-request-id and XRequestId.
TIME: Final = {
    "inferencetime": 6,
    "predictiontime": 6,
    "eventtime": 5,
    "timestamp": 5,
    "timestampms": 5,
    "timestampus": 5,
    "timestampns": 5,
    "predictedat": 5,
    "servedat": 5,
    "requesttime": 4,
    "loggingtime": 4,
    "time": 4,
    "datetime": 4,
    "createdat": 4,
    "loggedat": 4,
    "iso8601": 4,
    "msec": 3,
    "ts": 4,
    "at": 3,
    "epoch": 3,
    "date": 1,
}
IDENTIFIER: Final = {
    "predictionid": 7,
    "inferenceid": 7,
    "requestid": 6,
    "correlationid": 6,
    "transactionid": 5,
    "eventid": 5,
    "callid": 5,
    "traceid": 4,
    "messageid": 4,
    "uuid": 4,
    "guid": 4,
    "id": 3,
    "rid": 4,
    "reqid": 5,
    "uid": 4,
    "key": 1,
}
MODEL: Final = {
    "modelname": 7,
    "modelid": 6,
    "model": 5,
    "deployedmodelid": 5,
    "inferenceservicename": 5,
    "endpointname": 3,
}
VERSION: Final = {"modelversion": 7, "modelver": 6, "modelrevision": 5, "version": 3, "ver": 3}
LATENCY: Final = {
    "latency": 6,
    "elapsed": 5,
    "duration": 5,
    "executiontime": 5,
    "executionduration": 5,
    "responsetime": 5,
    "processingtime": 5,
    "elapsedtime": 5,
    "inferencetime": 4,
    "requesttime": 4,
    "timetaken": 4,
    "took": 4,
    "runtime": 3,
}
# Whole names of what was timed, which tell a latency only where a unit of time follows: `response_ms`.
TIMED: Final = {
    "response": 5,
    "processing": 5,
    "inference": 5,
    "prediction": 4,
    "predict": 4,
    "infer": 4,
    "scoring": 4,
    "serving": 4,
    "request": 4,
    "rt": 4,
    "time": 3,
    "total": 3,
    "wall": 3,
}
ERROR: Final = {"error": 5, "errormessage": 5, "exception": 4, "errorcode": 4, "errortype": 4}
TRUTH: Final = {
    "groundtruth": 7,
    "truelabel": 7,
    "ytrue": 7,
    "actual": 6,
    "truth": 6,
    "observed": 5,
    "outcome": 5,
    "target": 5,
    "label": 4,
    "class": 2,
    "value": 2,
    "result": 2,
}
WEIGHT: Final = {"samplingfraction": 6, "samplingrate": 6, "samplerate": 6}

SCORE: Final = {
    "score": 6,
    "probability": 7,
    "prob": 6,
    "proba": 6,
    "confidence": 5,
    "likelihood": 5,
    "risk": 4,
    "p": 3,
}
CLASS: Final = {
    "predictedlabel": 7,
    "predictedclass": 7,
    "class": 5,
    "label": 5,
    "decision": 5,
    "category": 4,
    "verdict": 4,
    "approved": 4,
    "flagged": 4,
}
VALUE: Final = {"estimate": 6, "forecast": 6, "value": 4, "price": 2}
PREDICTED: Final = {
    "yhat": 6,
    "ypred": 6,
    "prediction": 6,
    "predictions": 6,
    "pred": 6,
    "output": 4,
    "outputs": 4,
    "responsepayload": 4,
    "responsebody": 4,
    "response": 4,
    "answer": 4,
    "result": 2,
}

# Objects and arrays that hold what a model was given.
FEATURES: Final = {
    "features": 8,
    "feature": 8,
    "instances": 8,
    "dataframerecords": 8,
    "inputs": 7,
    "featurevalues": 8,
    "modelinput": 8,
    "input": 6,
    "instance": 6,
    "predictors": 6,
    "payload": 5,
    "attributes": 5,
    "arguments": 4,
    "params": 4,
    "parameters": 3,
    "data": 5,
    "rows": 5,
    "row": 5,
    "record": 4,
    "vars": 4,
    "x": 4,
    "in": 4,
    "request": 2,
    "body": 2,
}
# Objects that hold what a model answered.
ANSWERS: Final = frozenset(
    {
        "prediction",
        "predictions",
        "output",
        "outputs",
        "response",
        "result",
        "results",
        "answer",
        "scores",
        "out",
        "reply",
    }
)
# What a program says of itself and its caller: never features, and nothing that a model is judged by.
SURROUNDINGS: Final = frozenset(
    {
        "agent",
        "caller",
        "client",
        "cloud",
        "container",
        "ecs",
        "env",
        "environment",
        "event",
        "headers",
        "host",
        "hostname",
        "http",
        "kubernetes",
        "level",
        "line",
        "file",
        "offset",
        "logger",
        "meta",
        "metadata",
        "method",
        "model",
        "namespace",
        "node",
        "path",
        "pid",
        "pod",
        "process",
        "referer",
        "remote",
        "schema",
        "sampling",
        "server",
        "service",
        "severity",
        "source",
        "span",
        "specversion",
        "status",
        "thread",
        "trace",
        "type",
        "uri",
        "url",
        "version",
    }
)


def points(words: tuple[str, ...], names: Mapping[str, int]) -> int:
    """Return the points of the longest run of last words that is one of the names; 0 where none is."""
    for start in range(len(words)):
        found = names.get("".join(words[start:]))
        if found is not None:
            return found
    return 0


def name_points(column: Column, names: Mapping[str, int]) -> int:
    """Return the points of a column's name, its parent's words before its own where its own say too little."""
    own = points(column.words, names)
    if len(column.path) < 2:
        return own
    return max(own, points((*words_of(column.path[-2]), *column.words), names))


def is_surrounding(column: Column) -> bool:
    """Tell whether a column's name says that it is about the program, not about what it predicted."""
    return any(word in SURROUNDINGS for level in column.path[-2:] for word in words_of(level))
