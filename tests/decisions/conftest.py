"""A state in which nothing was ever found."""

from contextlib import closing

import pytest

from tests.decisions.incidents import Told, fresh


@pytest.fixture
def told():
    with closing(fresh()) as connection:
        yield Told(connection)
