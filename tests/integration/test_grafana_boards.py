"""Every expression on Grafana's boards is answered by a real Prometheus with what mlvitals sent to it."""

import json
import re
import time

import pytest

from mlvitals.assets.boards import BOARDS
from mlvitals.assets.grafana.board import board_document
from tests.integration.lively import Lively

pytestmark = pytest.mark.integration

DOCUMENTS = {board.name: board_document(board) for board in BOARDS}
TARGETS = [
    pytest.param(target["expr"], id=f"{name} · {panel['title']} {target['refId']}")
    for name, document in DOCUMENTS.items()
    for panel in document["panels"]
    for target in panel.get("targets", ())
]
ANNOTATIONS = [
    pytest.param(one["expr"], id=f"{name} · {one['name']}")
    for name, document in DOCUMENTS.items()
    for one in document["annotations"]["list"]
]
VALUES = [
    pytest.param(one["definition"], id=f"{name} · {one['name']}")
    for name, document in DOCUMENTS.items()
    for one in document["templating"]["list"]
    if one["type"] == "query"
]


@pytest.fixture(scope="module")
def told(prometheus, tmp_path_factory):
    """A Prometheus that holds windows of two models, the last of them an incident, and a second beat."""
    lively = Lively.make(tmp_path_factory.mktemp("lively"))
    lively.tell([{"type": "otlp", "endpoint": prometheus.otlp, "signals": ["metrics"]}])
    return prometheus


def asked(expression: str) -> str:
    """Return an expression as Grafana asks it where everything is chosen."""
    chosen = expression.replace("$lookback", "40d").replace("$fresh", "10m")
    return re.sub(r"\$\w+", ".*", chosen)


@pytest.mark.parametrize("expression", TARGETS)
def test_a_panel_shows_something(told, expression):
    assert told.query(asked(expression), at=time.time())


@pytest.mark.parametrize("expression", ANNOTATIONS)
def test_what_is_drawn_over_all_lines_is_an_expression_that_is_answered(told, expression):
    found = told.query(asked(expression), at=time.time())
    assert found or "unless" in expression  # no version began to serve just now


@pytest.mark.parametrize("definition", VALUES)
def test_a_variable_has_values(told, definition):
    found = re.fullmatch(r"label_values\((.*), (\w+)\)", definition)
    assert found
    series = told.query_series(asked(found[1]), at=time.time())
    assert {one.labels.get(found[2]) for one in series} - {None}


def test_the_boards_are_those_that_are_committed(repository):
    for name, document in DOCUMENTS.items():
        assert json.loads((repository / "dashboards" / "grafana" / f"{name}.json").read_bytes()) == document
