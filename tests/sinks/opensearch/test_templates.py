"""What a cluster is given: golden artifacts, every field mapped, names that collide with nobody's."""

import fnmatch
import json
from pathlib import Path

import pytest

from mlvitals.clock import HOUR, SECOND
from mlvitals.contracts.sinks import sink_context
from mlvitals.signals.registry import REGISTRY
from mlvitals.sinks.opensearch import OpenSearchSink
from mlvitals.sinks.opensearch.choices import Engine
from mlvitals.sinks.opensearch.templates import Kind, render
from mlvitals.sinks.packing import unpack
from mlvitals.telemetry import LogRecord
from mlvitals.telemetry.naming import opensearch as naming
from mlvitals.telemetry.naming.opensearch import Schema

GOLDEN = Path(__file__).parent / "golden"
NATURAL = [(Engine.OPENSEARCH, Schema.SS4O), (Engine.ELASTICSEARCH, Schema.ECS)]
ANY = [(engine, schema) for engine in Engine for schema in Schema]

# Patterns of data streams that the engines, their agents and their catalogues bring, with their priorities.
THEIRS = {
    Engine.OPENSEARCH: {"ss4o_metrics-*-*": 900, "ss4o_logs-*-*": 900, "metrics-otel-v1-*": 1, "logs-otel-v1-*": 1},
    Engine.ELASTICSEARCH: {"metrics-*-*": 100, "logs-*-*": 100, "metrics-*.otel-*": 120, "logs-*.otel-*": 120},
}


@pytest.mark.parametrize(("engine", "schema"), NATURAL)
def test_artifacts_are_the_golden_ones(specs, engine, schema):
    artifacts = render(specs, schema, "default", engine, delete_after=90)
    told = {f"PUT {one.path}": one.body for one in artifacts}
    assert json.dumps(told, indent=1, sort_keys=True) + "\n" == (GOLDEN / f"templates.{engine}.json").read_text("utf-8")


def paths(fields, prefix=""):
    for name, mapping in fields.items():
        yield f"{prefix}{name}", mapping
        yield from paths(mapping.get("properties", {}), f"{prefix}{name}.")


def mapped(artifacts, name):
    """The fields of an index template and of what it is composed of, by path."""
    by_name = {one.name: one.body for one in artifacts if one.kind in {Kind.COMPONENT, Kind.INDEX}}
    parts = [*(by_name[part] for part in by_name[name]["composed_of"]), by_name[name]]
    return {path: one for part in parts for path, one in paths(part["template"]["mappings"]["properties"])}


@pytest.mark.parametrize(("engine", "schema"), ANY)
def test_every_attribute_of_every_signal_has_a_field_to_search(engine, schema):
    artifacts = render(REGISTRY, schema, "default", engine)
    wanted = {naming.attribute_field(name, schema) for spec in REGISTRY.values() for name in spec.attributes}
    for kind in ("metrics", "logs"):
        fields = mapped(artifacts, f"mlvitals-{schema}-{kind}-default")
        assert wanted - fields.keys() == set()
        assert {fields[path]["type"] for path in wanted} == {"keyword"}
        assert len(fields) < 500


@pytest.mark.parametrize(("engine", "schema"), ANY)
def test_every_field_of_a_document_is_mapped(tmp_path, closed, measurement, change, *, engine, schema):
    fields_of_kind = {
        kind: mapped(render(REGISTRY, schema, "default", engine), f"mlvitals-{schema}-{kind}-default")
        for kind in ("metrics", "logs")
    }
    whole = measurement(lower=0.1, upper=0.4)
    with sink_context(tmp_path) as context:
        sink = OpenSearchSink(engine=engine, schema=schema).open(context)
        requests = sink.encode([], [closed(whole), change, LogRecord(event_name="mlvitals.audit", time=HOUR)])
        sink.close()
    for request in requests:
        for line in unpack(request.body).split(b"\n")[1:-1:2]:
            for path in leaves(json.loads(line)):
                assert path in fields_of_kind[request.route], path


def leaves(document, prefix=""):
    for key, value in document.items():
        if isinstance(value, dict) and key not in {"labels", "evidence", "details"}:
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


