"""A warning lasts until its value is well back, from window to window, whatever happens to the process in between."""

import sqlite3

import pytest

from mlvitals.clock import DAY, HOUR, format_time
from mlvitals.config import DecisionsConfig, PageOnConfig
from mlvitals.engines.standings import Standings, series_of
from mlvitals.signals.spec import Status
from mlvitals.state import Store
from mlvitals.windows.cohorts import PREVIOUS_AT_MOST, CohortKey

MISSING = "mlvitals.feature.missing.ratio"
ROWS = 200
# Of 200 rows, 6 without x are beyond the level; 5 keep a warning, fewer end it.
HOVERING = [0, 5, 6, 5, 5, 4, 5, 5, 6, 5]
TOLD = ["ok", "ok", "warning", "warning", "warning", "ok", "ok", "ok", "warning", "warning"]


def window(bench, hour, missing, *, rows=ROWS, version="1", **more):
    """Return the rows of an hour, of which some have no x."""
    start = bench.start + hour * HOUR
    return [
        bench.prediction(
            f"{version}-{hour}-{row}",
            start + row * 1_000_000,
            model_version=version,
            features={"c": "a", "channel": "web"} | ({} if row < missing else {"x": 1.0}),
            **more,
        )
        for row in range(rows)
    ]


def told(bench, *, version="1", **attributes):
    """Return the missing ratio of x, window by window."""
    found = {
        one.window_start: one
        for emission in bench.emissions
        for one in emission.measurements
        if one.signal == MISSING
        and one.model_version == version
        and dict(one.attributes) == {"feature": "x", **attributes}
    }
    return [found[start] for start in sorted(found)]


def statuses(bench, **of):
    return [one.status.value for one in told(bench, **of)]


def standing(bench):
    return bench.rows("standing")["standing"]


def ends(bench, windows):
    return bench.start + len(windows) * HOUR


def hours(bench, missing, first=0):
    return [("s", window(bench, first + hour, one)) for hour, one in enumerate(missing)]


def test_a_warning_begins_at_its_level_and_lasts_down_to_the_lower_one(bench):
    bench.feed(hours(bench, HOVERING), until=ends(bench, HOVERING))
    measured = told(bench)
    assert [one.status.value for one in measured] == TOLD
    (level,) = {one.threshold for one in measured}
    assert 5 / ROWS < level < 6 / ROWS
    assert 4 / ROWS < 0.75 * level < 5 / ROWS
    lasting = [place for place, one in enumerate(measured) if "lasts_to" in one.evidence]
    assert lasting == [3, 4, 9]
    assert measured[3].evidence["lasts_to"] == pytest.approx(0.75 * level, rel=1e-12)


def test_any_restart_tells_and_keeps_the_same_to_the_bit(make_bench):
    at_once, stepwise = make_bench(), make_bench()
    batches = hours(at_once, HOVERING)
    at_once.feed(batches, until=ends(at_once, batches))
    for hour, batch in enumerate(batches):
        stepwise.feed([batch], until=stepwise.start + (hour + 1) * HOUR)
    assert stepwise.latest() == at_once.latest()
    assert standing(stepwise) == standing(at_once) != []


def test_a_transaction_that_is_taken_back_takes_the_standing_back(bench):
    bench.feed(hours(bench, [6]), until=bench.start + HOUR)
    before = standing(bench)

    def fail(_connection, _emissions):
        raise sqlite3.OperationalError("database or disk is full")

    store, engine = bench.open(until=bench.start + 2 * HOUR, emit=fail)
    with store:
        engine.process("s", bench.decode(window(bench, 1, 0)))
        with pytest.raises(sqlite3.OperationalError, match="full"):
            engine.advance_when_all_is_read()
    assert standing(bench) == before != []
    bench.feed([], until=bench.start + 2 * HOUR)
    assert statuses(bench) == ["warning", "ok"]
    assert standing(bench) != before


