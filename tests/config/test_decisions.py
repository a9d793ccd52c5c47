"""The page budget's part of a configuration: what holds where nothing is written, and what is refused."""

import pytest

from mlvitals.config import DecisionsConfig, PageOnConfig, WeightsConfig
from mlvitals.decisions.allocation import DEFAULT_WEIGHTS, RESERVE
from mlvitals.decisions.finding import Detector

MISSING = "mlvitals.feature.missing.ratio"


def test_without_a_word_of_it_the_budget_is_half_a_page_a_week(workplace):
    config = workplace.load()
    assert config.decisions == DecisionsConfig()
    assert (config.decisions.pages_per_week, config.decisions.min_effect, config.decisions.tolerance) == (
        0.5,
        0.1,
        0.02,
    )
    assert config.decisions.quiet_after_change.microseconds == 0
    assert config.decisions.weights.by_name == DEFAULT_WEIGHTS
    assert config.models[0].weight == 1.0
    assert not config.decisions.pages("prices", MISSING, {"feature": "amount"})


def test_every_detector_and_the_reserve_have_a_weight():
    assert set(WeightsConfig().by_name) == {*Detector, RESERVE}


def test_what_is_written_holds(workplace):
    config = workplace.load(
        decisions="{pages_per_week: 2, min_effect: 0, weights: {feature: 3, reserve: 0}, quiet_after_change: 2h}",
        models="[{name: a, operating: {first: 7d}, weight: 0}, {name: b, operating: {first: 7d}}]",
        defaults="{weight: 2.5}",
    )
    assert (config.decisions.pages_per_week, config.decisions.min_effect) == (2.0, 0.0)
    assert config.decisions.weights == WeightsConfig(feature=3.0, reserve=0.0)
    assert config.decisions.quiet_after_change == "2h"
    assert [model.weight for model in config.models] == [0.0, 2.5]


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ("{pages: 1}", "Object contains unknown field `pages` - at `$.decisions`"),
        ("{pages_per_week: 0}", "Expected `float` > 0.0 - at `$.decisions.pages_per_week`"),
        ("{pages_per_week: -1}", "Expected `float` > 0.0 - at `$.decisions.pages_per_week`"),
        ("{pages_per_week: 1e999}", "Expected `float` <= 10000.0 - at `$.decisions.pages_per_week`"),
        ("{pages_per_week: !!float .nan}", "Expected `float` > 0.0 - at `$.decisions.pages_per_week`"),
        ("{pages_per_week: few}", "Expected `float`, got `str` - at `$.decisions.pages_per_week`"),
        ("{min_effect: -0.1}", "Expected `float` >= 0.0 - at `$.decisions.min_effect`"),
        ("{tolerance: -0.1}", "Expected `float` >= 0.0 - at `$.decisions.tolerance`"),
        ("{weights: {volumes: 1}}", "Object contains unknown field `volumes` - at `$.decisions.weights`"),
        ("{weights: {volume: -1}}", "Expected `float` >= 0.0 - at `$.decisions.weights.volume`"),
        (
            (
                "{weights: {volume: 0, errors: 0, feature: 0, features: 0, prediction: 0, segment: 0, coverage: 0, "
                "performance: 0, cost: 0}}"
            ),
            "one of the weights, beside that of the reserve, must be greater than 0 - at `$.decisions.weights`",
        ),
        (
            "{quiet_after_change: 60}",
            "`60` has no unit: write a duration like `30s`, `10m` or `7d` - at `$.decisions.quiet_after_change`",
        ),
        ("{page_on: mlvitals}", "Expected `array`, got `str` - at `$.decisions.page_on`"),
        ("{page_on: [{feature: x}]}", "Object missing required field `signal` - at `$.decisions.page_on[0]`"),
        (
            "{page_on: [{signal: a.b.c, featur: x}]}",
            "Object contains unknown field `featur` - at `$.decisions.page_on[0]`",
        ),
        (
            "{page_on: [{signal: mlvitals.feature.mising.ratio}]}",
            "there is no signal `mlvitals.feature.mising.ratio` - at `$.decisions.page_on[0].signal`",
        ),
        (
            f"{{page_on: [{{signal: {MISSING}}}, {{signal: {MISSING}, class: x}}]}}",
            f"`{MISSING}` has no attribute `class` - at `$.decisions.page_on[1].class`",
        ),
        (
            f"{{page_on: [{{signal: {MISSING}, model: price}}]}}",
            "there is no model `price`: choose from prices - at `$.decisions.page_on[0].model`",
        ),
        (
            "{page_on: [{signal: mlvitals.feature.drift.score, method: ks}]}",
            (
                "the threshold of `mlvitals.feature.drift.score` is that of `psi` only "
                "- at `$.decisions.page_on[0].method`"
            ),
        ),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_path_of_its_key(sections, message, workplace):
    assert workplace.refusal(decisions=sections) == message


def test_a_signal_without_a_threshold_cannot_page_and_those_with_one_are_named(workplace):
    refusal = workplace.refusal(decisions="{page_on: [{signal: mlvitals.prediction.count}]}")
    assert refusal.startswith("`mlvitals.prediction.count` has no threshold of its own: choose from mlvitals.")
    for name in (MISSING, "mlvitals.prediction.rate", "mlvitals.request.error.ratio"):
        assert name in refusal
        assert workplace.load(decisions=f"{{page_on: [{{signal: {name}}}]}}").decisions.page_on


@pytest.mark.parametrize("weight", ["-1", "heavy", "1e999"])
def test_a_weight_of_a_model_is_a_number_that_is_not_negative(weight, workplace):
    refusal = workplace.refusal(models=f"[{{name: a, operating: {{first: 7d}}, weight: {weight}}}]")
    assert refusal.startswith("Expected `float`")
    assert refusal.endswith(" - at `$.models[0].weight`")


def test_a_model_that_may_still_come_may_page(workplace):
    config = workplace.load(
        models="[{match: 'card-*', operating: {first: 7d}}]",
        decisions=f"{{page_on: [{{signal: {MISSING}, model: card-fraud}}]}}",
    )
    assert config.decisions.pages("card-fraud", MISSING, {"feature": "amount"})


@pytest.mark.parametrize(
    ("written", "attributes", "pages"),
    [
        ({}, {"feature": "amount"}, True),
        ({"feature": "amount"}, {"feature": "amount"}, True),
        ({"feature": "amount"}, {"feature": "amounts"}, False),
        ({"feature": "am*"}, {"feature": "amounts"}, True),
        ({"feature": "a[m]ount"}, {"feature": "a[m]ount"}, True),
        ({"feature": "*", "model": "prices"}, {"feature": "amount"}, True),
        ({"model": "price"}, {"feature": "amount"}, False),
        ({"segment": "*"}, {"feature": "amount"}, False),
        ({"segment": "channel=web"}, {"feature": "amount", "segment": "channel=web"}, True),
        ({"class_": "1"}, {"class": "1"}, True),
    ],
)
def test_a_measurement_pages_where_everything_that_was_written_fits(written, attributes, pages):
    decisions = DecisionsConfig(page_on=(PageOnConfig(signal=MISSING, **written),))
    assert decisions.pages("prices", MISSING, attributes) is pages
    assert not decisions.pages("prices", "mlvitals.feature.unseen.ratio", attributes)
