"""Every panel of Kibana's boards finds its series in documents of the schema `ecs`, and Vega draws them.

The node is OpenSearch, for Elasticsearch cannot be had: what a panel asks is the part of the query DSL that both speak.
"""

import json
from datetime import UTC, datetime, timedelta

import pytest
import vl_convert

from mlvitals.assets.boards import BOARDS, Kind
from mlvitals.assets.documents import ECS, vega
from mlvitals.clock import MINUTE, SECOND, SystemClock
from mlvitals.telemetry.naming.opensearch import Schema
from tests.assets.opensearch.dashboards import with_data
from tests.integration.series import Sample, write
from tests.stack.serve.process import ask

pytestmark = pytest.mark.integration

DRAWS = "5.8"  # the oldest Vega-Lite that is at hand
PANELS = {
    f"{board.name}: {panel.title}": panel
    for board in BOARDS
    for panel in board.panels
    if panel.kind not in {Kind.NOTE, Kind.EVENTS}
}
NOW = SystemClock().now() // SECOND * SECOND
WINDOWS = 3


@pytest.fixture(scope="module")
def search(opensearch, tmp_path_factory):
    """Search a node that holds, for every query of a panel, two series at three times."""
    samples = [
        Sample(query=query, time=NOW - age * MINUTE, value=float(turn), turn=str(turn))
        for panel in PANELS.values()
        for query in panel.queries
        for turn in range(2)
        for age in range(WINDOWS)
    ]
    write(opensearch.address, tmp_path_factory.mktemp("boards"), samples, namespace="boards", schema=Schema.ECS)

    def search(index, body):
        assert index == ECS.metrics
        return json.loads(ask(f"{opensearch.address}/{index}/_search", method="POST", body=body))

    return search


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_finds_series_and_is_drawn_without_a_complaint(search, name):
    panel = PANELS[name]
    end = datetime.fromtimestamp(NOW / SECOND, UTC) + timedelta(seconds=1)
    spec = with_data(vega.spec(panel, ECS), search, end - timedelta(hours=1), end)
    held = [one["data"]["values"] for one in (spec, *spec.get("layer", [])) if "data" in one]
    assert all(held)
    drawn = vl_convert.vegalite_to_svg(spec | {"width": 400}, vl_version=DRAWS)
    for query in panel.queries:
        for split in query.by[:1]:
            assert all(f"{split}-{turn}" in drawn for turn in range(2)), "a line for each series"


def test_every_field_that_a_board_filters_by_is_one_that_the_node_can_find(opensearch, search):
    del search  # it brings the index
    names = {name for board in BOARDS for name in board.variables}
    path = f"/{ECS.metrics}/_field_caps?fields={','.join(map(ECS.field_of, names))}"
    found = opensearch.request("GET", path)["fields"]
    assert {name for name in names if found[ECS.field_of(name)]["keyword"]["aggregatable"]} == names
