"""What a model's versions, segments and sensitive features are measured under."""

import json
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from mlvitals.clock import DAY, HOUR, format_time
from mlvitals.config import FeaturesConfig, SizeText, VersionConfig, WindowsConfig

DRIFT, SKEW = "mlvitals.prediction.drift.score", "mlvitals.prediction.skew.score"
FEATURE_DRIFT, FEATURE_SKEW = "mlvitals.feature.drift.score", "mlvitals.feature.skew.score"


def serve(bench, version, number=60):
    return [
        bench.prediction(
            f"{version}-{one}",
            bench.start + one,
            model_version=version,
            features={"x": one / number, "c": "abc"[one % 3], "channel": ["web", "app", "fax", None][one % 4]},
            prediction={"score": one / number},
        )
        for one in range(number)
    ]


def signals(bench, version):
    """What is said of a version, but for what is said against the other versions of the window."""
    return {
        one.signal
        for one in bench.latest().values()
        if one.model_version == version and one.attributes.get("comparison") != "version"
    }


def layouts(bench):
    return {key.version: cohort.summary.layout for key, cohort in bench.cohorts().items() if not key.segment}


def trained(bench, *, shared):
    """Return how version 2 was trained: under the operating reference's feature bins, or under its own."""
    own = bench.make_reference(bench.config, version="2", seed=2)
    if not shared:
        return {"2": own}
    operating = bench.make_reference(bench.config)
    layout = replace(own.layout, features=operating.layout.features)
    assert layout.served_size == own.layout.served_size
    return {"2": replace(own, summary=replace(own.summary, layout=layout))}


def test_a_version_that_is_not_known_is_counted_under_the_operating_layout(bench):
    bench.feed([("s", serve(bench, "9"))], until=bench.start + HOUR)
    assert layouts(bench)["9"] == bench.make_reference(bench.config).layout
    assert {DRIFT, FEATURE_DRIFT} <= signals(bench, "9")
    assert not {SKEW, FEATURE_SKEW} & signals(bench, "9")


@pytest.mark.parametrize("shared", [True, False])
def test_a_version_has_its_own_score_bins_and_the_models_feature_bins(bench, shared):
    bench.training = trained(bench, shared=shared)
    bench.feed([("s", [*serve(bench, "1"), *serve(bench, "2")])], until=bench.start + HOUR)
    operating = bench.make_reference(bench.config).layout
    assert layouts(bench) == {"1": operating, "2": replace(operating, output=bench.training["2"].layout.output)}
    # Drift of the features carries over; what was not counted in the same bins is not compared.
    assert {DRIFT, FEATURE_DRIFT} <= signals(bench, "1")
    assert {FEATURE_DRIFT, SKEW} <= signals(bench, "2")
    assert DRIFT not in signals(bench, "2")
    assert (FEATURE_SKEW in signals(bench, "2")) is shared
    assert not {SKEW, FEATURE_SKEW} & signals(bench, "1")


def test_a_new_version_begins_with_too_few_rows_for_a_verdict(bench):
    bench.training = trained(bench, shared=True)
    bench.feed([("s", serve(bench, "2", 20))], until=bench.start + HOUR)
    judged = {one.status.value for one in bench.latest().values() if one.signal in {SKEW, FEATURE_DRIFT, FEATURE_SKEW}}
    assert judged == {"insufficient_data"}


def test_a_model_with_training_references_only_is_counted_under_those(make_bench):
    versions = {"2": VersionConfig(training=Path("unused"))}
    config = make_bench().make_config(operating=None, versions=versions)
    bench = make_bench(config=config)
    bench.training = trained(bench, shared=False)
    bench.feed([("s", [*serve(bench, "2"), *serve(bench, "3")])], until=bench.start + HOUR)
    assert layouts(bench) == dict.fromkeys("23", bench.training["2"].layout)
    assert {SKEW, FEATURE_SKEW} <= signals(bench, "2")
    assert not {SKEW, FEATURE_SKEW, DRIFT, FEATURE_DRIFT} & signals(bench, "3")


def test_every_measurement_names_the_reference_it_was_held_against(bench):
    bench.training = trained(bench, shared=True)
    bench.feed([("s", serve(bench, "2"))], until=bench.start + HOUR)
    hashes: dict[str | None, set[str | None]] = {}
    for one in bench.latest().values():
        hashes.setdefault(one.attributes.get("comparison"), set()).add(one.reference_hash)
    operating, training = bench.make_reference(bench.config), bench.training["2"]
    assert hashes == {None: {None}, "operating": {operating.hash}, "training": {training.hash}}


@pytest.fixture
def segmented(make_bench):
    bench = make_bench(config=make_bench().make_config(segments=("channel", "c")))
    labels = [bench.label(f"1-{one}", bench.start + HOUR, one % 2) for one in range(0, 60, 3)]
    bench.feed([("s", [*serve(bench, "1"), *labels])], until=bench.start + 2 * DAY)
    return bench


