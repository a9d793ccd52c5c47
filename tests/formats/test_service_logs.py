"""Logs as services write them, read by mappings as their teams would write them."""

import json
from typing import Any

import msgspec
import pytest

from mlvitals.formats import DecodePlan, JsonFormat

# FastAPI with structlog: other lines of the same program, and of others, stand between.
STRUCTLOG = b"""\
INFO:     Uvicorn running on http://0.0.0.0:8080 (Press CTRL+C to quit)
{"event":"startup","level":"info","timestamp":"2026-03-01T10:00:00.000001Z"}
{"event":"scored","level":"info","timestamp":"2026-03-01T10:12:07.120455Z","request_id":"r-1","model":{"name":"churn","version":"3"},"features":{"tenure":12,"plan":"basic","usage":{"day":1.5}},"output":{"probability":0.71,"label":"stay"},"duration_s":0.0081}
{"event":"request","level":"info","timestamp":"2026-03-01T10:12:07.2Z","path":"/score","status":200}
{"event":"scored","level":"error","timestamp":"2026-03-01T10:12:08.000000Z","request_id":"r-2","model":{"name":"churn","version":"3"},"features":{"tenure":3,"plan":"pro","usage":{"day":null}},"exception":"ValueError: plan","duration_s":0.002}
Traceback (most recent call last):
"""  # noqa: E501  # as it is written

# Spring with logback in ECS: the event is JSON inside `message`; other messages are plain sentences.
ECS = b"""\
{"@timestamp":"2026-03-01T10:12:07.120Z","log.level":"INFO","message":"Started ScoringApplication in 2.1 seconds","ecs.version":"1.2.0","log.logger":"com.acme.App"}
{"@timestamp":"2026-03-01T10:12:08.001+01:00","log.level":"INFO","message":"{\\"type\\":\\"prediction\\",\\"id\\":\\"a1\\",\\"in\\":{\\"amount\\":12.5,\\"channel\\":\\"web\\"},\\"score\\":\\"0.03\\",\\"decision\\":0,\\"tookNanos\\":8100000}","ecs.version":"1.2.0","log.logger":"com.acme.Scoring","labels":{"model_version":7}}
{"@timestamp":"2026-03-01T10:12:09.5Z","log.level":"INFO","message":"{\\"type\\":\\"feedback\\",\\"id\\":\\"a1\\",\\"truth\\":1}","log.logger":"com.acme.Scoring"}
"""  # noqa: E501  # as it is written

# nginx: `log_format … escape=json`, the bodies as text, the time with milliseconds since the epoch.
NGINX = b"""\
{"msec":"1772359927.120","request":"POST /v1/models/churn:predict HTTP/1.1","status":"200","request_time":"0.012","request_id":"n1","request_body":"{\\"instances\\":[[12,\\"basic\\"],[3,\\"pro\\"]]}","response_body":"{\\"predictions\\":[[0.9,0.1],[0.2,0.8]]}"}
{"msec":"1772359928.000","request":"GET /health HTTP/1.1","status":"200","request_time":"0.000","request_id":"n2","request_body":"","response_body":"ok"}
{"msec":"1772359929.000","request":"POST /v1/models/churn:predict HTTP/1.1","status":"502","request_time":"1.000","request_id":"n3","request_body":"{\\"instances\\":[[1,\\"basic\\"]]}","response_body":"<html>502 Bad Gateway</html>"}
"""  # noqa: E501  # as it is written

# MLServer: the Open Inference Protocol (V2), one tensor for each column, of different types.
MLSERVER = b"""\
{"time":1772359927120,"id":"m1","request":{"inputs":[{"name":"age","shape":[2,1],"datatype":"FP64","data":[54.0,35.5]},{"name":"plan","shape":[2,1],"datatype":"BYTES","data":["basic","pro"]}]},"response":{"model_name":"churn","model_version":"v2","outputs":[{"name":"predict","shape":[2,1],"datatype":"INT64","data":[1,0]},{"name":"predict_proba","shape":[2,2],"datatype":"FP64","data":[0.2,0.8,0.7,0.3]}]}}
"""  # as it is written

