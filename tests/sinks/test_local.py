import pytest

from mlvitals.clock import DAY, parse_time
from mlvitals.delivery import Outcome, Verdict
from mlvitals.signals.spec import Export
from mlvitals.sinks import LocalSink
from mlvitals.sinks.local import MIGRATIONS, measurements
from mlvitals.sinks.pages import unpack
from mlvitals.state import Migrations, Store
from mlvitals.telemetry import LogRecord, render


@pytest.fixture
def local(context):
    return LocalSink(keep="92d").open(context)


@pytest.fixture
def keep(local, service, specs):
    """Send measurements as the pipeline does."""

    def keep(*given, stamp=10, local=local):
        points, logs = render(given, stamp=stamp, start=0, level=Export.FULL, specs=specs, service=service)
        (request,) = local.encode(points, logs)
        assert request.items == len(given)
        assert local.send(request) == Outcome(verdict=Verdict.OK)

    return keep


def stored(context, **wanted):
    return list(measurements(context.store, **wanted))


def test_a_measurement_is_read_as_it_was_made(keep, context, measurement):
    one = measurement(value=0.1 + 0.2)
    keep(one)
    assert stored(context) == [one]


def test_sending_twice_changes_nothing(keep, context, measurement):
    keep(measurement(), measurement(attributes={}))
    keep(measurement(), measurement(attributes={}))
    assert len(stored(context)) == 2


def test_only_a_higher_revision_replaces(keep, context, measurement):
    keep(measurement(revision=1, value=1.0))
    keep(measurement(revision=0, value=0.0))
    keep(measurement(revision=1, value=9.0))
    assert [one.value for one in stored(context)] == [1.0]
    keep(measurement(revision=2, value=2.0))
    assert [(one.value, one.revision) for one in stored(context)] == [(2.0, 2)]


@pytest.mark.parametrize(
    "other",
    [
        {"signal": "mlvitals.prediction.count"},
        {"model": "other"},
        {"model_version": "8"},
        {"environment": "test"},
        {"window_start": "2020-09-13T11:26:40Z"},
        {"attributes": {"feature": "amount", "method": "psi"}},
    ],
)
def test_each_part_of_the_identity_makes_another_measurement(keep, context, measurement, other):
    keep(measurement(), measurement(**other))
    assert len(stored(context)) == 2


def test_measurements_come_by_model_version_window_signal_and_attributes(keep, context, measurement):
    ordered = [
        measurement(
            model="a", model_version="2", window_start="1969-12-31T00:00:00Z", window_end="1970-01-01T00:00:00Z"
        ),
        measurement(
            model="a", model_version="2", signal="mlvitals.feature.drift.location", attributes={"feature": "x"}
        ),
        measurement(
            model="a", model_version="2", signal="mlvitals.feature.drift.location", attributes={"feature": "y"}
        ),
        measurement(model="a", model_version="2", signal="mlvitals.prediction.count"),
        measurement(model="a", model_version="3", window_start="2019-01-01T00:00:00Z"),
        measurement(model="b", model_version="1"),
    ]
    keep(*reversed(ordered))
    assert stored(context) == ordered


def test_measurements_can_be_asked_for_by_signal_model_and_time(keep, context, measurement):
    late = measurement(window_start="2021-01-01T00:00:00Z")
    other = measurement(model="other", signal="mlvitals.prediction.count")
    keep(measurement(), late, other)
    assert stored(context, signal="mlvitals.prediction.count") == [other]
    assert stored(context, model="card-fraud") == [measurement(), late]
    assert stored(context, since=parse_time("2021-01-01T00:00:00Z")) == [late]
    assert stored(context, model="other", since=parse_time("2021-01-01T00:00:00Z")) == []


def test_points_and_other_events_are_no_business_of_the_store(local, points):
    assert local.encode(points([1.0]), [LogRecord(event_name="mlvitals.audit", time=1)]) == []


def test_the_same_measurements_give_the_same_bytes(local, service, specs, measurement):
    def encoded(attributes):
        one = [measurement(attributes=attributes)]
        return local.encode(*render(one, stamp=1, start=0, level=Export.LEAN, specs=specs, service=service))

    assert encoded({"feature": "x", "method": "psi"}) == encoded({"method": "psi", "feature": "x"})


def window(day):
    """Return the fields of the measurement of a window that is a day."""
    start = f"2026-{1 + day // 28:02}-{1 + day % 28:02}"
    return {"window_start": f"{start}T00:00:00Z", "window_end": f"{start}T23:00:00Z"}


