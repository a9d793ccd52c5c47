"""Kinds told from values: each with what looks like it and is not."""

import uuid
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.windows.kinds import Inferred, infer_kind
from mlvitals.windows.layout import Kind

ROWS = 3_000
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
RANDOM = np.random.default_rng(0)
TIMES = [BEGIN + timedelta(minutes=int(minutes)) for minutes in np.sort(RANDOM.integers(0, 90 * 1_440, ROWS))]
MOMENTS = pa.array(TIMES, pa.timestamp("us", tz="UTC"))


def kind(values, moments=MOMENTS):
    array = values if isinstance(values, pa.Array) else pa.array(values)
    inferred = infer_kind([array], [] if moments is None else [moments.slice(0, len(array))])
    return None if inferred is None else inferred.kind


def every(read):
    return [read(moment) for moment in TIMES]


def local(name):
    return [moment.astimezone(ZoneInfo(name)) for moment in TIMES]


CALENDARS = {
    "hour": every(lambda moment: moment.hour),
    "hour from 1": every(lambda moment: moment.hour + 1),
    "hour in Auckland, across a change of its clock": [moment.hour for moment in local("Pacific/Auckland")],
    "hour in Kolkata, half an hour off": [moment.hour for moment in local("Asia/Kolkata")],
    "hour of which one in two hundred is wrong": every(lambda moment: moment.hour)[:-15] + [25] * 15,
    "weekday from Monday": every(lambda moment: moment.weekday()),
    "weekday from Sunday, from 1": every(lambda moment: moment.isoweekday() % 7 + 1),
    "weekday by name": every(lambda moment: f"{moment:%a}"),
    "day of the month": every(lambda moment: moment.day),
    "day of the year": every(lambda moment: moment.timetuple().tm_yday),
    "week": every(lambda moment: moment.isocalendar().week),
    "month": every(lambda moment: moment.month),
    "month as a double": every(lambda moment: float(moment.month)),
    "quarter in text that is a number": every(lambda moment: moment.hour // 6),
    "weekend": every(lambda moment: int(moment.weekday() >= 5)),
    "office hours": every(lambda moment: moment.weekday() < 5 and 8 <= moment.hour < 18),
    "half hour, scaled": every(lambda moment: (moment.hour * 2 + moment.minute // 30) / 47),
    "sine of the hour": every(lambda moment: float(np.sin(moment.hour / 24 * 2 * np.pi))),
    "seconds of a login in the days before": [int(moment.timestamp()) - 86_400 for moment in TIMES],
    "milliseconds": [moment.timestamp() * 1e3 for moment in TIMES],
    "nanoseconds": [int(moment.timestamp()) * 10**9 for moment in TIMES],
    "dates in text": every(lambda moment: f"{moment:%Y-%m-%d}"),
    "times in text": every(lambda moment: moment.isoformat()),
    "times": MOMENTS,
    "dates": MOMENTS.cast(pa.date32()),
}
DAILY = dict(zip(range(90), RANDOM.normal(size=90).tolist(), strict=True))
NUMBERS = {
    "a normal variable": RANDOM.normal(size=ROWS),
    "a double without repetition in ascending order": np.sort(RANDOM.random(ROWS)),
    "prices in cents": RANDOM.integers(10_000, 99_999_999, ROWS),
    "postcodes": RANDOM.integers(1_000, 99_999, ROWS),
    "a code of seven values": RANDOM.integers(0, 7, ROWS),
    "a code of twenty-four values": RANDOM.integers(0, 24, ROWS),
    "0 and 1": RANDOM.integers(0, 2, ROWS),
    "nearly always 0": (RANDOM.random(ROWS) < 0.003).astype(int),
    "a constant": np.ones(ROWS),
    "a rate that changes daily": [DAILY[(moment - BEGIN).days] for moment in TIMES],
    "a temperature that follows the hour, but not closely": [
        round(15 + 8 * np.sin(moment.hour / 24 * 2 * np.pi) + RANDOM.normal()) for moment in TIMES
    ],
    "the hour, wrong in one of thirty": [
        moment.hour if index % 30 else (moment.hour + 7) % 24 for index, moment in enumerate(TIMES)
    ],
    "years of birth": RANDOM.integers(1940, 2006, ROWS),
    "seconds of accounts opened long ago": RANDOM.integers(10**9, 16 * 10**8, ROWS).astype(float),
}
TEXTS = {
    "few values": (["web", "app"] * (ROWS // 2), Kind.CATEGORICAL),
    "postcodes": ([f"{code:05}" for code in RANDOM.integers(1_000, 9_999, ROWS)], Kind.CATEGORICAL),
    "names of three words that repeat": (["a taxi company", "another taxi company"] * 99, Kind.CATEGORICAL),
    "customers who come again": ([f"c{n:05}" for n in RANDOM.integers(0, 2_000, ROWS)], Kind.CATEGORICAL),
    "few rows that differ": ([f"value {n}" for n in range(40)], Kind.CATEGORICAL),
    "numerals": ([str(n) for n in RANDOM.integers(0, 50, ROWS)], Kind.CATEGORICAL),
    "no value": (pa.nulls(10, pa.string()), Kind.CATEGORICAL),
    "yes and no": (["yes", "No", None] * 100, Kind.BOOLEAN),
    "True and False": (["True", "False"] * 100, Kind.BOOLEAN),
    "false alone": (["false"] * 100, Kind.BOOLEAN),
    "yes alone": (["yes"] * 100, Kind.CATEGORICAL),
    "yes, no and maybe": (["yes", "no", "maybe"] * 100, Kind.CATEGORICAL),
    "0 and 1": (["0", "1"] * 100, Kind.BOOLEAN),
    "keys": ([str(uuid.UUID(int=int(n))) for n in RANDOM.integers(0, 2**62, ROWS)], Kind.IDENTIFIER),
    "free text": ([f"please call me about order {n} today" for n in range(ROWS)], Kind.TEXT),
    "long words": (["x" * 120 + str(n) for n in range(ROWS)], Kind.TEXT),
}


@pytest.mark.parametrize("name", CALENDARS)
def test_what_follows_from_the_time_is_a_calendar(name):
    assert kind(CALENDARS[name]) is Kind.CALENDAR


@pytest.mark.parametrize("name", NUMBERS)
def test_what_does_not_follow_from_the_time_stays_a_number(name):
    assert kind(NUMBERS[name]) is Kind.NUMERIC


@pytest.mark.parametrize("name", TEXTS)
def test_texts_are_told_apart_by_how_they_repeat_and_what_they_are_made_of(name):
    values, expected = TEXTS[name]
    assert kind(values) is expected
    array = values if isinstance(values, pa.Array) else pa.array(values)
    assert kind(array.dictionary_encode()) is kind(array.cast(pa.large_string())) is expected


@pytest.mark.parametrize("name", ["hour", "weekend", "milliseconds"])
def test_without_the_times_of_the_rows_a_number_is_a_number(name):
    assert kind(CALENDARS[name], None) is not Kind.CALENDAR


def test_whole_numbers_are_keys_where_they_never_repeat_and_ascend_or_are_long():
    ascending = pa.array(np.cumsum(RANDOM.integers(1, 4, ROWS)))
    random = pa.array(RANDOM.permutation(10**12 + np.arange(ROWS) * 977))
    assert kind(ascending) is kind(random) is Kind.IDENTIFIER
    assert kind(ascending.cast(pa.float64())) is Kind.NUMERIC
    assert kind(ascending.slice(0, 200)) is Kind.NUMERIC
    assert kind(pa.array(RANDOM.permutation(ROWS) + 1)) is Kind.NUMERIC


def test_columns_of_truth_values_are_boolean_and_vectors_are_not_monitored():
    assert kind([True, None]) is Kind.BOOLEAN
    assert kind([[1.0], [2.0]]) is None
    assert kind(pa.nulls(3)) is Kind.NUMERIC


def test_a_column_of_numbers_and_text_is_what_most_of_its_values_read_as():
    parts = [pa.array([1, 2, 3]), pa.array(["4", "N/A"]), pa.array([[1.0]])]
    assert infer_kind(parts) == Inferred(Kind.NUMERIC, "it is a number with 4 values")
    inferred = infer_kind([pa.array([1]), pa.array(["a", "b"])])
    assert inferred is not None
    assert inferred.kind is Kind.CATEGORICAL


@given(st.lists(st.none() | st.integers() | st.floats() | st.text(max_size=5), max_size=30), st.integers(0, 30))
def test_any_column_has_a_kind_and_a_reason(values, cut):
    texts = [None if value is None else str(value) for value in values]
    parts = [pa.array(texts[:cut], pa.string()), pa.array([value for value in values if isinstance(value, float)])]
    inferred = infer_kind(parts)
    assert inferred is not None
    assert inferred.reason
    assert "\n" not in inferred.reason


JUDGED = {
    "elec2": {Kind.CALENDAR: {"day", "period"}},
    "kc_house": {Kind.BOOLEAN: {"waterfront"}, Kind.CATEGORICAL: {"zipcode"}},
    "fraud": {Kind.CALENDAR: {"is_weekend", "is_night"}},
    "chicago_taxi": {
        Kind.CALENDAR: {"trip_start_hour", "trip_start_day", "trip_start_month"},
        Kind.CATEGORICAL: {"payment_type", "company"},
    },
}


@pytest.mark.shared
@pytest.mark.parametrize("name", JUDGED)
def test_the_features_of_real_sets_are_what_a_person_says_they_are(shared_data, name):
    table = pq.read_table(shared_data / name / "reference.parquet")
    said = {feature: told for told, features in JUDGED[name].items() for feature in features}
    for column in table.schema.names:
        if column.startswith("features."):
            inferred = infer_kind(table[column].chunks, table["timestamp"].chunks)
            assert inferred is not None
            feature = column.removeprefix("features.")
            assert inferred.kind is said.get(feature, Kind.NUMERIC), f"{feature}: {inferred.reason}"