Case = tuple[bytes, dict[str, Any], dict[str, int], list[dict[str, str]]]
CASES: dict[str, Case] = {
    "structlog": (
        STRUCTLOG,
        {
            "where": {"event": "scored"},
            "map": {
                "timestamp": "timestamp",
                "prediction_id": "request_id",
                "model": "model.name",
                "model_version": "model.version",
                "features.*": "features.*",
                "prediction.score": "output.probability",
                "prediction.label": "output.label",
                "latency_ms": "duration_s",
                "error": "exception",
            },
            "units": {"latency_ms": "s"},
        },
        {"parsed": 2, "skipped": 4},
        [
            {"timestamp": "2026-03-01T10:12:07.120455+00:00", "prediction_id": "r-1", "features.usage.day": "1.5"}
            | {"prediction.label": "stay", "latency_ms": "8.1", "features.tenure": "12", "model_version": "3"},
            {"prediction_id": "r-2", "error": "ValueError: plan", "features.plan": "pro"},
        ],
    ),
    "ecs": (
        ECS,
        {
            "json": ["message"],
            "where": {"message.type": ["prediction", "feedback"]},
            "map": {
                "timestamp": "@timestamp",
                "prediction_id": "message.id",
                "model_version": "labels.model_version",
                "features.*": "message.in.*",
                "prediction.score": "message.score",
                "prediction.label": "message.decision",
                "latency_ms": "message.tookNanos",
                "label": "message.truth",
            },
            "units": {"latency_ms": "ns"},
        },
        {"parsed": 2, "skipped": 1},
        [
            {"timestamp": "2026-03-01T09:12:08.001000+00:00", "prediction_id": "a1", "features.channel": "web"}
            | {"prediction.score": "0.03", "prediction.label": "0", "latency_ms": "8.1", "model_version": "7"}
        ],
    ),
    "nginx": (
        NGINX,
        {
            "json": ["request_body", "response_body"],
            "where": {"request": "POST /v1/models/churn:predict HTTP/1.1"},
            "rows": ["request_body.instances", "response_body.predictions"],
            "names": {"request_body.instances": ["tenure", "plan"]},
            "map": {
                "timestamp": "msec",
                "prediction_id": "request_id",
                "features.*": "request_body.instances.*",
                "prediction.score": "response_body.predictions[1]",
                "latency_ms": "request_time",
            },
            "units": {"timestamp": "s", "latency_ms": "s"},
            "failed": {"status": ">=400"},
        },
        {"parsed": 3, "skipped": 1},
        [
            {"timestamp": "2026-03-01T10:12:07.120000+00:00", "prediction_id": "n1#0", "features.plan": "basic"}
            | {"prediction.score": "0.1", "latency_ms": "12", "features.tenure": "12"},
            {"prediction_id": "n1#1", "features.plan": "pro", "prediction.score": "0.8"},
            {"prediction_id": "n3", "features.tenure": "1", "error": "status 502", "latency_ms": "1000"},
        ],
    ),
    "mlserver": (
        MLSERVER,
        {
            "keyed": {"request.inputs": "name", "response.outputs": "name"},
            "rows": ["request.inputs.*.data", "response.outputs.*.data"],
            "names": {"response.outputs.predict_proba.data": ["no", "yes"]},
            "map": {
                "timestamp": "time",
                "prediction_id": "id",
                "model": "response.model_name",
                "model_version": "response.model_version",
                "features.*": "request.inputs.*.data",
                "prediction.label": "response.outputs.predict.data",
                "prediction.score": "response.outputs.predict_proba.data.yes",
            },
            "units": {"timestamp": "ms"},
        },
        {"parsed": 2},
        [
            {"prediction_id": "m1#0", "features.age": "54", "features.plan": "basic", "prediction.score": "0.8"},
            {"prediction_id": "m1#1", "features.age": "35.5", "prediction.label": "0", "model_version": "v2"},
        ],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_log_of_a_service_is_read_as_its_team_means_it(decode, content, name):
    log, mapping, dispositions, rows = CASES[name]
    batch = decode(msgspec.convert({"type": "json", **mapping}, JsonFormat).open(DecodePlan(model="churn")), log)
    said = content(batch)
    assert said.dispositions == dispositions
    assert len(said.predictions) == len(rows)
    for row, expected in zip(said.predictions, rows, strict=True):
        assert row["model"] == "churn"
        assert {key: row.get(key) for key in expected} == expected


def test_a_line_may_carry_a_label_of_an_earlier_one(decode, content):
    log, mapping, *_ = CASES["ecs"]
    said = content(
        decode(msgspec.convert({"type": "json", **mapping}, JsonFormat).open(DecodePlan(model="churn")), log)
    )
    assert said.labels == [
        {"timestamp": "2026-03-01T10:12:09.500000+00:00", "model": "churn", "prediction_id": "a1", "label": "1"}
    ]


def test_each_line_reads_alike_among_a_thousand(decode, content):
    for name, (log, mapping, *_) in CASES.items():
        opened = msgspec.convert({"type": "json", **mapping}, JsonFormat).open(DecodePlan(model="churn"))
        once = content(decode(opened, log))
        many = content(decode(opened, log * 200))
        assert many.predictions == once.predictions * 200, name
        assert many.labels == once.labels * 200, name


def refused(**mapping):
    base = {"type": "json", "map": {"timestamp": "t", "prediction.score": "p"}}
    with pytest.raises(msgspec.ValidationError) as error:
        msgspec.convert(base | mapping, JsonFormat)
    return str(error.value)


def test_what_cannot_be_meant_is_refused_with_its_reason():
    assert "`map` must say" in refused(map={})
    assert "`age` is no field of native events (a feature is called `features.age`)" in refused(map={"age": "a"})
    assert "`a..b` is not a path" in refused(map={"timestamp": "a..b"})
    assert "`*` must stand on both sides" in refused(map={"features.*": "a.b"})
    assert "`*` must stand on both sides" in refused(map={"features.a": "a.*"})
    assert "must be one field with one value" in refused(constants={"features.*": 1})
    assert "the unit of `latency_ms` is one of" in refused(units={"latency_ms": "rate"})
    assert "`amount` has no unit" in refused(units={"amount": "s"})
    assert "must not stand inside one another" in refused(rows=["a", "a.b"])
    assert "differs from row to row" in refused(rows=["a"], where={"a.b": 1})
    assert "compares with no number" in refused(failed={"status": ">=many"})
    assert "needs names for its positions" in refused(names={"a": ["x", "x"]})
    assert "cannot be opened" in refused(rows=["a"], json=["a.b"])
    assert "is not a zone" in refused(zone="Mars/Base")
    assert "is told" in refused(join={})
    assert "longer than nothing" in refused(join={"request": {"a": 1}, "within": "0s"})


HOSTILE = {
    "half a line": (b'{"t":1,"p":', "not JSON"),
    "not UTF-8": (b'{"t":1,"p":1,"x":"\xff"}', "not UTF-8"),
    "deep": (b'{"t":1,"p":1,"x":' + b"[" * 5_000 + b"]" * 5_000 + b"}", "the JSON nests too deeply"),
    "twice": (b'{"t":1,"p":1,"p":2}', "a key stands twice in one object"),
    "lengths": (b'{"t":1,"r":[1,2],"q":[1]}', "the arrays of `rows` hold 1 and 2 elements"),
    "names": (b'{"t":1,"s":[[1,2,3]]}', "`s` does not hold 2 values for its 2 names"),
    "inner": (b'{"t":1,"p":1,"j":"{]"}', "`j` is not JSON"),
    "csv": (b'{"t":1,"p":1,"c":"1,2\\n3"}', "`c` is no CSV of 2 columns"),
    "year": (b'{"t":9e99,"p":1}', "the time is outside the years 1 to 9999"),
    "time": (b'{"t":{},"p":1}', "the time is not text"),
    "number": (b'{"t":1,"p":"high"}', "prediction.score is not a number"),
    "nothing": (b'{"t":1}', "neither a kind of event, nor a prediction, nor a label"),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("company", [0, 400])
def test_a_bad_line_loses_itself_only(decode, name, company):
    bad, reason = HOSTILE[name]
    mapping = {
        "json": ["j"],
        "csv": {"c": ["a", "b"]},
        "rows": ["r", "s", "q"],
        "names": {"s": ["a", "b"]},
        "map": {"timestamp": "t", "prediction.score": ["p", "r"], "features.a": ["s.a", "c.a"], "features.j": "j.x"},
        "units": {"timestamp": "s"},
    }
    good = json.dumps({"t": 1, "p": 0.5, "extra": "…"}).encode() + b"\n"
    opened = msgspec.convert({"type": "json", **mapping}, JsonFormat).open(DecodePlan(model="m", ids=False))
    account = decode(opened, good * company + bad + b"\n" + good * company).account
    assert (account.parsed, account.unparseable) == (2 * company, 1)
    assert account.examples == (f"events:{company + 1}: {reason}",)


def test_a_line_of_a_million_rows_is_read(decode):
    mapping = {"rows": ["p"], "map": {"timestamp": "t", "prediction.score": "p", "prediction_id": "id"}}
    opened = msgspec.convert({"type": "json", **mapping}, JsonFormat).open(DecodePlan(model="m"))
    line = b'{"t":"2026-03-01T00:00:00Z","id":"big","p":[' + b",".join([b"0.5"] * 1_000_000) + b"]}\n"
    batch = decode(opened, line)
    assert batch.account.parsed == batch.predictions.num_rows == 1_000_000
    assert batch.predictions["prediction_id"][999_999].as_py() == "big#999999"
