"""A model's detectors, window by window: one finding an episode, recoveries, words, and the same after a restart."""

import math

import numpy as np
import pytest

from mlvitals.clock import HOUR
from mlvitals.decisions.columns import column_streams
from mlvitals.decisions.ensemble import Ensemble, Rule
from mlvitals.windows.bins import MISSING, UNSEEN
from tests.decisions.ensembles import (
    BAR,
    BINS,
    CHANCES,
    CUTS,
    FEATURES,
    WINDOWS,
    drifted,
    found,
    made,
    moved,
    quiet,
    recovered,
    run,
    start,
    window_of,
)
from tests.decisions.histories import HOURLY, NUMERIC, draw, feature, learnt, watched


def test_weeks_without_a_change_say_nothing():
    ensemble = made(together=FEATURES)
    judgements = run(ensemble, quiet(500), bar=3.0)
    assert (found(judgements), recovered(judgements), ensemble.latched) == ([], [], frozenset())


@pytest.mark.parametrize("strength", [0.5, -0.5])
def test_one_episode_is_one_finding_and_one_recovery(strength):
    ensemble = made()
    judgements = run(ensemble, quiet(40) + drifted(60, strength) + quiet(60, 51))
    ((when, finding),) = found(judgements)
    assert 40 <= when <= 44
    assert finding.source == feature("amount")
    assert finding.component == "location"
    assert finding.unit == "{sd}"
    assert math.copysign(1, finding.effect) == math.copysign(1, strength)
    assert finding.lower < finding.effect < finding.upper
    assert finding.evidence >= finding.bar == BAR
    assert (finding.start, finding.end) == (start(when), start(when) + HOUR)
    assert abs(finding.onset - start(40)) <= HOUR
    assert finding.onset <= finding.start
    ((over, source),) = recovered(judgements)
    assert source == feature("amount")
    assert 100 + 9 <= over <= 100 + 24
    assert judgements[over].recoveries[0].end == start(over) + HOUR
    assert ensemble.latched == frozenset()


def test_an_alarm_lasts_as_long_as_the_step_and_through_windows_without_rows():
    ensemble = made()
    empty = [np.zeros(CUTS[-1])] * 60
    judgements = run(ensemble, drifted(30) + empty + drifted(100, seed=61))
    assert len(found(judgements)) == 1
    assert recovered(judgements) == []
    assert ensemble.latched == {feature("amount")}


def test_windows_without_rows_change_no_evidence():
    ensemble = made()
    run(ensemble, quiet(20) + drifted(1))
    before = dict(ensemble.evidence)
    run(ensemble, [np.zeros(CUTS[-1])] * 30, first=21)
    assert ensemble.evidence == before


@pytest.mark.parametrize(
    ("column", "cell", "component"),
    [(0, NUMERIC.size + MISSING, "missing"), (0, 0, "out_of_range"), (1, 3 + UNSEEN, "unseen")],
)
def test_a_rare_rate_that_rises_is_named(column, cell, component):
    random = np.random.default_rng(3)
    windows = []
    for counts in quiet(12):
        part = slice(CUTS[column], CUTS[column] + BINS[list(BINS)[column]].size)
        gone = random.binomial(counts[part].astype(int), 0.03)
        counts[part] -= gone
        counts[CUTS[column] + cell] += gone.sum()
        windows.append(counts)
    (_, finding), *others = found(run(made(), windows))
    assert finding.component == component
    assert finding.source == feature(list(BINS)[column])
    assert finding.effect > 0
    assert finding.unit == "{angle}"
    assert all(other.source == finding.source for _, other in others)


def test_a_category_that_grows_is_a_change_of_shape():
    random = np.random.default_rng(4)
    chances = [CHANCES[0], np.array([0.35, 0.44, 0.19, 0.001, 0.019, 0.0]), CHANCES[2]]
    ((_, finding),) = found(run(made(), [window_of(random, chances) for _ in range(30)]))
    assert (finding.source, finding.component) == (feature("color"), "shape")
    assert finding.effect > 0.01


