"""The seeded set of the golden values, made once."""

import pyarrow as pa
import pytest

from tests.compat.golden_set import make_tables


@pytest.fixture(scope="session")
def golden_tables() -> tuple[pa.Table, pa.Table]:
    return make_tables()
