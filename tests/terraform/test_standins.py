"""What configurations do through the stand-ins: what reaches an API, and that it is whole."""

import json
from pathlib import Path

import pytest

from tests.opensearch_plugins_standin.server import plugins_standin
from tests.stack import versions
from tests.stack.home import home
from tests.stack.serve.opensearch import OpenSearchServer, opensearch
from tests.terraform.command import copied
from tests.terraform_standin.kept import keeping

pytestmark = pytest.mark.integration

CONFIGURATIONS = Path(__file__).with_name("configurations")


@pytest.fixture(scope="module", name="node")
def opensearch_node(tmp_path_factory):
    with opensearch(home(versions.OPENSEARCH), tmp_path_factory.mktemp("opensearch")) as server:
        yield server


def test_what_is_applied_to_datadog_is_there_stays_and_goes(each_terraform, tmp_path):
    with keeping() as (address, kept):
        root = each_terraform.root(copied(CONFIGURATIONS / "datadog", tmp_path), DD_HOST=address).init()
        root.apply({"bars": {"one": 0.25, "two": 3}})
        assert sorted(root.outputs()["monitors"]) == ["one", "two"]
        monitors = {told["name"]: told for path, told in kept.things.items() if path.startswith("/api/v1/monitor/")}
        assert monitors["one"]["options"] == {
            "include_tags": True,
            "notify_no_data": False,
            "require_full_window": False,
            "thresholds": {"critical": 0.25, "critical_recovery": 0.1},
        }
        assert len(kept.things) == 11
        root.must_be_settled()
        root.apply({"bars": {"one": 0.5}})
        assert [told["query"][-3:] for path, told in kept.things.items() if path.startswith("/api/v1/monitor/")] == [
            "0.5"
        ]
        root.must_be_settled()
        root.destroy()
        assert list(kept.things) == ["/api/v1/metrics/mlvitals.count"]  # whose metadata cannot be deleted


def test_what_is_applied_to_opensearch_is_there_stays_and_goes(terraform, node: OpenSearchServer, tmp_path):
    with plugins_standin(node.address) as before:
        root = terraform.root(copied(CONFIGURATIONS / "opensearch", tmp_path)).init()
        root.apply({"address": before.address, "bar": 5})
        [monitor] = before.plugins.monitors.values()
        assert "value > 5;" in json.dumps(monitor.body)
        assert list(before.plugins.channels) == ["standin-pager"]
        assert list(before.plugins.policies) == ["standin-keep"]
        assert list(before.plugins.roles) == list(before.plugins.mappings) == ["standin-reader"]
        [told] = node.request("GET", "/_index_template/standin-metrics")["index_templates"]
        assert told["index_template"]["composed_of"] == ["standin-mappings"]
        assert node.request("GET", "/.kibana/_doc/dashboard:standin")["_source"]["dashboard"]["title"] == "Board"
        root.must_be_settled()
        root.apply({"address": before.address, "bar": 6})
        [monitor] = before.plugins.monitors.values()
        assert "value > 6;" in json.dumps(monitor.body)
        root.must_be_settled()
        root.destroy()
        assert [*before.plugins.monitors, *before.plugins.channels, *before.plugins.policies] == []
        with pytest.raises(AssertionError, match="404"):
            node.request("GET", "/_index_template/standin-metrics")