def test_a_change_smaller_than_is_to_be_told_pages_nobody_and_hides_no_greater_one():
    """A small shift that lasts gathers all the evidence there may be; then values go missing too."""
    random = np.random.default_rng(5)
    slight = [window_of(random, moved(0.12), 200_000) for _ in range(60)]
    gone = [counts.copy() for counts in slight[:10]]
    for counts in gone:
        counts[NUMERIC.size + MISSING] += 8_000
    strict = made(min_effect=0.5)
    assert found(run(strict, slight)) == []
    assert strict.evidence[feature("amount")] > 10
    lax = made(min_effect=0.0)
    assert [finding.component for _, finding in found(run(lax, slight))][:1] == ["location"]
    middling = made(min_effect=0.2)
    assert found(run(middling, slight)) == []
    assert [finding.component for _, finding in found(run(middling, gone, first=60))] == ["missing"]


@pytest.mark.parametrize("seed", range(4))
def test_a_lesser_step_pages_nobody_however_often_chance_adds_to_it(seed):
    """By 0.09 deviations: the estimate alone exceeds 0.1 in one window or another."""
    random = np.random.default_rng(seed)
    ensemble = made(min_effect=0.1)
    assert found(run(ensemble, [window_of(random, moved(0.13)) for _ in range(40)])) == []
    assert ensemble.evidence[feature("amount")] > BAR


@pytest.mark.parametrize("own", [3.0, BAR, 30.0, math.inf])
def test_no_single_window_alarms(own):
    """Not even where only the detector of all together may page."""
    counts = np.zeros(CUTS[-1])
    counts[NUMERIC.size - 2] = counts[CUTS[1] + 2] = counts[CUTS[2]] = 500
    ensemble = made(together=FEATURES)
    bars = dict.fromkeys(ensemble.sources, own) | {FEATURES: min(own, BAR)}
    windows = [*quiet(5), counts, *quiet(30, 52)]
    judgements = [ensemble.take(one, start(place), bars) for place, one in enumerate(windows)]
    assert found(judgements) == []


def test_what_moves_all_a_little_is_found_together():
    random = np.random.default_rng(6)
    names = [f"f{number}" for number in range(12)]
    history = draw(random, CHANCES[0], np.full((WINDOWS, 12), 500))
    streams = column_streams([watched(name, NUMERIC, history[:, place]) for place, name in enumerate(names)])
    usually = learnt(streams, history.reshape(WINDOWS, -1))
    ensemble = Ensemble(usually, Rule(size=HOURLY, tolerance=0.02, min_effect=0.05), FEATURES)
    bars = dict.fromkeys(ensemble.sources, 30.0) | {FEATURES: 4.0}
    slight = moved(0.15)[0]
    judgements = [
        ensemble.take(draw(random, slight, np.full(12, 500)).ravel(), start(place), bars) for place in range(30)
    ]
    ((when, finding),) = found(judgements)
    assert finding.source == FEATURES
    assert when < 29
    ensemble.rebase(FEATURES)
    assert ensemble.latched == frozenset()
    later = [
        ensemble.take(draw(random, slight, np.full(12, 500)).ravel(), start(30 + place), bars) for place in range(150)
    ]
    assert (found(later), recovered(later), ensemble.latched) == ([], [], frozenset())


def test_an_alarm_of_all_together_takes_what_each_had_gathered():
    ensemble = made(together=FEATURES)
    bars = dict.fromkeys(ensemble.sources, 30.0) | {FEATURES: BAR}
    windows = iter(drifted(40))
    for place in range(40):
        if found([ensemble.take(next(windows), start(place), bars)]):
            break
    assert ensemble.latched == {FEATURES}
    ensemble.take(np.zeros(CUTS[-1]), start(place + 1), bars)
    assert max(ensemble.evidence[source] for source in ensemble.sources[:-1]) == -9


def test_while_a_level_is_learnt_nothing_is_judged_by_it():
    ensemble = made()
    ensemble.rebase(feature("amount"))
    restless = [one for strength in (0.0, 1.0, -1.0, 0.7, -0.7, 0.0) for one in drifted(4, strength)]
    assert found(run(ensemble, restless)) == []
    assert len(found(run(ensemble, drifted(12, 1.5), first=24))) == 1


def test_an_alarm_of_shape_is_over_at_the_same_window_after_a_restart():
    random = np.random.default_rng(4)
    chances = [CHANCES[0], np.array([0.35, 0.44, 0.19, 0.001, 0.019, 0.0]), CHANCES[2]]
    whole, again = made(), made()
    assert len(found(run(whole, [window_of(random, chances) for _ in range(30)]))) == 1
    again.restore([one.copy() for one in whole.kept])
    windows = [window_of(random, chances) for _ in range(30)] + quiet(40)
    over = recovered(run(whole, windows, first=30))
    assert [source for _, source in over] == [feature("color")]
    assert 30 + 9 <= over[0][0] <= 30 + 24
    assert recovered(run(again, windows, first=30)) == over


