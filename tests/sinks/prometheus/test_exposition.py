"""The text that a scrape is answered with, read by the parsers of Prometheus's own client."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open_metrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.spec import Instrument
from mlvitals.sinks.prometheus.exposition import Sample, expose, sample, spell
from mlvitals.telemetry import MetricPoint, Service
from mlvitals.telemetry.naming.prometheus import Inverse, labels, metric_name

SERVICE = Service(name="vitals", environment="Prüfung", tags={"team": 'risk "A"\n\\', "1st": "x"})
READERS = {False: read_text, True: read_open_metrics}

either = pytest.mark.parametrize("open_metrics", [False, True], ids=["text", "openmetrics"])


def read(text, *, open_metrics):
    """Return the samples of a text by name and labels, and its metadata by family."""
    families = list(READERS[open_metrics](text.decode()))
    values = {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}
    return values, {family.name: family for family in families}


def point(spec, value, **attributes):
    about = {"model": "m", "environment": "test", **dict.fromkeys(spec.attributes, "größer"), **attributes}
    return MetricPoint(name=spec.name, unit=spec.unit, value=value, time=1, start=0, attributes=about)


@either
def test_every_metric_is_read_back_by_its_registry_name_with_value_and_attributes(open_metrics):
    points = [point(spec, 0.1 + number) for number, spec in enumerate(REGISTRY.values())]
    text = expose(map(sample, points), REGISTRY, SERVICE, open_metrics=open_metrics)
    values, families = read(text, open_metrics=open_metrics)
    inverse = Inverse(REGISTRY.values())
    found = {
        inverse.metric(name).name: (value, inverse.attributes(dict(about)))
        for (name, about), value in values.items()
        if name != "target_info"
    }
    assert found == {one.name: (one.value, dict(one.attributes)) for one in points}
    for spec in REGISTRY.values():
        name = metric_name(spec.name, spec.unit, spec.instrument)
        family = families.get(name) or families[name.removesuffix("_total")]
        assert family.documentation == spec.brief
        assert family.type == spec.instrument.value


def test_metadata_comes_before_samples_and_each_family_once():
    spec, total = REGISTRY["mlvitals.event.lag"], REGISTRY["mlvitals.pipeline.events"]
    points = [point(spec, 1.0, quantile="0.5"), point(total, 7.0, outcome="late"), point(spec, 2.0, quantile="0.95")]
    text = expose(map(sample, points), REGISTRY, Service(name="s", environment="e"), open_metrics=True).decode()
    lag = 'mlvitals_environment="test",mlvitals_model_name="m",mlvitals_quantile='
    late = 'mlvitals_environment="test",mlvitals_model_name="m",mlvitals_outcome="late"'
    assert text.splitlines() == [
        "# HELP target What speaks here.",
        "# TYPE target info",
        'target_info{deployment_environment_name="e"} 1',
        f"# HELP mlvitals_event_lag_seconds {spec.brief}",
        "# TYPE mlvitals_event_lag_seconds gauge",
        "# UNIT mlvitals_event_lag_seconds seconds",
        f'mlvitals_event_lag_seconds{{{lag}"0.5"}} 1.0',
        f'mlvitals_event_lag_seconds{{{lag}"0.95"}} 2.0',
        f"# HELP mlvitals_pipeline_events {total.brief}",
        "# TYPE mlvitals_pipeline_events counter",
        f"mlvitals_pipeline_events_total{{{late}}} 7.0",
        "# EOF",
    ]


@either
def test_nothing_to_show_is_still_a_sound_answer(open_metrics):
    values, _ = read(expose([], REGISTRY, SERVICE, open_metrics=open_metrics), open_metrics=open_metrics)
    about = {"team": 'risk "A"\n\\', "key_1st": "x", "deployment_environment_name": "Prüfung"}
    assert values == {("target_info", frozenset(about.items())): 1.0}


@either
@given(
    value=st.floats(allow_nan=False, allow_infinity=False),
    feature=st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\r\x85\u2028\u2029\x0b\x0c\x1c\x1d\x1e"),
        min_size=1,
    ),
)
def test_any_value_and_any_text_are_read_back_exactly(open_metrics, value, feature):
    spec = REGISTRY["mlvitals.feature.missing.ratio"]
    one = point(spec, value, feature=feature)
    values, _ = read(expose([sample(one)], REGISTRY, SERVICE, open_metrics=open_metrics), open_metrics=open_metrics)
    name = metric_name(spec.name, spec.unit, spec.instrument)
    assert values[name, frozenset(labels(one.attributes, {}).items())] == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_a_value_is_a_bug(value):
    with pytest.raises(ValueError, match="is not a value"):
        sample(point(REGISTRY["mlvitals.event.lag"], value))


def test_what_a_later_version_or_a_plugin_left_behind_is_not_shown():
    text = expose([Sample("acme.gone.away", spell({"a": "b"}), 1.0)], REGISTRY, SERVICE)
    assert b"acme" not in text


def test_all_counters_are_totals_and_so_is_what_is_named_a_total():
    for spec in REGISTRY.values():
        name = metric_name(spec.name, spec.unit, spec.instrument)
        assert name.endswith("_total") is (spec.instrument is Instrument.COUNTER or spec.name.endswith(".total"))
