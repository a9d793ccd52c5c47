"""What the registry holds and in which order it is read."""

from collections.abc import Mapping

from mlvitals.signals.catalogue import Catalogue
from mlvitals.signals.measure import measure
from mlvitals.signals.registry import DERIVED, REGISTRY, STATISTICS, names
from mlvitals.signals.running import RUNNING
from mlvitals.signals.spec import Evidence, Export, Layer, Stage


def test_the_order_is_the_one_in_which_one_debugs():
    layers = [statistic.spec.layer for statistic in STATISTICS]
    assert layers == sorted(layers, key=list(Layer).index)


def test_names_are_those_of_the_registry():
    specs = [statistic.spec for statistic in STATISTICS] + [derived.spec for derived in DERIVED]
    specs += RUNNING
    assert names() == tuple(REGISTRY) == tuple(spec.name for spec in specs)


def test_the_lean_level_is_what_one_looks_at_first():
    lean = {
        spec.name.removeprefix("mlvitals.")
        for spec in REGISTRY.values()
        if spec.level is Export.LEAN and spec not in RUNNING
    }
    assert lean == {
        "prediction.count",
        "request.latency",
        "event.lag",
        "signal.status",
        "feature.drift.worst",
        "feature.alert.count",
        "request.count",
        "request.error.ratio",
        "prediction.rate",
        "performance.score",
        "performance.error",
        "label.coverage.ratio",
        "performance.estimated",
        "cost.total",
        "cost.per_prediction",
        "cost.at_risk",
    }


def test_each_stage_reads_its_own_signals_in_registry_order(usual: Mapping[str, Evidence]):
    order = {name: place for place, name in enumerate(names())}
    seen: set[str] = set()
    for evidence in usual.values():
        for stage in (Stage.WINDOW, Stage.MATURITY):
            readings = list(measure(evidence, stage))
            assert {spec.stage for spec, _ in readings} == {stage}
            places = [order[spec.name] for spec, _ in readings]
            assert places == sorted(places)
            seen |= {spec.name for spec, _ in readings}
    assert seen == {statistic.spec.name for statistic in STATISTICS}


def test_other_statistics_can_be_measured_instead(usual: Mapping[str, Evidence]):
    readings = measure(usual["binary"], Stage.WINDOW, Catalogue(STATISTICS[:1]))
    assert [spec.name for spec, _ in readings] == ["mlvitals.prediction.count"]
