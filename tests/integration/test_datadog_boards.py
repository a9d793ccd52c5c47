"""Every query on Datadog's boards is answered with what mlvitals sent to a strict stand-in for its intake."""

import pytest

from mlvitals.assets.boards import BOARDS
from mlvitals.assets.datadog.board import board_document
from mlvitals.signals.registry import REGISTRY
from tests.assets.datadog.language import read_selector
from tests.assets.datadog.test_boards import queries
from tests.intake.datadog import KEY, datadog_intake
from tests.integration.lively import Lively

pytestmark = pytest.mark.integration

QUERIES = [
    pytest.param(text, id=f"{board.name} · {number} {text}")
    for board in BOARDS
    for number, text in enumerate(queries(board_document(board)))
]


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """What the intake holds of windows of two models, the last of them an incident, and of two beats."""
    lively = Lively.make(tmp_path_factory.mktemp("lively"))
    with datadog_intake() as intake:
        intake.historical = set(REGISTRY)  # as an organisation that lets old points in
        sink = {"type": "datadog", "api_key": KEY, "endpoints": intake.endpoints, "historical": True, "logs": False}
        lively.tell([sink])
        assert intake.faults == []
        yield intake.series


@pytest.mark.parametrize("text", QUERIES)
def test_a_query_of_a_board_is_answered(series, text):
    assert any(read_selector(text).answer(series).values())
