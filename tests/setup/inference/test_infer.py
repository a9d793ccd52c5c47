"""What a whole log says: models, task, labels, windows and maturities."""

from datetime import timedelta

import numpy as np
import pytest

from mlvitals.clock import DAY, HOUR, MINUTE, SECOND
from mlvitals.errors import InputError
from mlvitals.setup.inference import spans
from mlvitals.setup.inference.origins import model_name
from mlvitals.setup.inference.profile import Profile
from mlvitals.sources import Role
from mlvitals.windows.layout import Task


@pytest.fixture
def served(rows):
    return [
        {
            "time": rows.iso(index),
            "request_id": rows.id(),
            "features": {"n": rows.share(), "plan": "abc"[index % 3]},
            "score": rows.share(),
        }
        for index in range(400)
    ]


def labels_of(rows, served, **delay):
    return [
        {"known_at": (rows.time(index) + timedelta(**delay)).isoformat(), "id": one["request_id"], "outcome": index % 2}
        for index, one in enumerate(served)
    ]


def test_labels_in_another_file_are_joined_by_the_ids_that_both_have(proposed, rows, served):
    proposal = proposed(served=served, outcomes=labels_of(rows, served, days=3))
    assert [origin.role for origin in proposal.origins] == [Role.PREDICTIONS, Role.LABELS]
    assert proposal.origins[1].format["map"]["prediction_id"] == "id"
    assert proposal.profile.joined == 1.0
    assert set(proposal.profile.delays.tolist()) == {3 * DAY}


def test_a_file_whose_ids_are_of_no_prediction_is_told_and_not_taken(proposed, rows, served):
    strangers = [{**one, "request_id": rows.id()} for one in served]
    proposal = proposed(served=served, outcomes=labels_of(rows, strangers, days=3))
    assert [origin.role for origin in proposal.origins] == [Role.PREDICTIONS]
    assert any("outcomes.jsonl" in what for what in proposal.unknown)


def test_an_id_of_any_name_is_told_by_the_file_that_names_it_too(proposed, rows):
    served = [
        {"at": rows.iso(index), "booking": f"BK{index}", "km": index % 9, "eta_pred": index / 7} for index in range(300)
    ]
    known = [{"ended": rows.iso(index + 9), "no": f"BK{index}", "actual": index / 8} for index in range(300)]
    proposal = proposed(actuals=known, rides=served)
    assert proposal.model == "rides"
    assert proposal.profile.joined == 1.0
    by_role = {origin.role: origin.format["map"] for origin in proposal.origins}
    assert by_role[Role.PREDICTIONS]["prediction_id"] == "booking"
    assert by_role[Role.LABELS]["prediction_id"] == "no"


def test_labels_of_several_models_name_their_own(proposed, rows, served):
    named = [{**one, "model": "ab"[index % 2]} for index, one in enumerate(served)]
    known = [{**one, "model": "ab"[index % 2]} for index, one in enumerate(labels_of(rows, served, days=3))]
    proposal = proposed(served=named, outcomes=known)
    assert sorted(proposal.profile.models) == ["a", "b"]
    assert proposal.origins[1].format["map"]["model"] == "model"
    assert proposal.profile.joined == 1.0


def test_labels_between_the_lines_of_predictions_are_told_from_them(proposed, rows, served):
    proposal = proposed(both=[{**one, "msg": "score"} for one in served] + labels_of(rows, served, days=3))
    assert proposal.origins[1].format["where"] == {"outcome": "*"}
    assert proposal.profile.joined == 1.0


def test_labels_that_could_be_of_any_model_are_told_and_not_taken(proposed, rows, served):
    named = [{**one, "model": "ab"[index % 2]} for index, one in enumerate(served)]
    proposal = proposed(served=named, outcomes=labels_of(rows, served, days=3))
    assert [origin.role for origin in proposal.origins] == [Role.PREDICTIONS]
    assert any("which of the models" in what for what in proposal.unknown)


def test_files_of_one_form_are_one_source(proposed, served):
    proposal = proposed(monday=served[:200], tuesday=served[200:])
    [origin] = proposal.origins
    assert list(origin.paths) == ["monday.jsonl", "tuesday.jsonl"]
    assert proposal.events == 400


def test_labels_alone_are_refused(proposed):
    told = [
        {"event": "label", "timestamp": "2026-03-01T00:00:00Z", "model": "m", "prediction_id": f"p{index}", "label": 1}
        for index in range(50)
    ]
    with pytest.raises(InputError, match="labels only"):
        proposed(labels=told)


def test_native_events_need_no_mapping(proposed, rows):
    events = [
        {
            "event": "prediction",
            "timestamp": rows.iso(index),
            "model": "m",
            "features": {"a": index},
            "prediction": {"value": 1.5},
        }
        for index in range(50)
    ]
    [origin] = proposed(events=events).origins
    assert (origin.kind, dict(origin.format)) == ("mlvitals", {})


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("logs/churn-2026-03-01.jsonl.gz", "churn"),
        ("card_fraud_events.parquet", "card-fraud"),
        ("inference.log", "model"),
        ("-", "model"),
    ],
)
def test_a_model_that_the_log_does_not_name_is_called_after_the_file(path, name):
    assert model_name(path) == name


def profile(step, count=1_000, **facts):
    times = np.arange(count, dtype=np.int64) * step
    return Profile(models=["m"], task=Task.BINARY, positive=None, kinds={}, times=times, **facts)


@pytest.mark.parametrize(("step", "size"), [(SECOND, "10m"), (MINUTE // 2, "1h"), (2 * MINUTE, "6h"), (2 * HOUR, "1w")])
def test_the_window_is_the_smallest_that_holds_a_hundred_predictions(step, size):
    assert spans.window_size(profile(step), whole=False).value == size


def test_a_short_whole_log_has_several_windows_rather_than_many_predictions_in_each():
    assert spans.window_size(profile(2 * MINUTE, count=200), whole=True).value == "1h"


def test_a_log_that_goes_on_is_learnt_from_for_two_weeks():
    assert spans.first_stretch(profile(SECOND), "10m", whole=False).value == "14d"


def test_a_whole_log_is_learnt_from_for_a_third_of_it():
    assert spans.first_stretch(profile(DAY // 10, count=300), "1d", whole=True).value == "7d"


def test_maturities_are_ages_by_which_labels_are_known():
    delays = np.sort(np.array([HOUR] * 50 + [2 * DAY] * 45 + [20 * DAY] * 5, dtype=np.int64))
    assert spans.maturities(delays)[:2] == (["1h", "2d", "21d"], "45d")


def test_lateness_is_left_alone_unless_times_go_back_by_more():
    assert spans.lateness(profile(SECOND, disorder=5 * MINUTE)) is None
    told = spans.lateness(profile(SECOND, disorder=50 * MINUTE))
    assert told is not None
    assert told.value == "1h"


@pytest.mark.parametrize(("names", "task"), [(("0", "1"), Task.BINARY), (("cat", "dog"), Task.MULTICLASS)])
def test_two_classes_of_which_only_probabilities_are_logged_are_binary_where_they_are_0_and_1(
    proposed, rows, names, task
):
    shares = [round(0.1 + index % 9 / 10, 3) for index in range(200)]
    served = [
        {
            "time": rows.iso(index),
            "request_id": rows.id(),
            "features": {"n": rows.share()},
            "probabilities": dict(zip(names, (share, round(1 - share, 3)), strict=True)),
        }
        for index, share in enumerate(shares)
    ]
    assert proposed(served=served).profile.task is task
