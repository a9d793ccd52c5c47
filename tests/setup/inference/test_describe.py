"""Which field is what, in logs of many shapes."""

import json

import pytest

from mlvitals.setup.inference.parts import find_parts


def test_the_columns_beside_a_split_frame_name_its_positions(mapped, rows):
    records = [
        {
            "request_time": rows.iso(index),
            "status_code": 200 if index % 20 else 500,
            "request": json.dumps(
                {
                    "dataframe_split": {
                        "columns": ["age", "region"],
                        "data": [[index % 60, "ab"[index % 2]]] * (1 + index % 3),
                    }
                }
            ),
            "response": json.dumps({"predictions": [rows.share() * 99] * (1 + index % 3)}) if index % 20 else None,
        }
        for index in range(200)
    ]
    found = mapped(records).format
    assert found["names"] == {"request.dataframe_split.data": ["age", "region"]}
    assert found["rows"] == ["request.dataframe_split.data", "response.predictions"]
    assert found["map"]["prediction.value"] == "response.predictions"
    assert found["failed"] == {"status_code": ">=400"}


def test_arrays_of_json_texts_are_rows(mapped, rows):
    records = [
        {
            "logging_time": rows.iso(index),
            "request_payload": [json.dumps({"x": rows.share(), "colour": "rb"[index % 2]})],
            "response_payload": [json.dumps(rows.share())],
        }
        for index in range(100)
    ]
    found = mapped(records)
    assert found.format["json"] == ["request_payload"]
    assert found.format["map"]["features.*"] == "request_payload.*"
    assert found.format["map"]["prediction.score"] == "response_payload"
    assert set(found.features) == {"x", "colour"}


def test_json_that_a_container_runtime_wrapped_is_opened(mapped, rows):
    said = [
        {"inputs": {"length": rows.share(), "width": rows.share()}, "probability": rows.share(), "rid": rows.id()}
        for _ in range(100)
    ]
    records = [
        {"log": json.dumps(one) + "\n", "stream": "stdout", "time": rows.iso(index)} for index, one in enumerate(said)
    ]
    found = mapped(records).format
    assert found["json"] == ["log"]
    assert found["map"] == {
        "timestamp": "time",
        "prediction_id": "log.rid",
        "prediction.score": "log.probability",
        "features.*": "log.inputs.*",
    }


def test_columns_that_start_alike_are_the_features_without_it(mapped, rows):
    records = [
        {
            "ts": int(rows.time(index).timestamp() * 1000),
            "host": "h1",
            "region": "eu" if index % 2 else "us",
            "feature_a": rows.share(),
            "feature_city": "xy"[index % 2],
            "pred_class": ["cat", "dog", "owl"][index % 3],
            "confidence": rows.share(),
        }
        for index in range(100)
    ]
    found = mapped(records)
    assert set(found.features) == {"a", "city"}
    assert found.format["units"] == {"timestamp": "ms"}
    assert found.format["map"]["prediction.label"] == "pred_class"
    assert found.format["map"]["prediction.score"] == "confidence"


def test_a_vector_among_features_stays_a_vector(mapped, rows):
    records = [
        {
            "time": rows.iso(index),
            "features": {"embedding": [rows.share() for _ in range(8)], "n": rows.share()},
            "prediction": {"score": rows.share()},
        }
        for index in range(100)
    ]
    found = mapped(records)
    assert "names" not in found.format
    assert set(found.features) == {"n"}


def test_probabilities_by_position_are_named_and_their_largest_tells_the_class(mapped, rows):
    records = [
        {
            "timestamp": rows.iso(index),
            "instances": [[rows.share() for _ in range(4)]],
            "predictions": [[0.25 + (index % 3) / 8, 0.75 - (index % 3) / 8]],
        }
        for index in range(100)
    ]
    found = mapped(records)
    assert found.format["map"]["prediction.probabilities.*"] == "predictions.*"
    assert found.format["names"]["predictions"] == ["output0", "output1"]
    assert not any("class" in what for what in found.missing)
    assert found.positional


def test_names_that_are_given_name_positions_behind_one_of_the_label(mapped, rows):
    records = [
        {"timestamp": rows.iso(index), "instances": [[rows.share(), rows.share()]], "predictions": [rows.share()]}
        for index in range(100)
    ]
    for names in (["a", "b"], ["truth", "a", "b"]):
        assert mapped(records, names).format["names"] == {"instances": ["a", "b"]}


def test_a_number_of_days_is_no_time_and_a_duration_is_no_date(mapped, rows):
    records = [
        {
            "at": rows.iso(index),
            "features": {"time": index, "n": rows.share()},
            "request_time": 0.01 + index / 1e4,
            "score": rows.share(),
        }
        for index in range(100)
    ]
    found = mapped(records).format
    assert found["map"]["timestamp"] == "at"
    assert found["map"]["latency_ms"] == "request_time"
    assert found["units"] == {"latency_ms": "s"}


@pytest.mark.parametrize(
    ("name", "value", "unit"),
    [("latency_us", 800, "us"), ("duration_seconds", 0.2, "s"), ("elapsedNanos", 10**6, "ns"), ("took_ms", 12, None)],
)
def test_the_unit_of_latency_is_read_from_its_name(mapped, rows, name, value, unit):
    records = [
        {"time": rows.iso(index), "features": {"n": rows.share()}, "score": rows.share(), name: value + index}
        for index in range(100)
    ]
    found = mapped(records).format
    assert found["map"]["latency_ms"] == name
    assert found.get("units", {}).get("latency_ms") == unit


