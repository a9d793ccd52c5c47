import pytest

from mlvitals.clock import parse_time
from mlvitals.delivery import Outcome, Verdict
from mlvitals.signals.spec import Export
from mlvitals.sinks import LocalSink
from mlvitals.sinks.local import measurements
from mlvitals.telemetry import LogRecord, render


@pytest.fixture
def local(context):
    return LocalSink().open(context)


@pytest.fixture
def keep(local, service, specs):
    """Send measurements as the pipeline does."""

    def keep(*given):
        points, logs = render(given, stamp=10, start=0, level=Export.FULL, specs=specs, service=service)
        (request,) = local.encode(points, logs)
        assert request.items == len(given)
        assert local.send(request) == Outcome(verdict=Verdict.OK)

    return keep


def stored(context, **wanted):
    return list(measurements(context.store, **wanted))


def test_a_measurement_is_read_as_it_was_made(keep, context, measurement):
    one = measurement(value=0.1 + 0.2)
    keep(one)
    assert stored(context) == [one]


def test_sending_twice_changes_nothing(keep, context, measurement):
    keep(measurement(), measurement(attributes={}))
    keep(measurement(), measurement(attributes={}))
    assert len(stored(context)) == 2


def test_only_a_higher_revision_replaces(keep, context, measurement):
    keep(measurement(revision=1, value=1.0))
    keep(measurement(revision=0, value=0.0))
    keep(measurement(revision=1, value=9.0))
    assert [one.value for one in stored(context)] == [1.0]
    keep(measurement(revision=2, value=2.0))
    assert [(one.value, one.revision) for one in stored(context)] == [(2.0, 2)]


@pytest.mark.parametrize(
    "other",
    [
        {"signal": "mlvitals.prediction.count"},
        {"model": "other"},
        {"model_version": "8"},
        {"environment": "test"},
        {"window_start": "2020-09-13T11:26:40Z"},
        {"attributes": {"feature": "amount", "method": "psi"}},
    ],
)
def test_each_part_of_the_identity_makes_another_measurement(keep, context, measurement, other):
    keep(measurement(), measurement(**other))
    assert len(stored(context)) == 2


def test_measurements_come_by_model_version_window_signal_and_attributes(keep, context, measurement):
    ordered = [
        measurement(
            model="a", model_version="2", window_start="1969-12-31T00:00:00Z", window_end="1970-01-01T00:00:00Z"
        ),
        measurement(
            model="a", model_version="2", signal="mlvitals.feature.drift.location", attributes={"feature": "x"}
        ),
        measurement(
            model="a", model_version="2", signal="mlvitals.feature.drift.location", attributes={"feature": "y"}
        ),
        measurement(model="a", model_version="2", signal="mlvitals.prediction.count"),
        measurement(model="a", model_version="3", window_start="2019-01-01T00:00:00Z"),
        measurement(model="b", model_version="1"),
    ]
    keep(*reversed(ordered))
    assert stored(context) == ordered


def test_measurements_can_be_asked_for_by_signal_model_and_time(keep, context, measurement):
    late = measurement(window_start="2021-01-01T00:00:00Z")
    other = measurement(model="other", signal="mlvitals.prediction.count")
    keep(measurement(), late, other)
    assert stored(context, signal="mlvitals.prediction.count") == [other]
    assert stored(context, model="card-fraud") == [measurement(), late]
    assert stored(context, since=parse_time("2021-01-01T00:00:00Z")) == [late]
    assert stored(context, model="other", since=parse_time("2021-01-01T00:00:00Z")) == []


def test_points_and_other_events_are_no_business_of_the_store(local, points):
    assert local.encode(points([1.0]), [LogRecord(event_name="mlvitals.audit", time=1)]) == []


def test_the_same_measurements_give_the_same_bytes(local, service, specs, measurement):
    def encoded(attributes):
        one = [measurement(attributes=attributes)]
        return local.encode(*render(one, stamp=1, start=0, level=Export.LEAN, specs=specs, service=service))

    assert encoded({"feature": "x", "method": "psi"}) == encoded({"method": "psi", "feature": "x"})
