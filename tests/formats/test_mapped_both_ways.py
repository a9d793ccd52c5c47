"""Both ways of reading a mapped log say the same, whatever the log holds, and however it is cut."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlvitals.formats import DecodePlan, JsonFormat, Want

BASE = {"timestamp": "time", "prediction_id": ["id", "meta.id"], "prediction.score": "out.p"}
MAPPINGS: dict[str, dict[str, Any]] = {
    "nested": {
        "where": {"kind": "inference"},
        "map": {**BASE, "features.*": "in.*", "features.user": "meta.user", "latency_ms": "took", "error": "err"},
        "units": {"timestamp": "ms", "latency_ms": "s"},
        "failed": {"status": [">=400", "gone"], "err.codes": "*"},
        "constants": {"model_version": 3, "latency_ms": 1.5},
    },
    "flat": {"map": {"timestamp": "time", "prediction_id": "id", "features.*": "*", "prediction.value": "out"}},
    "chosen": {"map": {**BASE, "features.a": ["in.a", "in.list[1]"], "features.b": "in.b", "label": "truth"}},
    "text": {
        "json": ["message", "message.body", "list"],
        "where": {"message.kind": ["inference", 3]},
        "map": {"timestamp": "time", "prediction_id": "id", "features.*": "message.body.*", "prediction.score": "took"},
    },
    "rows": {
        "json": ["message"],
        "rows": ["in.rows", "out"],
        "names": {"in.rows": ["a", "b"]},
        "map": {**BASE, "features.*": "in.rows.*", "prediction.score": ["out", "out.p"], "amount": "in.rows.a"},
        "failed": {"status": ">=400"},
        "units": {"timestamp": "s"},
    },
    "shares": {
        "map": {
            **BASE,
            "prediction.probabilities.a": ["took", "in.a"],
            "prediction.probabilities.*": ["out.*", "in.*"],
        },
    },
    "csv": {
        "csv": {"text": ["a", "b"]},
        "map": {"timestamp": "time", "prediction_id": "id", "features.a": "text.a", "prediction.score": "text.b"},
        "units": {"timestamp": "ms"},
    },
    "tensors": {
        "keyed": {"in.list": "name"},
        "rows": ["in.list.*.data", "out"],
        "map": {"timestamp": "time", "prediction_id": "id", "features.*": "in.list.*.data", "prediction.label": "out"},
        "units": {"timestamp": "us"},
    },
}
PLANS = [
    DecodePlan(model="m"),
    DecodePlan(model="m", ids=False, features={"a": Want.NUMBER, "b": Want.TEXT, "in.a": Want.NUMBER}),
]

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([1e300, -0.5, 2**63, 1_770_112_844_000, 1.5, "2026-03-01T10:00:00Z", "1770112844", " 7", "", "x"]),
    st.sampled_from(["inference", "1,2", "1,a\n2,b", '"q,q",3', '{"kind":"inference","body":"{\\"a\\":1}"}', "[1,2]"]),
    st.sampled_from(['{"kind":3,"body":{"a":"x","c":{"d":1}}}', '{"a":1,"a":2}', "{", '[{"a":1},{"a":2}]', "ü\\"]),
)
NAMES = st.sampled_from(["a", "b", "c.d", "p", "kind", "rows", "list", "name", "data", "codes", "id", "0"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=6,
)
PAIRS = st.lists(st.tuples(st.floats(-9, 9), st.integers(0, 3)).map(list), max_size=3)
TENSORS = st.lists(st.fixed_dictionaries({"name": NAMES, "data": st.lists(st.floats(0, 1), max_size=2)}), max_size=2)
LIKELY = {
    "kind": st.sampled_from(["inference", "inference", "other", None]),
    "time": st.sampled_from(
        ["2026-03-01T10:00:00Z", "2026-03-01T10:00:00", 1_770_112_844_000, 1.5e9, "1770112844", -1]
    ),
    "id": st.sampled_from(["p1", 7, 7.5, True]),
    "meta": st.fixed_dictionaries({}, optional={"id": NAMES, "user": VALUES}),
    "in": st.one_of(
        st.fixed_dictionaries({"a": st.integers(0, 9), "b": NAMES}, optional={"c": VALUES, "list": VALUES}),
        st.fixed_dictionaries({"rows": PAIRS, "list": TENSORS}),
        st.fixed_dictionaries({"rows": st.lists(st.floats(0, 1), max_size=4), "list": TENSORS}),
        VALUES,
    ),
    "out": st.one_of(st.fixed_dictionaries({"p": st.floats(0, 1)}), st.lists(st.floats(0, 1), max_size=3), VALUES),
    "took": st.one_of(st.floats(0, 10), SCALARS),
    "err": VALUES,
    "status": st.sampled_from([200, 404, "500", None, "gone", 1e3]),
    "message": VALUES,
    "text": SCALARS,
    "truth": SCALARS,
    "list": VALUES,
}
DOCUMENTS = st.fixed_dictionaries({}, optional=LIKELY)
ODD_LINES = st.sampled_from(
    [
        b"",
        b"  ",
        b"not json",
        b'{"time":',
        b"[1]",
        b'{"kind":"inference","id":1,"id":2}',
        b'{"in":{"a":1,"a":2}}',
        b'{"x":"\xff"}',
        b'{"x":"\x00"}',
        b'{"z":"\\ud800"}',
        b'{"time":NaN,"kind":"inference"}',
        b'{"in":{"a":Infinity,"b":-Inf},"kind":"inference","time":"2026-03-01T10:00:00Z"}',
        b'{"deep":' + b"[" * 200 + b"]" * 200 + b',"kind":"inference"}',
    ]
)
LINES = st.lists(
    st.one_of(DOCUMENTS.map(lambda one: json.dumps(one, ensure_ascii=False).encode()), ODD_LINES),
    min_size=1,
    max_size=8,
)


def reader(name, plan, *, slow=False):
    opened = msgspec.convert({"type": "json", **MAPPINGS[name]}, JsonFormat).open(plan)
    if slow:
        opened._reader._read_fast = lambda *_: None  # type: ignore[method-assign]
    return opened


@pytest.mark.parametrize("name", MAPPINGS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=LINES, plan=st.sampled_from(PLANS))
def test_both_ways_say_the_same(decode, content, name, lines, plan):
    fast, slow = reader(name, plan), reader(name, plan, slow=True)
    data = b"\n".join(lines) + b"\n"
    expected = content(decode(slow, data))
    assert content(decode(fast, data)) == expected
    again = decode(fast, data)  # with what it has learnt by now
    assert content(again) == expected
    assert again.account.examples == decode(slow, data).account.examples
    fresh = reader(name, plan)
    apart = content(*(decode(fresh, line + b"\n") for line in lines))
    assert apart.dispositions == expected.dispositions
    assert len(apart.predictions) == len(expected.predictions)


@pytest.mark.parametrize("value", [[[0]], [0, 1.5], [{"a": 1}], {"a": [[1.0]]}, ["x"]])
def test_arrays_are_told_alike(decode, content, value):
    event = {"kind": "inference", "time": "2026-03-01T10:00:00Z", "id": "p", "out": {"p": 1}, "err": {"codes": [7]}}
    line = json.dumps({**event, "meta": {"user": value}}).encode() + b"\n"
    plan = DecodePlan(model="m")
    assert content(decode(reader("nested", plan), line)) == content(decode(reader("nested", plan, slow=True), line))
