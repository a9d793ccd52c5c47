"""What every source keeps: the battery that users hold their own against."""

import gzip

import pytest

from mlvitals.contracts.sources import SOURCE_DEMANDS, Demand
from mlvitals.formats import DecodePlan
from mlvitals.sources import FileSource


@pytest.mark.parametrize("pattern", ["*.jsonl", "**/*", "."])
@pytest.mark.parametrize("demand", SOURCE_DEMANDS, ids=[one.__name__ for one in SOURCE_DEMANDS])
def test_a_source_keeps_its_contract(tmp_path, lines, pattern, demand: Demand):
    for number in range(3):
        (tmp_path / f"{number}.jsonl").write_bytes(lines(number * 5, number * 5 + 5))
    (tmp_path / "3.jsonl.gz").write_bytes(gzip.compress(lines(15, 20)))
    demand(FileSource(path=str(tmp_path / pattern)), DecodePlan())
