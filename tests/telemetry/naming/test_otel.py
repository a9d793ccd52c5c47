import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.signals.registry import REGISTRY
from mlvitals.telemetry.naming import datadog
from mlvitals.telemetry.naming.otel import Spelling, attribute_name, short_name

WORDS = st.from_regex(r"[a-z]([a-z0-9_]{0,12}[a-z0-9])?", fullmatch=True)
KNOWN = st.sampled_from(["model", "model_version", "feature", "environment", "name", "version"])


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("model", "mlvitals.model.name"),
        ("model_version", "mlvitals.model.version"),
        ("environment", "mlvitals.environment"),
        ("feature", "mlvitals.feature.name"),
        ("method", "mlvitals.method"),
        ("comparison", "mlvitals.comparison"),
        ("segment", "mlvitals.segment"),
        ("class", "mlvitals.class"),
        ("quantile", "mlvitals.quantile"),
        ("maturity", "mlvitals.maturity"),
        ("metric", "mlvitals.metric"),
        ("bound", "mlvitals.bound"),
        ("outcome", "mlvitals.outcome"),
    ],
)
def test_the_interface_fixes_these_names(short, full):
    assert attribute_name(short) == full
    assert short_name(full) == short
    assert attribute_name(short, Spelling.SHORT) == short


@given(WORDS | KNOWN, st.sampled_from(Spelling))
def test_every_name_can_be_read_back(short, spelling):
    assert short_name(attribute_name(short, spelling), spelling) == short


@given(WORDS | KNOWN, WORDS | KNOWN, st.sampled_from(Spelling))
def test_two_attributes_never_share_a_name(one, other, spelling):
    assert (attribute_name(one, spelling) == attribute_name(other, spelling)) == (one == other)


@pytest.mark.parametrize("short", ["", "Model", "model.name", "1st", "trailing_", "größe", "a b", "model\n"])
def test_what_is_no_lower_snake_case_is_no_short_name(short):
    with pytest.raises(ValueError, match="lower snake case"):
        attribute_name(short)


@pytest.mark.parametrize(
    "name", ["mlvitals.model", "mlvitals.feature", "model", "service.name", "mlvitals.", "host.name"]
)
def test_a_name_that_is_not_ours_is_not_read(name):
    with pytest.raises(ValueError, match="not one of our attributes"):
        short_name(name)


def test_short_names_are_the_tags_that_the_datadog_sink_uses():
    shorts = {"model", "model_version", "bound", *(name for spec in REGISTRY.values() for name in spec.attributes)}
    for short in shorts - {"environment"}:
        assert attribute_name(short, Spelling.SHORT) == datadog.attribute_key(short)
    # Datadog makes `env` of the resource's deployment.environment.name, which every request has.
    assert datadog.attribute_key("environment") == "env"