@pytest.mark.parametrize(
    ("name", "value", "unit"),
    [
        ("response_ms", 40, None),
        ("processingUs", 900, "us"),
        ("duration_s", 0.2, "s"),
        ("rt_ms", 12, None),
        ("elapsed", 0.2, "s"),
        ("elapsed_time", 30, None),
        ("timeTaken", 0.3, "s"),
    ],
)
def test_how_long_an_answer_took_is_no_feature_of_a_flat_record(mapped, rows, name, value, unit):
    found = mapped(flat_records(rows, name, value)).format
    assert found["map"]["latency_ms"] == name
    assert found.get("units", {}).get("latency_ms") == unit
    assert sorted(field for field in found["map"] if field.startswith("features.")) == ["features.age", "features.n"]


@pytest.mark.parametrize(("name", "value"), [("visit_duration_s", 4_000), ("lead_time_ms", 12), ("response_days", 3)])
def test_what_no_answer_takes_is_a_feature(mapped, rows, name, value):
    found = mapped(flat_records(rows, name, value)).format["map"]
    assert "latency_ms" not in found
    assert found[f"features.{name}"] == name


def test_a_duration_among_the_features_is_one_of_them(mapped, rows):
    records = [
        {"time": rows.iso(index), "features": {"n": rows.share(), "response_ms": index}, "score": rows.share()}
        for index in range(100)
    ]
    found = mapped(records)
    assert "latency_ms" not in found.format["map"]
    assert "response_ms" in found.features


def flat_records(rows, name, value):
    return [
        {"time": rows.iso(index), "age": index % 50, "n": 9 * rows.share(), "score": rows.share(), name: value + spent}
        for index, spent in ((index, index % 7 * value / 10) for index in range(100))
    ]


def test_times_without_a_zone_are_taken_as_utc_and_it_is_told(mapped, rows):
    records = [
        {"time": rows.iso(index).removesuffix("+00:00"), "features": {"n": rows.share()}, "score": rows.share()}
        for index in range(100)
    ]
    found = mapped(records)
    assert found.format["zone"] == "UTC"
    assert any("zone" in what for what in found.missing)


@pytest.mark.parametrize("name", ["schema_version", "specversion", "agent_version", "event_version"])
def test_the_version_of_something_else_is_not_the_models(mapped, rows, name):
    records = [
        {"time": rows.iso(index), "features": {"n": rows.share()}, "score": rows.share(), name: "1.0"}
        for index in range(50)
    ]
    assert "model_version" not in mapped(records).format["map"]


def test_truth_without_ids_is_left_out_and_told(mapped, rows):
    records = [
        {"time": rows.iso(index), "features": {"n": rows.share()}, "score": rows.share(), "actual": index % 2}
        for index in range(50)
    ]
    found = mapped(records)
    assert "label" not in found.format["map"]
    assert any("id" in what for what in found.missing)


@pytest.mark.parametrize(
    ("name", "taken"), [("churned", True), ("is_churn", True), ("contract", False), ("scored", False)]
)
def test_yes_or_no_called_like_the_prediction_is_the_truth(mapped, rows, name, taken):
    records = [
        {
            "time": rows.iso(index),
            "id": rows.id(),
            "spend": rows.share() * 9,
            "churn_probability": rows.share(),
            name: index % 3 == 0,
        }
        for index in range(60)
    ]
    found = mapped(records)
    assert (found.format["map"].get("label") == name) is taken
    assert (name in found.features) is not taken


@pytest.mark.parametrize(
    "record",
    [
        {"level": "info", "message": "started", "pid": 7},
        {"time": "2026-03-01T00:00:00Z", "user": "u", "clicks": 3},
        {"http": {"status": 200, "path": "/"}, "host": "h"},
    ],
)
def test_a_log_without_predictions_is_none(record):
    assert find_parts([{**record, "n": index} for index in range(50)]) is None


def test_what_a_flat_log_says_of_its_program_is_left_out_and_told(mapped, rows):
    records = [
        {"time": rows.iso(index), "host": f"h{index % 3}", "dist": "v1", "n": rows.share(), "score": rows.share()}
        for index in range(50)
    ]
    found = mapped(records)
    assert set(found.features) == {"n"}
    [left] = [one for one in found.findings if one.field == "left out"]
    assert left.place == "host, dist"


def test_rows_in_an_array_of_any_name_are_found_by_what_they_hold(mapped, rows):
    def row(index):
        return {
            "row_id": rows.id(),
            "input": {"age": index % 50, "plan": "ab"[index % 2]},
            "output": {"pd": rows.share()},
        }

    found = mapped([{"ts": 1772359927 + index, "job": {"items": [row(index), row(index + 1)]}} for index in range(200)])
    assert found.format["rows"] == ["job.items"]
    assert found.format["map"]["prediction.score"] == "job.items.output.pd"
    assert found.format["map"]["features.*"] == "job.items.input.*"


def test_what_is_called_predicted_is_the_prediction_whatever_follows(mapped, rows):
    records = [
        {"time": rows.iso(index), "id": rows.id(), "sqm": index % 90 + 0.5, "predicted_price": 1e5 + 37.5 * index}
        for index in range(300)
    ]
    assert mapped(records).format["map"]["prediction.value"] == "predicted_price"


def test_requests_that_failed_without_an_answer_are_counted_as_such(mapped, rows):
    records = [
        {
            "time": rows.iso(index),
            "request_id": rows.id(),
            "amount": index % 70 + 0.5,
            "score": None if index % 20 == 0 else rows.share(),
            "status": 503 if index % 20 == 0 else 200,
        }
        for index in range(400)
    ]
    found = mapped(records)
    assert "where" not in found.format
    assert found.format["failed"] == {"status": ">=400"}
