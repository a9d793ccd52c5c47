"""Names are those that Prometheus 3 gives to what it receives by OTLP, with its default translation."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.spec import Instrument
from mlvitals.telemetry.naming.prometheus import Inverse, label_name, labels, metric_name, unit_name

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
GAUGE, COUNTER = Instrument.GAUGE, Instrument.COUNTER

# The published rules, by their examples, and the names that OTLP translation gives to our own.
TRANSLATED = [
    ("system.io", "By", COUNTER, "system_io_bytes_total"),
    ("system.network.io", "By", COUNTER, "system_network_io_bytes_total"),
    ("http.client.duration", "s", GAUGE, "http_client_duration_seconds"),
    ("requests.count", "1", COUNTER, "requests_count_total"),
    ("memory.usage", "By", GAUGE, "memory_usage_bytes"),
    ("hw.gpu.memory.utilization", "1", GAUGE, "hw_gpu_memory_utilization_ratio"),
    ("system.ratio.of.things", "1", GAUGE, "system_of_things_ratio"),
    ("a.total.of.things", "{thing}", COUNTER, "a_of_things_total"),
    ("latency.seconds.p99", "s", GAUGE, "latency_seconds_p99"),
    ("broken..name__of.-things", "{thing}", GAUGE, "broken_name_of_things"),
    ("2xx.answers", "{answer}", GAUGE, "_2xx_answers"),
    ("mlvitals.feature.drift.score", "{score}", GAUGE, "mlvitals_feature_drift_score"),
    ("mlvitals.label.coverage.ratio", "1", GAUGE, "mlvitals_label_coverage_ratio"),
    ("mlvitals.label.delay", "s", GAUGE, "mlvitals_label_delay_seconds"),
    ("mlvitals.feature.out_of_range.ratio", "1", GAUGE, "mlvitals_feature_out_of_range_ratio"),
    ("mlvitals.prediction.rate", "{prediction}/s", GAUGE, "mlvitals_prediction_rate_per_second"),
    ("mlvitals.pipeline.events", "{event}", COUNTER, "mlvitals_pipeline_events_total"),
    ("mlvitals.pipeline.outbox.age", "s", GAUGE, "mlvitals_pipeline_outbox_age_seconds"),
]


@pytest.mark.parametrize(("name", "unit", "instrument", "translated"), TRANSLATED)
def test_a_metric_is_called_as_the_translation_calls_it(name, unit, instrument, translated):
    assert metric_name(name, unit, instrument) == translated


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("http.method", "http_method"),
        ("mlvitals.model.name", "mlvitals_model_name"),
        ("mlvitals.class", "mlvitals_class"),
        ("123invalid", "key_123invalid"),
        ("_private", "key_private"),
        ("__reserved__", "__reserved__"),
        ("a__b", "a__b"),
        ("Team-Größe", "Team_Gr__e"),
    ],
)
def test_a_label_is_called_as_the_translation_calls_it(name, label):
    assert label_name(name) == label


@pytest.mark.parametrize("name", ["", "_", "..", "顧客"])
def test_what_would_be_nothing_is_no_label(name):
    with pytest.raises(ValueError, match="can be no label's name"):
        label_name(name)
    assert labels({}, {name: "x"}) == {}


@pytest.mark.parametrize(
    ("unit", "told"), [("s", "seconds"), ("By", "bytes"), ("1", "ratio"), ("{event}", ""), ("{event}/s", "per_second")]
)
def test_units_are_spelled_out(unit, told):
    assert unit_name(unit) == told


def test_an_attribute_goes_before_a_tag_and_what_is_called_alike_is_joined():
    tags = {"mlvitals.model.name": "not this", "team.name": "a", "team-name": "b", "team_name": "", "__name__": "up"}
    assert labels({"model": "fraud"}, tags) == {"mlvitals_model_name": "fraud", "team_name": "b;a;"}


def test_an_empty_value_is_no_label():
    assert labels({"model_version": ""}, {"team": ""}) == {}


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=6))
def test_whatever_tags_are_called_labels_are_sound_and_in_order(tags):
    made = labels({"model": "m"}, tags)
    assert list(made) == sorted(made)
    assert all(LABEL.fullmatch(label) and not label.startswith("__") and value for label, value in made.items())
    assert made["mlvitals_model_name"].endswith("m")


def test_every_metric_of_the_registry_has_a_sound_name_of_its_own_and_is_found_by_it():
    inverse = Inverse(REGISTRY.values())
    for spec in REGISTRY.values():
        name = metric_name(spec.name, spec.unit, spec.instrument)
        assert NAME.fullmatch(name)
        assert inverse.metric(name) is spec
        assert name.endswith(unit_name(spec.unit)) or spec.instrument is COUNTER


def test_every_attribute_of_the_registry_is_found_by_its_label():
    inverse = Inverse(REGISTRY.values())
    shorts = {short for spec in REGISTRY.values() for short in spec.attributes} | {"model", "model_version", "bound"}
    attributes = {short: f"of {short}" for short in shorts}
    assert inverse.attributes({**labels(attributes, {"team": "risk"}), "job": "j"}) == attributes


def test_two_metrics_with_one_name_are_refused():

    spec = REGISTRY["mlvitals.request.error.ratio"]
    other = replace(spec, name="mlvitals.request_error.ratio")
    with pytest.raises(ValueError, match="would both be `mlvitals_request_error_ratio`"):
        Inverse([spec, other])