@pytest.mark.parametrize(("lasting", "segment"), [(5, {}), (6, {"segment": "channel=web"})])
def test_versions_and_segments_stand_for_themselves(make_bench, lasting, segment):
    """A segment, of which the reference holds fewer rows than of all, warns from 7.01 rows on, and all from 5.83."""
    bench = make_bench(config=make_bench().make_config(segments=("channel",)))
    both = [
        ("s", [*window(bench, hour, one), *window(bench, hour, lasting, version="2")])
        for hour, one in enumerate([8, lasting])
    ]
    bench.feed(both, until=ends(bench, both))
    assert statuses(bench, **segment) == ["warning", "warning"]
    assert statuses(bench, version="2", **segment) == ["ok", "ok"]


def test_nothing_is_kept_of_what_does_not_warn(bench):
    bench.feed(hours(bench, [6, 0]), until=ends(bench, [6]))
    assert MISSING.encode() in standing(bench)[0][-1]
    bench.feed([], until=ends(bench, [6, 0]))
    assert MISSING.encode() not in b"".join(row[-1] for row in standing(bench))


def test_a_window_of_too_few_rows_does_not_end_a_warning(bench):
    few = [("s", window(bench, 0, 6)), ("s", window(bench, 1, 0, rows=5)), ("s", window(bench, 2, 5))]
    bench.feed(few, until=ends(bench, few))
    assert statuses(bench) == ["warning", "insufficient_data", "warning"]


def test_a_warning_of_long_ago_is_over(bench):
    bench.feed([])
    place, series = series_of(MISSING, {"feature": "x"}), "1"
    with Store.open(bench.path, ()) as store, store.transaction():
        kept = Standings(store.connection, "m")
        first = CohortKey(bench.start, series, "")
        kept.keep(first, {place: 1})
        assert kept.before(first) == {}, "a window does not stand before itself"
        assert kept.before(first._replace(start=bench.start + PREVIOUS_AT_MOST)) == {place: 1}
        assert kept.before(first._replace(start=bench.start + PREVIOUS_AT_MOST + 1)) == {}
        assert kept.before(CohortKey(bench.start + DAY, "2", "")) == {}
        kept.forget(bench.start + PREVIOUS_AT_MOST)
        assert kept.before(first._replace(start=bench.start + DAY)) == {place: 1}
        kept.forget(bench.start + PREVIOUS_AT_MOST + 1)
        assert kept.before(first._replace(start=bench.start + DAY)) == {}


@pytest.mark.parametrize(
    ("page_on", "pages"),
    [
        ([], False),
        ([PageOnConfig(signal=MISSING, feature="x")], True),
        ([PageOnConfig(signal=MISSING, feature="c")], False),
        ([PageOnConfig(signal=MISSING, model="other")], False),
        ([PageOnConfig(signal="mlvitals.feature.zero.ratio")], False),
    ],
)
def test_only_what_a_person_named_pages_and_says_that_it_is_outside_of_the_budget(page_on, pages, make_bench):
    bench = make_bench(decisions=DecisionsConfig(page_on=tuple(page_on)))
    bench.feed(hours(bench, HOVERING), until=ends(bench, HOVERING))
    warns = "alert" if pages else "warning"
    assert statuses(bench) == [warns if one == "warning" else one for one in TOLD]
    said = ["page" in one.evidence for one in told(bench)]
    assert said == [pages and one == "warning" for one in TOLD]
    assert {one.evidence["page"] for one in told(bench) if "page" in one.evidence} <= {"outside of the budget"}
    every = [one for emission in bench.emissions for one in emission.measurements if one.status is Status.ALERT]
    others = [one for one in every if not one.signal.endswith(".evidence")]  # detectors page within the budget
    assert {one.signal for one in others} <= {"mlvitals.signal.status"} | ({MISSING} if pages else set())
    assert all(one.window_start >= format_time(bench.start) for one in others)
