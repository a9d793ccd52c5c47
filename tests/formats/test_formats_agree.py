"""The same events say the same in JSON Lines, Parquet and CSV."""

import json
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlvitals.formats import CsvFormat, DecodePlan, MlvitalsFormat, ParquetFormat, Want

WORDS = st.sampled_from(["a", "web", "ü", 'quo"te', "com,ma", "line\nbreak"])
NUMBERS = st.floats(-1e9, 1e9)
OPTIONAL = {
    "timestamp": st.sampled_from(["2026-03-01T10:12:07.120Z", "1960-01-01T00:00:00Z", "2026-03-01T10:12:07", "soon"]),
    "event": st.sampled_from(["prediction", "label", "change", "other"]),
    "model": WORDS,
    "model_version": WORDS,
    "prediction_id": WORDS,
    "features.number": NUMBERS,
    "features.word": WORDS,
    r"features.with\.dot": NUMBERS,
    "prediction.score": NUMBERS,
    "prediction.label": WORDS,
    "prediction.probabilities.a": NUMBERS,
    r"prediction.probabilities.b\.c": NUMBERS,
    "latency_ms": NUMBERS,
    "error": WORDS,
    "amount": NUMBERS,
    "label": WORDS,
    "label_amount": NUMBERS,
    "version": WORDS,
    "kind": WORDS,
    "text": WORDS,
}
ROWS = st.lists(st.fixed_dictionaries({}, optional=OPTIONAL), min_size=1, max_size=6)
PLAN = DecodePlan(features={"number": Want.NUMBER, "word": Want.TEXT, r"with\.dot": Want.NUMBER})


def unescaped(inner):
    return inner.removeprefix("probabilities.").replace("\\.", ".")


def nested(row):
    event: dict[str, Any] = {}
    for name, value in row.items():
        group, _, inner = name.partition(".")
        if inner:
            if inner.startswith("probabilities."):
                event.setdefault(group, {}).setdefault("probabilities", {})[unescaped(inner)] = value
            else:
                event.setdefault(group, {})[inner.replace("\\.", ".")] = value
        else:
            event[name] = value
    return event


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_the_same_events_say_the_same_in_every_format(decode_file, tmp_path, rows):
    # A row without any cell is a blank line in CSV.
    rows = [{"text": "here", **row} for row in rows]
    numeric = {name for name, strategy in OPTIONAL.items() if strategy is NUMBERS}
    table = pa.table(
        {
            name: pa.array([row.get(name) for row in rows], pa.float64() if name in numeric else pa.string())
            for name in OPTIONAL
        }
    )
    lines, parquet, delimited = (tmp_path / name for name in ("events.jsonl", "events.parquet", "events.csv"))
    lines.write_text("".join(json.dumps(nested(row)) + "\n" for row in rows), encoding="utf-8")
    pq.write_table(table, parquet)
    pyarrow.csv.write_csv(table, delimited)
    silent = replace(PLAN, probabilities=False)
    for plan in (PLAN, silent, DecodePlan(features=PLAN.features, model="m", ids=False)):
        said = decode_file(MlvitalsFormat().open(plan), lines)
        assert decode_file(ParquetFormat().open(plan), parquet) == said
        assert decode_file(CsvFormat().open(plan), delimited) == said