def test_a_person_who_accepts_makes_what_follows_usual_and_a_return_is_news():
    ensemble = made()
    assert len(found(run(ensemble, drifted(20)))) == 1
    ensemble.rebase(feature("amount"))
    assert ensemble.latched == frozenset()
    same = run(ensemble, drifted(250, seed=62), first=20)
    assert (found(same), recovered(same)) == ([], [])
    back = found(run(ensemble, quiet(15, 53), first=270))
    assert [finding.source for _, finding in back] == [feature("amount")]
    assert back[0][1].effect < 0


def test_a_rate_that_was_accepted_is_judged_by_its_new_level():
    def accounts(rate, count, seed):
        random = np.random.default_rng(seed)
        return [window_of(random, [*CHANCES[:2], np.array([rate, 1 - rate, 0.0])]) for _ in range(count)]

    ensemble = made()
    assert [finding.component for _, finding in found(run(ensemble, accounts(0.03, 12, 1)))] == ["missing"]
    ensemble.rebase(feature("account"))
    assert found(run(ensemble, accounts(0.03, 200, 2), first=12)) == []
    assert len(found(run(ensemble, accounts(0.15, 12, 3), first=212))) == 1


def test_a_level_is_learnt_from_windows_that_say_something():
    ensemble = made()
    run(ensemble, drifted(20))
    ensemble.rebase(feature("amount"))
    run(ensemble, [np.zeros(CUTS[-1])] * 100, first=20)
    assert found(run(ensemble, drifted(150, seed=63), first=120)) == []


def test_a_release_begins_anew_without_a_new_level():
    ensemble = made()
    run(ensemble, drifted(20))
    ensemble.release(feature("amount"))
    assert ensemble.latched == frozenset()
    ((when, _),) = found(run(ensemble, drifted(20, seed=64), first=20))
    assert when >= 1


def test_a_bar_that_falls_takes_evidence_along_and_one_that_rises_does_not():
    windows = quiet(10) + drifted(5, 0.5)
    same, lowered, raised = made(), made(), made()
    for ensemble in (same, lowered, raised):
        run(ensemble, windows, bar=40.0)
    source, following = feature("amount"), quiet(1, 55)
    assert same.evidence[source] > 6
    run(same, following, bar=40.0, first=15)
    run(lowered, following, bar=38.0, first=15)
    run(raised, following, bar=42.0, first=15)
    assert lowered.evidence[source] == pytest.approx(same.evidence[source] - 2.0, abs=0.01)
    assert raised.evidence[source] == pytest.approx(same.evidence[source], abs=0.01)


def test_what_was_gathered_without_a_budget_does_not_count_once_there_is_one():
    ensemble = made()
    assert found(run(ensemble, drifted(30), bar=math.inf)) == []
    assert ensemble.evidence[feature("amount")] > BAR
    run(ensemble, quiet(1), first=30)
    assert ensemble.evidence[feature("amount")] < 1.5


def test_a_restored_ensemble_goes_on_to_the_bit_from_any_window():
    random = np.random.default_rng(9)
    windows = quiet(12) + drifted(25) + quiet(30, 56)
    windows[5] = np.zeros(CUTS[-1])
    for place in random.integers(0, 67, 6):
        windows[place] = window_of(random, CHANCES, int(random.integers(0, 4)))
    whole = made(together=FEATURES)
    told, states = [], []
    for place, counts in enumerate(windows):
        if place == 45:
            whole.rebase(feature("color"))
        states.append([one.copy() for one in whole.kept])
        told += run(whole, [counts], first=place)
    assert found(told)
    for cut in (0, 3, 13, 15, 20, 36, 46, 50, 66):
        again = made(together=FEATURES)
        again.restore(states[cut])
        if cut < 45:
            before = run(again, windows[cut:45], first=cut)
            again.rebase(feature("color"))
            cut_told = before + run(again, windows[45:], first=45)
        else:
            cut_told = run(again, windows[cut:], first=cut)
        assert cut_told == told[cut:]
        assert all(
            np.array_equal(one, other, equal_nan=True) for one, other in zip(whole.kept, again.kept, strict=True)
        )


def test_state_is_small():
    assert sum(one.nbytes for one in made(together=FEATURES).kept) < 3 * 64 * 1024 / 4
