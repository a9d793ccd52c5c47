"""What is measured is what a real OpenSearch node finds again, once, however often it is sent."""

from dataclasses import replace

import pytest

from mlvitals.clock import parse_time
from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.spec import Stage
from mlvitals.sinks.opensearch import OpenSearchSink
from mlvitals.telemetry.naming import opensearch as naming
from mlvitals.telemetry.naming.opensearch import Schema
from tests.stack.holding import by_identity, delivered

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("schema", list(Schema))
def test_a_node_finds_every_measurement_that_was_sent_even_twice(opensearch, deliver, every_point, schema):
    sink = OpenSearchSink(hosts=(opensearch.address,), schema=schema, namespace=f"every_{schema}")
    for _ in range(2):
        delivered(deliver(sink, every_point.points, every_point.logs))
    hits = opensearch.search(f"{naming.metrics_alias(schema, sink.namespace)}-*")
    sources = [hit["_source"] for hit in hits]
    held = [
        (
            (one[naming.SIGNAL], frozenset(attributes(one, schema).items()), parse_time(one[naming.TIME])),
            (one.get("value"), one.get("lower"), one.get("upper"), one["unit"]),
        )
        for one in sources
    ]
    assert by_identity(held) == by_identity(told(every_point))
    service = every_point.service
    of_models = [one["labels"] for one in sources if REGISTRY[one[naming.SIGNAL]].stage is not Stage.RUNNING]
    assert of_models == [naming.labels(service.tags, service.model_tags)] * len(every_point.measurements)


def told(everything):
    """What shall be held: all measurements, and the points of what no measurement tells."""
    owned = {"owner": everything.service.owner, "environment": everything.service.environment}
    for stamp, one in everything.measurements:
        whose = {"model": one.model, "model_version": one.model_version, **owned, **one.attributes}
        yield (one.signal, frozenset(whose.items()), stamp), (one.value, one.lower, one.upper, one.unit)
    for point in everything.points:
        if REGISTRY[point.name].stage is Stage.RUNNING:
            yield (point.name, frozenset(point.attributes.items()), point.time), (point.value, None, None, point.unit)


def attributes(source, schema):
    """The attributes of a document by short names: the inverse of the fields that they stand in."""
    found = {}
    for field, value in leaves(source):
        try:
            found[naming.field_attribute(field, schema)] = value
        except ValueError:
            assert not field.startswith("mlvitals.")
    return found


def leaves(tree, path=""):
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value


@pytest.mark.parametrize("schema", list(Schema))
def test_a_revision_replaces_what_it_revises_and_is_replaced_by_no_older_one(opensearch, deliver, every_point, schema):
    sink = OpenSearchSink(hosts=(opensearch.address,), schema=schema, namespace=f"revised_{schema}")
    record = every_point.logs[0]

    def send(revision, value):
        measurements = [{**one, "revision": revision, "value": value} for one in record.body["measurements"]]
        delivered(deliver(sink, [], [replace(record, body={"measurements": measurements})]))

    for revision, value in ((0, 0.25), (2, 0.75), (1, 0.5)):
        send(revision, value)
    hits = opensearch.search(f"{naming.metrics_alias(schema, sink.namespace)}-*")
    assert len(hits) == len(record.body["measurements"])
    assert {(hit["_source"]["revision"], hit["_source"]["value"]) for hit in hits} == {(2, 0.75)}
