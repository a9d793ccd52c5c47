"""The schemas that the intake holds requests to are Datadog's own."""

import json

import pytest

from mlvitals.sinks.datadog.config import SITES


@pytest.fixture
def ours(repository):
    return json.loads((repository / "tests/intake/datadog.schema.json").read_text("utf-8"))["components"]["schemas"]


@pytest.fixture
def theirs(shared_data):
    return json.loads((shared_data.parent / "specs" / "datadog-v2.openapi.json").read_text("utf-8"))


def without_formats(schema):
    if isinstance(schema, dict):
        return {
            key: without_formats(value) for key, value in schema.items() if key not in {"format", "default", "example"}
        }
    return [without_formats(one) for one in schema] if isinstance(schema, list) else schema


@pytest.mark.shared
def test_what_was_cut_out_is_as_it_was(ours, theirs):
    shared = ours.keys() & theirs["components"]["schemas"].keys()
    assert {"MetricPayload", "MetricSeries", "MetricPoint", "HTTPLog", "HTTPLogItem", "ContentEncoding"} <= shared
    for name in shared:
        assert ours[name] == without_formats(theirs["components"]["schemas"][name]), name


@pytest.mark.shared
def test_every_site_is_one_of_datadog_s(theirs):
    (servers, *_) = theirs["paths"]["/api/v2/logs"]["post"]["servers"]
    assert set(SITES) == set(servers["variables"]["site"]["enum"])
