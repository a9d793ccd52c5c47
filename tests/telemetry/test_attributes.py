"""Law 10: ids and times are never attributes, and every attribute has an end of values."""

import re

import pytest

from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.spec import Stage

# What bounds the values of each attribute that a point of a window may have, beside its model, version and environment.
BOUNDED = {
    "feature": "frozen in the layout",
    "segment": "values frozen in the layout, others are `__other__`",
    "class": "frozen in the layout, others are `__other__`",
    "method": "a list in the code",
    "comparison": "a list in the code",
    "metric": "a list in the code",
    "family": "the layers",
    "quantile": "a list in the code",
    "maturity": "listed in the configuration",
    "currency": "one of each model, named in the configuration",
}
UNBOUNDED = re.compile(
    r"(^|_)(id|uuid|hash|key|time|timestamp|date|start|end|window|trace|span|host|user|request)(_|$)"
)


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_no_attribute_of_a_signal_is_an_id_or_a_time(name):
    for attribute in REGISTRY[name].attributes:
        assert UNBOUNDED.search(attribute) is None


@pytest.mark.parametrize("name", sorted(name for name, spec in REGISTRY.items() if spec.stage is not Stage.RUNNING))
def test_the_values_of_every_attribute_of_a_window_have_an_end(name):
    assert set(REGISTRY[name].attributes) <= BOUNDED.keys()
