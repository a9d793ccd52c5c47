import json

import msgspec
import pytest

from mlvitals.signals.measurement import Measurement
from mlvitals.signals.spec import Export, Layer, MetricSpec, Orientation, Stage, Status
from mlvitals.telemetry import BODY_BYTES, WINDOW_CLOSED, LogRecord, MetricPoint, Service, render

START = 1_600_000_000_000_000
STAMP = START + 3_600_000_000
SERVICE = Service(name="fraud-monitoring", environment="prod", tags={"team": "risk"}, owner="risk-ml")


def spec(name, level):
    return MetricSpec(
        name=name,
        unit="{sd}",
        brief=f"What {name} says.",
        layer=Layer.DATA,
        stage=Stage.WINDOW,
        orientation=Orientation.NEITHER,
        level=level,
    )


SPECS = {name: spec(name, Export(name.rpartition(".")[2])) for name in ("m.lean", "m.standard", "m.full")}


def measurement(signal="m.lean", **fields):
    given = {
        "signal": signal,
        "value": 1.5,
        "unit": "{sd}",
        "model": "card-fraud",
        "model_version": "7",
        "environment": "prod",
        "window_start": "2020-09-13T12:26:40Z",
        "window_end": "2020-09-13T13:26:40Z",
        "attributes": {"feature": "amount"},
        "samples": 100,
        "reference_samples": None,
        "lower": 1.0,
        "upper": 2.0,
        "status": Status.OK,
        "threshold": None,
        "evidence": {"median": 3.0},
        "revision": 0,
        "reference_hash": "ab",
    }
    return Measurement(**(given | fields))


def rendered(
    measurements, level=Export.LEAN, *, revised=False, service=SERVICE
) -> tuple[list[MetricPoint], list[LogRecord]]:
    return render(measurements, stamp=STAMP, start=START, level=level, specs=SPECS, service=service, revised=revised)


def test_a_point_carries_the_measurement_and_the_stamps():
    points, _ = rendered([measurement()])
    attributes = {"model": "card-fraud", "model_version": "7", "environment": "prod", "feature": "amount"}
    assert points == [
        MetricPoint(name="m.lean", unit="{sd}", value=1.5, time=STAMP, start=START, attributes=attributes)
    ]


@pytest.mark.parametrize(
    ("level", "names"),
    [
        (Export.LEAN, {"m.lean"}),
        (Export.STANDARD, {"m.lean", "m.standard"}),
        (Export.FULL, {"m.lean", "m.standard", "m.full"}),
    ],
)
def test_points_obey_the_export_level_and_documents_do_not(level, names):
    points, logs = rendered([measurement(name) for name in SPECS], level)
    assert {point.name for point in points} == names
    assert [document["signal"] for document in logs[0].body["measurements"]] == list(SPECS)


def test_level_full_adds_the_interval_as_bounds():
    points, _ = rendered([measurement(), measurement("m.full", lower=None, upper=None)], Export.FULL)
    assert [(point.name, point.attributes.get("bound"), point.value) for point in points] == [
        ("m.lean", None, 1.5),
        ("m.lean", "lower", 1.0),
        ("m.lean", "upper", 2.0),
        ("m.full", None, 1.5),
    ]


def test_a_measurement_without_a_value_is_a_document_and_no_point():
    points, logs = rendered([measurement(value=None, status=Status.NO_DATA, lower=None, upper=None)])
    assert points == []
    assert logs[0].body["measurements"][0]["status"] == "no_data"


def test_a_zero_is_a_value():
    points, _ = rendered([measurement(value=0.0, lower=0.0)], Export.FULL)
    assert [point.value for point in points] == [0.0, 0.0, 2.0]


def test_a_revision_is_a_document_and_no_point():
    points, logs = rendered([measurement(revision=2)], revised=True)
    assert points == []
    assert logs[0].body["measurements"][0]["revision"] == 2


def test_a_document_is_the_whole_measurement():
    one = measurement()
    _, logs = rendered([one])
    document = logs[0].body["measurements"][0]
    assert msgspec.convert(document, Measurement) == one
    assert json.loads(json.dumps(document)) == document


def test_there_is_one_record_for_each_version_and_window():
    odd = measurement(model_version="8"), measurement(), measurement(model_version="8", value=2.0)
    other = measurement(window_start="2020-09-13T11:26:40Z")
    _, logs = rendered([*odd, other])
    assert [(log.attributes["model_version"], len(log.body["measurements"])) for log in logs] == [
        ("7", 1),
        ("7", 1),
        ("8", 2),
    ]
    assert all(log.event_name == WINDOW_CLOSED and log.time == STAMP for log in logs)
    assert logs[0].attributes == {
        "model": "card-fraud",
        "model_version": "7",
        "environment": "prod",
        "owner": "risk-ml",
    }


def test_a_long_window_is_told_in_several_records_that_fit():
    many = [measurement(attributes={"feature": f"feature_{index:04}"}) for index in range(3_000)]
    _, logs = rendered(many)
    told = [document["attributes"]["feature"] for log in logs for document in log.body["measurements"]]
    assert told == [one.attributes["feature"] for one in many]
    assert len(logs) > 1
    sizes = [len(msgspec.json.encode(log.body["measurements"])) for log in logs]
    assert all(size <= BODY_BYTES for size in sizes)
    assert sum(sizes) > BODY_BYTES * (len(logs) - 1)


def test_nothing_renders_to_nothing():
    assert rendered([]) == ([], [])


def test_a_signal_outside_the_registry_raises():
    with pytest.raises(KeyError, match=r"m\.unheard"):
        rendered([measurement("m.unheard")])
