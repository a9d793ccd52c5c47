"""JSON Lines: what is read, what is refused, and that both ways of reading agree."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlvitals.events import TIME_TYPE
from mlvitals.formats import DecodePlan, MlvitalsFormat, Want
from mlvitals.formats.jsonlines import JsonLines

EXAMPLES = b"""\
{"event":"prediction","timestamp":"2026-03-01T10:12:07.120Z","model":"card-fraud","model_version":"7","prediction_id":"p42","features":{"amount":12.5,"channel":"web"},"prediction":{"label":"0","score":0.03},"latency_ms":8.1}
{"event":"prediction","timestamp":"2026-03-01T10:12:08.000Z","model":"house-price","model_version":"3","prediction_id":"h7","features":{"sqft":1180},"prediction":{"value":221900.0}}
{"event":"label","timestamp":"2026-03-03T09:00:00Z","model":"card-fraud","prediction_id":"p42","label":"1","amount":12.5}
{"event":"change","timestamp":"2026-03-02T08:00:00Z","kind":"deploy","model":"card-fraud","text":"terminal_view 4.2"}
"""


def slow_reader(plan: DecodePlan) -> JsonLines:
    """A reader whose fast way is barred."""
    reader = JsonLines(plan)
    reader._read_fast = lambda data, count: None  # type: ignore[method-assign]  # noqa: ARG005  # the real signature
    return reader


def line(event: dict[str, Any], /, **changes: Any) -> bytes:
    return json.dumps({**event, **changes}).encode() + b"\n"


def test_the_examples_of_the_interface_are_read_as_they_say(decode, content):
    batch = decode(MlvitalsFormat().open(DecodePlan()), EXAMPLES)
    said = content(batch)
    assert said.predictions == [
        {
            "timestamp": "2026-03-01T10:12:07.120000+00:00",
            "model": "card-fraud",
            "prediction_id": "p42",
            "model_version": "7",
            "prediction.label": "0",
            "prediction.score": "0.03",
            "latency_ms": "8.1",
            "features.amount": "12.5",
            "features.channel": "web",
        },
        {
            "timestamp": "2026-03-01T10:12:08+00:00",
            "model": "house-price",
            "prediction_id": "h7",
            "model_version": "3",
            "prediction.value": "221900",
            "features.sqft": "1180",
        },
    ]
    assert said.labels == [
        {
            "timestamp": "2026-03-03T09:00:00+00:00",
            "model": "card-fraud",
            "prediction_id": "p42",
            "label": "1",
            "amount": "12.5",
        }
    ]
    assert said.changes == [
        {
            "timestamp": "2026-03-02T08:00:00+00:00",
            "model": "card-fraud",
            "kind": "deploy",
            "text": "terminal_view 4.2",
        }
    ]
    assert batch.position == b"here"
    assert batch.predictions.schema.field("timestamp").type == TIME_TYPE


NOTHING = "nothing at all"
NO_NUMBER = "a probability of prediction.probabilities is not a number"
BROKEN = [
    ({"timestamp": None}, "no time"),
    ({"timestamp": NOTHING}, "no time"),
    ({"timestamp": 1_770_000_000}, "the time is not text"),
    ({"timestamp": "yesterday"}, "the time cannot be read"),
    ({"timestamp": "2026-02-30T00:00:00Z"}, "the time cannot be read"),
    ({"timestamp": "2026-03-01T10:12:07"}, "the time names no zone, and the format has none configured"),
    ({"timestamp": "2026-03-01"}, "the time names no zone, and the format has none configured"),
    ({"timestamp": "0000-01-01T00:00:00Z"}, "the time is outside the years 1 to 9999"),
    ({"model": None}, "no model"),
    ({"model": ""}, "no model"),
    ({"model": True}, "the model is neither text nor a number"),
    ({"model_version": [1]}, "the model's version is neither text nor a number"),
    ({"features": 3}, "the features are not an object"),
    ({"features": [1]}, "the features are not an object"),
    ({"prediction": 0.5}, "the prediction is not an object"),
    ({"prediction": {}}, "neither a prediction nor an error"),
    ({"prediction": {"probabilities": {}}}, "neither a prediction nor an error"),
    ({"prediction": {"probabilities": {"a": "0.5"}}}, NO_NUMBER),
    ({"prediction": {"probabilities": {"a": True, "b": 0.5}}}, NO_NUMBER),
    ({"prediction": {"label": "a", "probabilities": {"a": [0.5]}}}, NO_NUMBER),
    ({"prediction": {}, "error": False}, "neither a prediction nor an error"),
    ({"prediction": {"label": [1]}}, "prediction.label is not a scalar"),
    ({"prediction": {"score": "0.5"}}, "prediction.score is not a number"),
    ({"prediction": {"value": True}}, "prediction.value is not a number"),
    ({"latency_ms": "fast"}, "latency_ms is not a number"),
    ({"weight": {}}, "weight is not a number"),
    ({"amount": "12"}, "amount is not a number"),
    ({"propensity": "0.1"}, "propensity is not a number"),
    ({"prediction_id": None}, "no prediction id"),
    ({"prediction_id": ""}, "no prediction id"),
    ({"prediction_id": True}, "the prediction id is neither text nor a number"),
    ({"prediction_id": ["p"]}, "the prediction id is neither text nor a number"),
    ({"label": [1]}, "the label is not a scalar"),
    ({"label": 1, "label_timestamp": "2026-03-01"}, "the label's time cannot be read"),
    ({"label": 1, "label_timestamp": 3}, "the label's time cannot be read"),
    ({"label": 1, "label_amount": "x"}, "label_amount is not a number"),
    ({"event": "label"}, "a label event without its label"),
    ({"event": "label", "label": None}, "a label event without its label"),
    ({"event": "label", "label": 1, "prediction_id": None}, "no prediction id"),
    ({"event": "label", "label": 1, "version": False}, "the label's version is neither text nor a number"),
    ({"event": "change"}, "a change without its kind"),
    ({"event": None, "prediction": None}, "neither a kind of event, nor a prediction, nor a label"),
]


@pytest.mark.parametrize(("change", "reason"), BROKEN, ids=[f"{change}" for change, _ in BROKEN])
@pytest.mark.parametrize("open_reader", [JsonLines, slow_reader], ids=["fast", "slow"])
def test_a_broken_event_is_counted_with_its_reason(decode, event, open_reader, change, reason):
    broken = {name: value for name, value in {**event, **change}.items() if value is not NOTHING}
    for surrounded in (False, True):
        around = line(event) if surrounded else b""
        batch = decode(open_reader(DecodePlan()), around + line(broken) + around)
        assert batch.account.examples == (f"events:{1 + surrounded}: {reason}",)
        assert (batch.account.unparseable, batch.account.parsed) == (1, 2 * surrounded)
        assert batch.predictions.num_rows == 2 * surrounded


BAD_LINES = [
    (b"xx", "not JSON"),
    (b'{"a":1', "not JSON"),
    (b'{"a":Inf}', "not JSON"),
    (b"null", "not a JSON object"),
    (b"[]", "not a JSON object"),
    (b'"text"', "not a JSON object"),
    (b'{"model":"m"}{"model":"m"}', "not JSON"),
    (b'{"model":"m","model":"m"}', "a key stands twice in one object"),
    (b'{"features":{"a":1,"a":2}}', "a key stands twice in one object"),
    (b'{"model":"\xff"}', "not UTF-8"),
    (b'{"model":"\\ud800"}', "a string is not Unicode"),
    (b'{"model":"\0"}', "not JSON"),
    (b'{"a":' * 200 + b"1" + b"}" * 200, "the JSON nests too deeply"),
    (b"[" * 100_000 + b"]" * 100_000, "the JSON nests too deeply"),
    (b'{"features":' * 80 + b"1" + b"}" * 80, "the features nest too deeply"),
]


@pytest.mark.parametrize(("bad", "reason"), BAD_LINES, ids=[f"{bad[:30]!r}" for bad, _ in BAD_LINES])
def test_a_bad_line_loses_only_itself(decode, bad, reason):
    batch = decode(JsonLines(DecodePlan()), EXAMPLES + bad + b"\n" + EXAMPLES)
    assert batch.account.examples == (f"events:5: {reason}",)
    assert (batch.account.rows, batch.account.parsed, batch.account.unparseable) == (9, 8, 1)


@pytest.mark.parametrize("open_reader", [JsonLines, slow_reader], ids=["fast", "slow"])
def test_probabilities_are_a_column_for_each_class_where_the_plan_asks_for_them(decode, content, event, open_reader):
    events = [{"a": 0.25, "b.c": 1}, {"a": 0, "d": {"e": 0.5}}, {"a": None}, [0.5, 0.5]]
    lines = b"".join(line(event, prediction={"score": 0.5, "probabilities": one}) for one in events)
    prefix = "prediction.probabilities."
    said = content(decode(open_reader(DecodePlan()), lines)).predictions
    assert [{name.removeprefix(prefix): row[name] for name in row if name.startswith(prefix)} for row in said] == [
        {"a": "0.25", r"b\.c": "1"},
        {"a": "0", "d.e": "0.5"},
        {},
        {},
    ]
    told = decode(open_reader(DecodePlan(probabilities=False)), line(event, prediction={"probabilities": {"a": 0.5}}))
    assert told.account.parsed == 1, "it is a prediction all the same"
    assert not any(name.startswith("prediction.") for name in told.predictions.schema.names)


def test_messages_never_quote_a_row(decode):
    secret = b'{"event":"prediction","timestamp":"secret","model":"secret","prediction_id":"secret"}\nsecret\n'
    batch = decode(JsonLines(DecodePlan()), secret)
    assert len(batch.account.examples) == 2
    assert not any("secret" in example for example in batch.account.examples)


def test_kinds_that_are_not_ours_are_skipped_unchecked(decode):
    lines = b'{"event":"mlvitals.window.closed","timestamp":3}\n{"event":7}\n'
    assert decode(JsonLines(DecodePlan()), lines).account.skipped == 2
    assert decode(slow_reader(DecodePlan()), lines).account.skipped == 2


def test_a_source_of_one_role_skips_the_other_kind(decode):
    labels_only = decode(JsonLines(DecodePlan(predictions=False)), EXAMPLES)
    assert (labels_only.predictions.num_rows, labels_only.labels.num_rows, labels_only.account.skipped) == (0, 1, 2)
    predictions_only = decode(JsonLines(DecodePlan(labels=False)), EXAMPLES)
    assert (predictions_only.labels.num_rows, predictions_only.account.skipped) == (0, 1)


def test_a_row_with_prediction_and_label_is_both_events(decode, content, event):
    combined = line(event, label=1, label_timestamp="2026-03-05T00:00:00Z", label_amount=3, amount=4)
    said = content(decode(JsonLines(DecodePlan()), combined + line(event, label=0)))
    assert said.dispositions["parsed"] == 2
    assert [row["amount"] for row in said.predictions if "amount" in row] == ["4"]
    assert said.labels == [
        {
            "timestamp": "2026-03-05T00:00:00+00:00",
            "model": "card-fraud",
            "prediction_id": "p42",
            "label": "1",
            "amount": "3",
            "version": "7",
        },
        {
            "timestamp": "2026-03-01T10:12:07.120000+00:00",
            "model": "card-fraud",
            "prediction_id": "p42",
            "label": "0",
            "version": "7",
        },
    ]


def test_without_ids_a_label_stands_beside_its_prediction(decode, content, event):
    del event["prediction_id"]
    rows = line(event, label=1, label_timestamp="2026-03-05T00:00:00Z") + line(event, event="label", label=1)
    said = content(decode(JsonLines(DecodePlan(ids=False)), rows))
    assert said.labels == []
    assert [(row["label"], row["label_timestamp"]) for row in said.predictions] == [("1", "2026-03-05T00:00:00+00:00")]
    assert said.dispositions == {"parsed": 1, "skipped": 1}


def test_a_row_without_a_kind_is_what_it_holds(decode, event):
    del event["event"]
    failed = {name: value for name, value in event.items() if name != "prediction"}
    label = {"timestamp": event["timestamp"], "model": "m", "prediction_id": 1, "label": True}
    batch = decode(JsonLines(DecodePlan()), line(event) + line(failed, error={"code": 500}) + line(label))
    assert (batch.predictions.num_rows, batch.labels.num_rows) == (2, 1)
    assert batch.predictions["error"].to_pylist() == [None, "error"]


def test_the_plan_names_the_model_of_events_that_name_none(decode, event):
    rows = line(event, model=None) + line(event)
    batch = decode(JsonLines(DecodePlan(model="house-price")), rows)
    assert batch.predictions["model"].to_pylist() == ["house-price", "card-fraud"]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-03-01T10:12:07Z", "2026-03-01T10:12:07+00:00"),
        ("2026-03-01 10:12:07+01:30", "2026-03-01T08:42:07+00:00"),
        ("2026-03-01 10:12:07,120Z", "2026-03-01T10:12:07.120000+00:00"),
        ("2026-03-01T10:12:07,123456789+00:00", "2026-03-01T10:12:07.123456+00:00"),
        ("2026-03-01T10:12:07.123456789Z", "2026-03-01T10:12:07.123456+00:00"),
        ("1912-06-23T00:00:00.9999999Z", "1912-06-23T00:00:00.999999+00:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999+00:00"),
    ],
)
def test_times_are_read_to_the_microsecond(decode, content, event, text, read):
    rows = line(event, timestamp=text) + line(event, timestamp="not a time")
    for data in (rows, line(event, timestamp=text)):
        assert content(decode(JsonLines(DecodePlan()), data)).predictions[0]["timestamp"] == read


@pytest.mark.parametrize(
    ("zone", "text", "read"),
    [
        ("Europe/Vienna", "2026-07-01T12:00:00", "2026-07-01T10:00:00+00:00"),
        ("Europe/Vienna", "2026-10-25T02:30:00", "2026-10-25T00:30:00+00:00"),
        ("Europe/Vienna", "2026-03-29T02:30:00", "2026-03-29T01:00:00+00:00"),
        ("Europe/Vienna", "2026-07-01T12:00:00Z", "2026-07-01T12:00:00+00:00"),
        ("+02:00", "2026-07-01 12:00:00.5", "2026-07-01T10:00:00.500000+00:00"),
        ("+02:00", "2026-07-01 12:00:00,123", "2026-07-01T10:00:00.123000+00:00"),
        ("America/New_York", "2026-01-01", "2026-01-01T05:00:00+00:00"),
    ],
)
def test_naive_times_belong_to_the_configured_zone(decode, content, event, *, zone, text, read):
    reader = MlvitalsFormat(zone=zone).open(DecodePlan())
    rows = line(event, timestamp=text) + line(event, timestamp="2026-01-01T00:00:00Z") + line(event, timestamp="?")
    said = content(decode(reader, rows))
    assert [row["timestamp"] for row in said.predictions] == [read, "2026-01-01T00:00:00+00:00"]


@pytest.mark.parametrize("zone", ["Mars/Olympus", "+2", "+25:00", ""])
def test_an_unknown_zone_is_refused_in_the_config(zone):
    with pytest.raises(msgspec.ValidationError, match="is not a zone"):
        msgspec.convert({"type": "mlvitals", "zone": zone}, MlvitalsFormat)


def test_features_of_any_type_are_kept(decode):
    rows = [
        {"a.b": 1, "n": {"deep": {"er": True}}, "list": [1, 2.5], "mixed": 3.0, "huge": 2**70, "nan": float("nan")},
        {"a.b": 2, "n": {"deep": {"er": False}}, "list": [], "mixed": "three", "huge": 1, "nan": float("-inf")},
    ]
    head = '{"timestamp":"2026-03-01T00:00:00Z","model":"m","prediction_id":1,"prediction":{"score":1},"features":'
    data = "".join(head + json.dumps(row) + "}\n" for row in rows).encode()
    for reader in (JsonLines(DecodePlan()), slow_reader(DecodePlan())):
        batch = decode(reader, data).predictions
        assert batch[r"features.a\.b"].to_pylist() == [1, 2]
        assert batch["features.n.deep.er"].to_pylist() == [True, False]
        assert batch["features.list"].to_pylist() == [[1.0, 2.5], []]
        assert batch["features.mixed"].to_pylist() == ["3", "three"]
        assert batch["features.huge"].to_pylist() == [2.0**70, 1.0]
        assert [str(value) for value in batch["features.nan"].to_pylist()] == ["nan", "-inf"]


def test_the_plan_gives_features_their_types(decode, event):
    plan = DecodePlan(features={"amount": Want.NUMBER, "channel": Want.TEXT})
    for reader in (JsonLines(plan), slow_reader(plan)):
        batch = decode(reader, line(event, features={"amount": 3, "channel": "web", "new": 1})).predictions
        assert batch.schema.field("features.amount").type == pa.float64()
        assert batch.schema.field("features.channel").type == pa.string()
        assert batch["features.new"].to_pylist() == [1]


def test_numbers_where_text_is_usual_are_read_fast(decode, event, monkeypatch):
    reader = JsonLines(DecodePlan(features={"channel": Want.TEXT}))
    rows = line(event, model_version=3, prediction_id=7, label=1, features={"channel": 4})
    decode(reader, rows)
    monkeypatch.setattr(reader, "_read_lines", None)
    batch = decode(reader, rows * 3)
    assert batch.predictions["model_version"].to_pylist() == ["3"] * 3
    assert batch.labels["prediction_id"].to_pylist() == ["7"] * 3
    assert batch.labels["label"].to_pylist() == [1] * 3


def test_a_bad_line_sends_only_its_surroundings_the_slow_way(decode, event, monkeypatch):
    read_slowly = []

    def watch(lines, numbers, plan):
        read_slowly.append(len(lines))
        return read_rows(lines, numbers, plan)

    from mlvitals.formats import jsonlines  # noqa: PLC0415  # the module, to put the watch in
    from mlvitals.formats.jsonrows import read_rows  # noqa: PLC0415  # its own name there

    monkeypatch.setattr(jsonlines, "read_rows", watch)
    batch = decode(JsonLines(DecodePlan()), line(event) * 5000 + b"bad\n" + line(event) * 3000)
    assert batch.account.examples == ("events:5001: not JSON",)
    assert batch.predictions.num_rows == 8000
    assert sum(read_slowly) <= 256


def test_blank_lines_and_other_line_ends_are_no_rows(decode, content):
    plain = content(decode(JsonLines(DecodePlan()), EXAMPLES))
    windows = b"\xef\xbb\xbf" + EXAMPLES.replace(b"\n", b"\r\n")
    gaps = b"\n \n" + EXAMPLES.replace(b"\n", b"\n\n\t\n") + b"\n"
    assert content(decode(JsonLines(DecodePlan()), windows)) == plain
    assert content(decode(JsonLines(DecodePlan()), gaps)) == plain
    assert decode(JsonLines(DecodePlan()), b"").account.rows == 0


def test_an_object_over_two_lines_is_two_bad_lines_even_beside_a_line_of_two(decode):
    batch = decode(JsonLines(DecodePlan()), b'{"a":\n{"b":1}}\n{"a":1}{"a":2}\n')
    assert batch.account.unparseable == 3


def test_rows_with_keys_of_their_own_do_not_fill_the_memory(decode, event):
    rows = [line(event, features={f"key{index}_{inner}": 1 for inner in range(5)}) for index in range(3000)]
    batch = decode(JsonLines(DecodePlan()), b"".join(rows))
    assert batch.predictions.num_rows == 3000
    assert batch.predictions.nbytes < 600e6


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False),
    st.text(max_size=5),
    st.sampled_from(["2026-03-01T10:12:07Z", "2026-03-01", "prediction", "label", "change"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("ab."), inner, max_size=2)),
    max_leaves=4,
)
GOOD_EVENTS = st.fixed_dictionaries(
    {
        "timestamp": st.just("2026-03-01T10:12:07Z"),
        "model": st.just("m"),
        "prediction_id": st.integers(0, 9) | st.sampled_from("pq"),
        "prediction": st.fixed_dictionaries({"score": st.floats(0, 1)}),
    },
    optional={
        "event": st.sampled_from(["prediction", "label"]),
        "features": st.dictionaries(st.sampled_from(["x", "y", "a.b"]), VALUES, max_size=3),
        "label": SCALARS,
        "model_version": st.integers(0, 3) | st.text(max_size=2),
    },
)
ODD_EVENTS = st.dictionaries(
    st.sampled_from(
        [
            "event",
            "timestamp",
            "model",
            "features",
            "prediction",
            "label",
            "prediction_id",
            "error",
            "prediction.score",
            "?",
        ]
    ),
    VALUES,
)
LINES = st.one_of(
    GOOD_EVENTS.map(lambda value: json.dumps(value).encode()),
    ODD_EVENTS.map(lambda value: json.dumps(value).encode()),
    st.sampled_from([b"", b"{", b"[1]", b"null", b'{"a":1}{"a":1}', b'{"model":"\xff"}', b'{"x":NaN}', b"}\r{"]),
)
PLANS = st.sampled_from(
    [
        DecodePlan(),
        DecodePlan(features={"x": Want.NUMBER, "y": Want.TEXT, r"a\.b": Want.NUMBER}, model="m"),
        DecodePlan(ids=False),
        DecodePlan(labels=False),
    ]
)


def test_a_key_with_a_dot_is_no_field_of_a_nested_object(decode, content):
    row = {
        "timestamp": "2026-03-01T10:12:07Z",
        "model": "m",
        "prediction_id": "p",
        "label": "1",
        "prediction.score": 0.5,
    }
    reader, data = JsonLines(DecodePlan()), json.dumps(row).encode()
    for _ in range(2):  # line by line, then at once
        said = content(decode(reader, data))
        assert (said.predictions, len(said.labels)) == ([], 1)


@settings(max_examples=150, deadline=None)
@given(lines=st.lists(LINES, max_size=12), plan=PLANS, warm=st.booleans())
def test_both_ways_of_reading_say_the_same(decode, content, lines, plan, warm):
    data = b"\n".join(lines)
    fast = JsonLines(plan)
    if warm:
        decode(fast, EXAMPLES)
    quick, slow = decode(fast, data), decode(slow_reader(plan), data)
    assert content(quick) == content(slow)
    assert quick.account.examples == slow.account.examples


@settings(max_examples=60, deadline=None)
@example(  # a list of whole numbers, alone and beside what is no list
    lines=[
        b'{"timestamp": "2026-03-01T10:12:07Z", "model": "m", "prediction_id": 0, "prediction": {"score": 0.0}, '
        + features
        for features in (b'"features": {"y": [0]}}', b'"features": {"y": false}}')
    ],
    block=1,
    appends=[],
)
@given(
    lines=st.lists(LINES, min_size=1, max_size=12),
    block=st.integers(1, 400),
    appends=st.lists(st.integers(0, 1500), max_size=5),
)
def test_any_cut_and_any_schedule_of_appends_give_the_same_rows(decode, content, decode_cut, *, lines, block, appends):
    data = b"\n".join(lines)
    whole = content(decode(JsonLines(DecodePlan()), data))
    reader = JsonLines(DecodePlan(), block=block)
    batches, offset, number = [], 0, 1
    for size in [*sorted(min(size, len(data)) for size in appends), len(data)]:
        for last in (False, True) if size == len(data) else (False,):
            for cut in reader.cut(BytesIO(data[:size]), Path("events"), offset, number, complete=last):
                offset, number = cut.offset, cut.next_line
                batches.append(decode_cut(reader, cut))
    assert content(*batches) == whole