def test_what_was_plotted_longer_ago_than_is_kept_is_forgotten(keep, context, measurement):
    first, second, third = (measurement(**window(day)) for day in range(3))
    keep(first, stamp=DAY)
    keep(second, stamp=93 * DAY)
    assert stored(context) == [first, second]
    keep(third, stamp=93 * DAY + 1)
    assert stored(context) == [second, third]


def test_all_is_kept_where_nothing_else_is_asked(keep, context, measurement):
    forever = LocalSink().open(context)
    first, second = (measurement(**window(day)) for day in range(2))
    keep(first, stamp=DAY, local=forever)
    keep(second, stamp=10_000 * DAY, local=forever)
    assert stored(context) == [first, second]


def test_a_model_that_serves_no_more_keeps_its_last_quarter(keep, context, measurement):
    last = measurement(model="retired")
    keep(last, stamp=DAY)
    keep(measurement(), stamp=1_000 * DAY)
    assert last in stored(context)


def test_what_is_known_late_of_an_old_window_is_kept_as_long_as_other_news(keep, context, measurement):
    late = measurement(**window(0), attributes={"maturity": "180d"})
    keep(measurement(**window(0)), stamp=DAY)
    keep(late, stamp=181 * DAY)
    keep(measurement(**window(100)), stamp=181 * DAY)
    assert stored(context) == [late, measurement(**window(100))]
    keep(measurement(**window(101)), stamp=273 * DAY + 1)
    assert stored(context) == [measurement(**window(101))]


def test_a_revision_that_comes_later_than_what_it_revises_is_kept_leaves_nothing(keep, context, measurement):
    keep(measurement(**window(0), attributes={"maturity": "7d"}), stamp=8 * DAY)
    keep(measurement(**window(150)), stamp=150 * DAY)
    keep(measurement(**window(0), attributes={"maturity": "7d"}, revision=1), stamp=8 * DAY)
    assert stored(context) == [measurement(**window(150))]


def test_a_shorter_time_takes_effect_a_few_pages_at_a_time(keep, context, measurement):
    for day in range(10):
        keep(measurement(**window(day)), stamp=day * DAY)
    short = LocalSink(keep="1d").open(context)
    keep(measurement(**window(10)), stamp=10 * DAY, local=short)
    assert stored(context) == [measurement(**window(day)) for day in range(4, 11)]
    keep(measurement(**window(11)), stamp=11 * DAY, local=short)
    keep(measurement(**window(12)), stamp=12 * DAY, local=short)
    assert stored(context) == [measurement(**window(day)) for day in (11, 12)]


def test_to_keep_nothing_is_refused():
    with pytest.raises(ValueError, match="`keep` must be longer than nothing"):
        LocalSink(keep="0d")


def test_features_of_one_signal_share_a_page_and_what_is_chosen_by_does_not(keep, context, measurement):
    def drift(feature, **chosen):
        return measurement(attributes={"feature": feature, **chosen}, status="warning")

    keep(drift("a", comparison="operating"), drift("b", comparison="operating"), drift("a", comparison="previous"))
    query = "SELECT shared, warnings, documents FROM measurement_page ORDER BY shared"
    pages = context.store.connection.execute(query).fetchall()
    assert [page[:2] for page in pages] == [('{"comparison":"operating"}', 2), ('{"comparison":"previous"}', 1)]
    assert [unpack(page[2]).count(b'"feature"') for page in pages] == [2, 1]


def test_a_window_too_long_for_a_record_is_kept_whole(keep, context, measurement):
    many = [measurement(attributes={"feature": f"{number:04}" + "x" * 500}) for number in range(1_000)]
    keep(*many)
    assert stored(context) == many
    assert context.store.connection.execute("SELECT count(*) FROM measurement_page").fetchone() == (1,)


def test_a_state_of_the_first_table_is_brought_up_to_date(tmp_path):
    before = Migrations(owner=MIGRATIONS.owner, steps=MIGRATIONS.steps[:2])
    with Store.open(tmp_path / "state.db", [before]) as store, store.transaction() as connection:
        connection.execute("INSERT INTO measurement VALUES ('i', 'm', '1', 0, 1, 's', '{}', 'ok', 0, '{}')")
    with Store.open(tmp_path / "state.db", [MIGRATIONS]) as store:
        assert list(measurements(store)) == []