def test_segments_have_the_values_of_the_reference_and_one_for_all_others(segmented):
    segments = {key.segment for key in segmented.cohorts()}
    channels = {"channel=app", "channel=web", "channel=__other__"}
    assert segments == {"", "c=a", "c=b", "c=c"} | channels
    assert segmented.value("prediction.count", segment="channel=web") == 15.0
    assert segmented.value("prediction.count", segment="channel=__other__") == 30.0
    assert segmented.value("label.coverage.ratio", segment="c=a", maturity="1h") == 1.0
    assert segmented.value("label.coverage.ratio", segment="c=b", maturity="1h") == 0.0


@pytest.mark.parametrize("column", ["channel", "c"])
def test_the_segments_of_a_column_add_up_to_the_whole(segmented, column):
    cohorts = {key.segment: cohort.summary for key, cohort in segmented.cohorts().items()}
    parts = [summary for segment, summary in cohorts.items() if segment.startswith(f"{column}=")]
    total = parts[0]
    for part in parts[1:]:
        total += part
    assert (total.served == cohorts[""].served).all()
    assert (total.outcomes == cohorts[""].outcomes).all()
    assert cohorts[""].outcomes.any()


def test_a_segment_is_held_against_its_own_past_and_not_against_the_whole(make_bench):
    config = make_bench().make_config(segments=("c",))
    bench = make_bench(config=config)
    bench.feed([("s", serve(bench, "1", 240))], until=bench.start + HOUR)
    drift = [one for one in bench.latest().values() if one.signal == FEATURE_DRIFT]
    held = bench.make_reference(config)
    rows = {one.attributes.get("segment"): one.reference_samples for one in drift}
    assert rows == {None: 400} | {segment: part.predictions for segment, part in held.segments.items()}
    # All rows of c=a have one value of c, as they had in the reference: of the whole they would be a third.
    of_itself = {"feature": "c", "segment": "c=a"}
    assert {one.value for one in drift if of_itself.items() <= one.attributes.items()} == {0.0}


def test_a_segment_that_the_reference_has_no_row_of_does_not_drift(make_bench):
    bench = make_bench(config=make_bench().make_config(segments=("channel",)))
    bench.feed([("s", serve(bench, "1"))], until=bench.start + HOUR)
    drifting = {one.attributes.get("segment") for one in bench.latest().values() if one.signal == FEATURE_DRIFT}
    assert drifting == {None, "channel=web", "channel=app"}
    assert bench.value("prediction.count", segment="channel=__other__") == 30.0


@pytest.mark.parametrize(("sensitive", "told"), [((), True), (("c", "x"), False)])
def test_nothing_that_is_measured_of_a_sensitive_feature_names_a_value_of_it(make_bench, sensitive, told):
    bench = make_bench(config=make_bench().make_config(features=FeaturesConfig(sensitive=sensitive)))
    events = serve(bench, "1") + [
        bench.prediction(f"new-{one}", bench.start + one, features={"x": 1234.5, "c": "secret"}) for one in range(90)
    ]
    bench.feed([("s", events)], until=bench.start + HOUR)
    of_feature = [one for one in bench.latest().values() if one.attributes.get("feature") in {"x", "c"}]
    assert {one.signal for one in of_feature} >= {FEATURE_DRIFT, "mlvitals.feature.missing.ratio"}
    named = [value for one in of_feature for value in one.evidence.values() if isinstance(value, str)]
    assert bool(named) is told
    assert "secret" not in json.dumps([msgspec.to_builtins(one) for one in of_feature])


def test_only_the_metrics_that_were_asked_for_are_told(make_bench):
    config = make_bench().make_config()
    performance = msgspec.structs.replace(config.performance, metrics=("recall", "brier"))
    bench = make_bench(config=msgspec.structs.replace(config, performance=performance))
    labels = [bench.label(f"1-{one}", bench.start + HOUR, one % 2) for one in range(60)]
    bench.feed([("s", [*serve(bench, "1"), *labels])], until=bench.start + 2 * DAY)
    metrics = {one.attributes["metric"] for one in bench.latest().values() if "metric" in one.attributes}
    assert metrics == {"recall", "brier"}


def test_the_detectors_of_a_version_of_long_ago_are_forgotten(make_bench):
    bench = make_bench(config=make_bench().make_config(windows=WindowsConfig(size=SizeText("1d"))))

    def served(version, day):
        events = serve(bench, version)
        return [event | {"timestamp": format_time(bench.start + day * DAY)} for event in events]

    def judged():
        return {name for _, name, *_ in bench.rows("detectors")["detectors"] if name.startswith(("pred", "cohort"))}

    bench.feed([("s", served("old", 0))], until=bench.start + 5 * DAY)
    known = judged()
    assert "prediction:old" in known
    bench.feed([("s", served("new", 90))], until=bench.start + 91 * DAY)
    assert judged() == known | {"prediction:new"}
    bench.feed([("s", served("new", 100))], until=bench.start + 101 * DAY)
    assert {name.split(":")[1] for name in judged()} == {"new"}
