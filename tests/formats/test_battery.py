"""What every format keeps, whatever bytes it is given: the battery that users hold their own against."""

import io
import json
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from mlvitals.contracts.formats import FORMAT_DEMANDS, Demand, FormatConfig
from mlvitals.formats import CsvFormat, DecodePlan, JsonFormat, MlvitalsFormat, ParquetFormat, Want

ROWS = [
    {
        "timestamp": f"2026-03-01T10:12:0{number}.120Z",
        "model": "m",
        "prediction_id": f"p{number}",
        "features.amount": 12.5 * number,
        "features.channel": "web, größer" if number % 2 else 'quo"te',
        "prediction.score": 0.1 * number,
        "label": str(number % 2),
        "label_timestamp": "2026-03-02T00:00:00Z",
    }
    for number in range(9)
]
LOG = [
    {
        "at": 1_772_359_927 + number,
        "id": number,
        "in": {"amount": [number, 2]},
        "out": {"p": 0.5},
        "status": 200 + number,
    }
    for number in range(9)
]
MAPPING = JsonFormat(
    map={"timestamp": "at", "prediction_id": "id", "features.*": "in.*", "prediction.score": "out.p"},
    units={"timestamp": "s"},
    constants={"model": "m"},
)


NESTED = [
    {name: value for name, value in row.items() if "." not in name}
    | {
        "features": {"amount": row["features.amount"], "channel": row["features.channel"]},
        "prediction": {"score": row["prediction.score"]},
    }
    for row in ROWS
]


def lines(rows: Sequence[Mapping[str, object]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def packed(write) -> bytes:
    stream = io.BytesIO()
    write(pa.Table.from_pylist(ROWS), stream)
    return stream.getvalue()


SAMPLES: dict[str, tuple[FormatConfig, list[bytes]]] = {
    "mlvitals": (MlvitalsFormat(), [lines(NESTED), lines(NESTED)[:-1], b"no JSON\n\n" + lines(NESTED)]),
    "json": (MAPPING, [lines(LOG), b"no JSON\n" + lines(LOG)]),
    "csv": (CsvFormat(), [packed(pyarrow.csv.write_csv)]),
    "parquet": (ParquetFormat(), [packed(pq.write_table)]),
}
PLANS = {
    "everything": DecodePlan(model="m"),
    "what is known": DecodePlan(features={"amount": Want.NUMBER, "channel": Want.TEXT}, ids=False),
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("demand", FORMAT_DEMANDS, ids=[one.__name__ for one in FORMAT_DEMANDS])
@pytest.mark.parametrize(("config", "samples"), SAMPLES.values(), ids=SAMPLES)
def test_a_format_keeps_its_contract(config: FormatConfig, samples: list[bytes], demand: Demand, plan: DecodePlan):
    demand(config, samples, plan)
