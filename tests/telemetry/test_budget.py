from hypothesis import given
from hypothesis import strategies as st

from mlvitals.telemetry import Allowance, Demand, Rank, SeriesBudget, Unit, allow
from mlvitals.telemetry.series import Key

BASE = Unit(Rank.BASE, 0, "")


def demand(base, signals, segments, features, per_feature=2):
    """Return what a model demands that has so many series, signals, segments and features."""
    whole: dict[Key, Unit] = {(f"m.base_{index}", frozenset()): BASE for index in range(base)}
    for place in range(signals):
        whole[f"m.signal_{place}", frozenset()] = Unit(Rank.SIGNAL, place, f"m.signal_{place}")
    parted: dict[Key, Unit | None] = {}
    for place in range(features):
        name = f"f{place}"
        for one in range(per_feature):
            key = (f"m.feature_{one}", frozenset({("feature", name)}))
            whole[key] = Unit(Rank.FEATURE, place, name)
            if segments:
                parted[key] = Unit(Rank.FEATURE_IN_SEGMENTS, place, name)
    if segments:
        parted["m.base_0", frozenset()] = None
    names = [f"channel={place}" for place in range(segments)]
    return Demand(whole=whole, parted=parted, segments=names, moving=frozenset())


def given_to(budget, model) -> Allowance:
    allowance: Allowance | None = budget.of(model)
    assert allowance is not None
    return allowance


DEMANDS = st.builds(demand, *(st.integers(least, 6) for least in (1, 0, 0, 0)))


@given(one=DEMANDS, versions=st.integers(1, 3), most=st.integers(0, 200))
def test_the_budget_holds_and_what_stays_is_the_beginning_of_the_order(one, versions, most):
    allowed = allow(one, versions, most)
    assert allowed.series - one.base * versions <= most
    order = list(one.units)
    assert order == sorted(order)
    kept = [unit for unit in order if unit in allowed.kept]
    assert kept == order[: len(kept)]
    assert BASE in allowed.kept
    assert allowed.series + sum(allowed.cut.values()) == one.total * versions
    if len(kept) < len(order):
        assert allowed.series - one.base * versions + one.units[order[len(kept)]] * versions > most


@given(one=DEMANDS, less=st.integers(0, 100), more=st.integers(0, 100))
def test_a_larger_budget_only_adds(one, less, more):
    assert allow(one, 2, less).kept <= allow(one, 2, less + more).kept


@given(one=DEMANDS, versions=st.integers(1, 3), most=st.integers(0, 100))
def test_the_points_that_are_let_through_are_as_many_series_as_were_allowed(one, versions, most):
    allowed = allow(one, versions, most)
    identity = {"model": "m", "model_version": "7", "environment": "prod"}
    points = [(name, identity | dict(attributes)) for name, attributes in one.whole]
    points += [
        (name, identity | dict(attributes) | {"segment": segment})
        for name, attributes in one.parted
        for segment in one.segments
    ]
    assert sum(allowed.lets(*point) for point in points) * versions == allowed.series


def test_features_leave_before_segments_and_segments_before_signals():
    one = demand(base=2, signals=2, segments=2, features=2)
    kept = [[(unit.rank.name, unit.name) for unit in allow(one, 1, most).kept if unit != BASE] for most in range(30)]
    grown = [sorted(units) for units in kept]
    assert [len(units) for units in grown] == sorted(len(units) for units in grown)
    order = [
        ("SIGNAL", "m.signal_0"),
        ("SIGNAL", "m.signal_1"),
        ("SEGMENT", "channel=0"),
        ("SEGMENT", "channel=1"),
        ("FEATURE", "f0"),
        ("FEATURE", "f1"),
        ("FEATURE_IN_SEGMENTS", "f0"),
        ("FEATURE_IN_SEGMENTS", "f1"),
    ]
    assert all(units == sorted(order[: len(units)]) for units in grown)
    assert grown[-1] == sorted(order)


def test_a_series_that_nobody_foresaw_does_not_leave():
    allowed = allow(demand(base=1, signals=1, segments=1, features=1), 1, None)
    assert allowed.lets("m.base_0", {"model_version": "never seen"})
    assert not allowed.lets("m.base_0", {"class": "new"})
    assert not allowed.lets("m.other", {})
    assert allowed.lets("m.base_0", {"segment": "channel=0"})
    assert not allowed.lets("m.base_0", {"segment": "channel=new"})


@given(demands=st.lists(DEMANDS, min_size=1, max_size=5), series=st.integers(1, 300))
def test_all_models_together_stay_within_the_budget_where_their_bases_do(demands, series):
    budget = SeriesBudget(series, 2)
    named = {f"model {place}": one for place, one in enumerate(demands)}
    budget.begin(named)
    sent = sum(given_to(budget, name).series for name in named)
    bases = 2 * sum(one.base for one in demands)
    assert sent <= max(series, bases)
    assert budget.left == series - sent


@given(demands=st.lists(DEMANDS, min_size=1, max_size=4), new=DEMANDS, series=st.integers(1, 300))
def test_a_model_that_comes_while_others_run_takes_nothing_from_them(demands, new, series):
    budget = SeriesBudget(series, 2)
    named = {f"model {place}": one for place, one in enumerate(demands)}
    budget.begin(named)
    before = {name: budget.of(name) for name in named}
    came = budget.join("new", new)
    assert {name: budget.of(name) for name in named} == before
    assert BASE in came.kept
    left = budget.left
    again = budget.join("new", new)  # it has learnt its reference, which asks for as much
    assert again.kept == came.kept
    assert budget.left == left


@given(demands=st.lists(DEMANDS, min_size=2, max_size=5), series=st.integers(1, 300))
def test_a_new_model_at_the_end_costs_nobody_anything_while_there_is_room_and_never_the_first_ones_first(
    demands, series
):
    named = {f"model {place}": one for place, one in enumerate(demands)}
    before, after = SeriesBudget(series, 2), SeriesBudget(series, 2)
    before.begin(dict(list(named.items())[:-1]))
    after.begin(named)
    changed = [name for name in list(named)[:-1] if before.of(name) != after.of(name)]
    if before.left >= 2 * demands[-1].base:
        assert changed == []
    if changed:  # what its large unit no longer takes may serve a small one of a later model
        assert given_to(after, changed[0]).kept < given_to(before, changed[0]).kept
