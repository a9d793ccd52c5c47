"""Names as Datadog stores them: nothing is left for it to rewrite, and what differs stays different."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.signals.registry import REGISTRY
from mlvitals.telemetry.naming import datadog as naming
from mlvitals.windows.outcome_sums import RANK_METRICS
from tests.intake.datadog import is_normal

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=250)
keys = st.sampled_from(["feature", "env", "model_version", "k" * 100])


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("amount", "amount"),
        ("2018.06.1", "2018.06.1"),
        ("Max Amount", "max_amount"),
        ("country=DE", "country_de"),
        ("country=__other__", "country_other"),
        ("Größe in m²", "größe_in_m"),
        ("顧客の年齢 🙂", "顧客の年齢"),
        ("a:b", "a:b"),
        ("a:", "a"),
        ("two\nlines", "two_lines"),
        ("x" * 300, "x" * 192),
        ("ß" * 300, "ß" * 96),
    ],
)
def test_a_value_is_spelled_as_datadog_stores_it(value, stored):
    assert naming.tag("feature", value) == f"feature:{stored}"


def test_an_empty_value_is_no_tag():
    assert naming.tag("feature", "") == ""


def test_a_value_without_a_letter_or_digit_is_told_by_its_hash():
    assert naming.tag("feature", "??") != naming.tag("feature", "!!")
    assert is_normal(naming.tag("feature", "??"))


@given(keys, texts)
def test_nothing_is_left_to_rewrite(key, value):
    for tag in (naming.tag(key, value), naming.distinct_tag(key, value)):
        assert is_normal(tag)
        stored, _, rest = tag.partition(":")
        assert stored == key
        assert naming.tag(key, rest) == tag


@given(keys, texts, texts)
def test_distinct_tags_of_different_values_differ(key, one, other):
    alike = naming.distinct_tag(key, one) == naming.distinct_tag(key, other)
    assert alike == (one == other)


@given(texts)
def test_a_key_of_ones_own_is_a_key_and_stays_one(name):
    key = naming.tag_key(name)
    assert is_normal(f"{key}:x")
    assert ":" not in key
    assert naming.tag_key(key) == key


@pytest.mark.parametrize(
    ("name", "key"),
    [("Team", "team"), ("2nd-owner", "nd-owner"), ("cost.center", "cost.center"), ("a:b", "a_b"), ("123", "tag_123")],
)
def test_a_key_begins_with_a_letter(name, key):
    assert naming.tag_key(name) == key


def test_the_environment_is_named_as_unified_service_tagging_does():
    assert naming.attribute_key("environment") == "env"
    assert naming.short_name("env") == "environment"
    assert naming.short_name("model_version") == naming.attribute_key("model_version") == "model_version"
    for wrong in ("Feature", "a.b", ""):
        with pytest.raises(ValueError, match="is not"):
            naming.short_name(wrong)


def test_every_metric_keeps_its_name_and_is_found_again_by_it():
    inverse = naming.Inverse(REGISTRY.values())
    for spec in REGISTRY.values():
        assert inverse.metric(naming.metric_name(spec.name)) is spec
    with pytest.raises(KeyError):
        inverse.metric("mlvitals.nothing")


def test_attributes_are_found_again_among_tags():
    inverse = naming.Inverse(REGISTRY.values())
    tags = ["env:prod", "feature:a:b", "model:m", "service:s", "team:risk"]
    assert inverse.attributes(tags) == {"environment": "prod", "feature": "a:b", "model": "m"}


@pytest.mark.parametrize("name", ["", "1st", "a-b", "größe", "a" * 201])
def test_a_name_that_datadog_would_change_is_refused(name):
    with pytest.raises(ValueError, match="no metric's name"):
        naming.metric_name(name)


def test_a_unit_that_datadog_does_not_have_is_left_out():
    assert naming.unit_name("s") == "second"
    assert naming.unit_name("1") is None
    assert naming.unit_name("{sd}") is None


def test_the_metrics_of_rankings_are_told_apart_without_their_sign():
    assert naming.tag("metric", "ndcg@10") == "metric:ndcg_10"
    assert len({naming.tag("metric", name) for name in RANK_METRICS}) == len(RANK_METRICS)