@pytest.mark.parametrize(("engine", "schema"), ANY)
def test_no_path_is_a_value_here_and_an_object_there(engine, schema):
    for kind in ("metrics", "logs"):
        for path, mapping in mapped(
            render(REGISTRY, schema, "default", engine), f"mlvitals-{schema}-{kind}-default"
        ).items():
            assert ("properties" in mapping) != ("type" in mapping), path


@pytest.mark.parametrize(("engine", "schema"), ANY)
def test_our_templates_win_over_the_engines_own_and_tie_with_none(engine, schema):
    index = naming.metrics_index(schema, "default", 1_793_491_200 * SECOND)
    stream = naming.logs_stream(schema, "default")
    ours = {one.name: one.body for one in render(REGISTRY, schema, "default", engine) if one.kind is Kind.INDEX}
    for name, streams in ((index, False), (stream, True)):
        [body] = [one for one in ours.values() if any(fnmatch.fnmatch(name, two) for two in one["index_patterns"])]
        assert ("data_stream" in body) == streams
        matching = [priority for pattern, priority in THEIRS[engine].items() if fnmatch.fnmatch(name, pattern)]
        assert body["priority"] > max(matching, default=0)


def test_without_our_template_no_pattern_of_elasticsearch_takes_the_measurements():
    index = naming.metrics_index(Schema.ECS, "default", 0)
    assert [one for one in THEIRS[Engine.ELASTICSEARCH] if fnmatch.fnmatch(index, one)] == []


@pytest.mark.parametrize("schema", list(Schema))
def test_namespaces_share_no_index_and_no_template_but_the_component(schema):
    one, other = (render(REGISTRY, schema, name, Engine.OPENSEARCH, delete_after=90) for name in ("prod", "prod.eu"))
    patterns = [
        pattern for artifact in one if artifact.kind is Kind.INDEX for pattern in artifact.body["index_patterns"]
    ]
    names = [naming.metrics_index(schema, "prod.eu", 0), naming.logs_stream(schema, "prod.eu")]
    assert [name for name in names for pattern in patterns if fnmatch.fnmatch(name, pattern)] == []
    assert {a.name for a in one} & {a.name for a in other} == {f"mlvitals-{schema}"}


def test_the_same_signals_give_the_same_artifacts_and_each_its_own_mark(specs):
    one, other = (
        render(dict(reversed(list(specs.items()))) if turned else specs, Schema.SS4O, "a", Engine.OPENSEARCH)
        for turned in (0, 1)
    )
    assert one == other
    assert render(specs, Schema.SS4O, "a", Engine.OPENSEARCH, delete_after=90) != render(
        specs, Schema.SS4O, "a", Engine.OPENSEARCH, delete_after=30
    )
    marks = [artifact.body["_meta"]["content"] for artifact in one]
    assert len(set(marks)) == len(marks) == 3


def test_elasticsearch_gets_no_ism_and_opensearch_no_ilm(specs):
    kinds = {engine: {one.kind for one in render(specs, Schema.ECS, "a", engine, delete_after=90)} for engine in Engine}
    assert kinds[Engine.OPENSEARCH] == {Kind.ISM, Kind.COMPONENT, Kind.INDEX}
    assert kinds[Engine.ELASTICSEARCH] == {Kind.ILM, Kind.COMPONENT, Kind.INDEX}
    assert "lifecycle" not in json.dumps(
        [one.body for one in render(specs, Schema.ECS, "a", Engine.OPENSEARCH, delete_after=90)]
    )


def test_replicas_are_those_of_the_namespace(specs):
    def settings(replicas):
        artifacts = render(specs, Schema.SS4O, "a", Engine.OPENSEARCH, replicas=replicas)
        return [
            one.body["template"].get("settings", {}).get("index", {}) for one in artifacts if one.kind is Kind.INDEX
        ]

    assert settings(None) == [{"auto_expand_replicas": "0-1"}] * 2
    assert settings(2) == [{"number_of_replicas": 2}] * 2
    assert settings(0) == [{"number_of_replicas": 0}] * 2
