"""A change event as a log record: what it says, and of whom."""

from mlvitals.telemetry import CHANGE, Service, change_record

SERVICE = Service(
    name="fraud-monitoring", environment="prod", owner="risk", model_tags={"team": "a"}, log_tags={"x": "b"}
)


def test_a_change_is_a_record_of_its_own_time_with_the_tags_of_its_model():
    record = change_record(model="m", kind="deploy", text="v7", time=1_000_000, service=SERVICE)
    assert (record.event_name, record.time, record.body) == (CHANGE, 1_000_000, {"text": "v7"})
    assert record.attributes == {"environment": "prod", "kind": "deploy", "model": "m", "owner": "risk"}
    assert record.tags == {"team": "a", "x": "b"}


def test_a_change_of_all_models_names_none():
    record = change_record(model="", kind="flag", text="", time=0, service=Service(name="s", environment="prod"))
    assert record.attributes == {"environment": "prod", "kind": "flag"}
