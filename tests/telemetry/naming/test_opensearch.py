import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.clock import SECOND
from mlvitals.signals.registry import REGISTRY
from mlvitals.telemetry.naming.opensearch import (
    Schema,
    attribute_field,
    field_attribute,
    label_field,
    labels,
    logs_stream,
    metrics_alias,
    metrics_index,
)

SHORT = ["model", "model_version", "environment", *{name for spec in REGISTRY.values() for name in spec.attributes}]
every_schema = pytest.mark.parametrize("schema", list(Schema))


@pytest.mark.parametrize(
    ("schema", "index", "stream"),
    [
        (Schema.SS4O, "ss4o_metrics-mlvitals-prod-2026.11", "ss4o_logs-mlvitals.signals-prod"),
        (Schema.ECS, "mlvitals-metrics-prod-2026.11", "logs-mlvitals.signals-prod"),
    ],
)
def test_measurements_have_an_index_a_month_and_records_a_stream(schema, index, stream):
    assert metrics_index(schema, "prod", 1_793_491_200 * SECOND) == index
    assert metrics_index(schema, "prod", 1_793_491_200 * SECOND - 1) == index.replace("2026.11", "2026.10")
    assert index.startswith(f"{metrics_alias(schema, 'prod')}-")
    assert logs_stream(schema, "prod") == stream


@every_schema
def test_every_attribute_has_a_field_of_its_own_that_leads_back(schema):
    fields = [attribute_field(short, schema) for short in sorted(set(SHORT))]
    assert [field_attribute(field, schema) for field in fields] == sorted(set(SHORT))
    # A path cannot be a value and an object at once.
    assert [one for one in fields for other in fields if other.startswith(f"{one}.")] == []


@every_schema
@pytest.mark.parametrize("field", ["name", "labels.team", "service.name", "attributes.model", "mlvitals.model", ""])
def test_what_is_no_attribute_leads_nowhere(schema, field):
    with pytest.raises(ValueError, match="is not"):
        field_attribute(field, schema)


@pytest.mark.parametrize(("tag", "label"), [("team", "team"), ("a.b.c", "a_b_c"), (".", "_"), ("", "_"), (" ", "_")])
def test_a_tag_makes_no_object(tag, label):
    assert label_field(tag) == label


def test_the_models_tags_go_over_the_services_and_the_order_of_tags_changes_nothing():
    assert labels({"team": "risk", "area": "eu"}, {"team": "fraud"}) == {"team": "fraud", "area": "eu"}
    assert labels({"a.b": "1", "a_b": "2"}) == labels({"a_b": "2", "a.b": "1"}) == {"a_b": "2"}


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=6))
def test_labels_are_flat_and_named(tags):
    for name in labels(tags):
        assert name
        assert "." not in name
