"""The servers that are no sink's backend alone: each takes what it is there for and gives it back."""

import time

import pytest

from tests.stack.serve.process import ask, until

pytestmark = pytest.mark.integration


def test_opensearch_finds_a_document_and_runs_a_script_on_it(opensearch):
    opensearch.request("PUT", "/kept-2026.11/_doc/1?version=7&version_type=external", {"value": 0.25})
    [hit] = opensearch.search("kept-*", {"script": {"script": "doc['value'].value < 0.5"}})
    assert (hit["_id"], hit["_version"], hit["_source"]) == ("1", 7, {"value": 0.25})
    opensearch.delete("kept-2026.11")


def test_prometheus_scrapes_what_it_is_pointed_at(prometheus, alertmanager):
    prometheus.scrape(alertmanager.address.removeprefix("http://"))

    def scraped():
        return prometheus.query("alertmanager_build_info", at=time.time()) != []

    until(scraped, what="Prometheus scraped its target")
    assert alertmanager.alerts() == []


def test_victoria_metrics_reads_datadog_series(victoria_metrics):
    now = int(time.time())
    series = {"metric": "kept", "type": 3, "points": [{"timestamp": now, "value": 0.25}], "tags": ["team:risk"]}
    ask(f"{victoria_metrics.datadog}/api/v2/series", method="POST", body={"series": [series]})
    [held] = victoria_metrics.export('{__name__="kept"}')
    assert (held["metric"]["team"], held["values"], held["timestamps"]) == ("risk", [0.25], [now * 1000])


def test_victoria_logs_reads_datadog_logs(victoria_logs):
    record = {"ddsource": "mlvitals", "ddtags": "team:risk", "message": "kept", "service": "contract"}
    ask(f"{victoria_logs.datadog}/api/v2/logs", method="POST", body=[record])
    [held] = victoria_logs.query("kept", count=1)
    assert (held["_msg"], held["team"], held["service"]) == ("kept", "risk", "contract")
