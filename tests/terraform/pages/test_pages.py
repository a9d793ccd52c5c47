"""Two real outages, lived through again: one page for each, and one word when it is over, by the paging a team has."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from tests.integration.outages import FRAUD, HOUSES
from tests.terraform.pages.by_opensearch import by_opensearch
from tests.terraform.pages.by_prometheus import by_prometheus
from tests.terraform.pages.story import OUTAGES, Clock, Way, episodes, job, live_through, prepared, says

pytestmark = [pytest.mark.integration, pytest.mark.shared]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the job runs."""
    return tmp_path_factory.mktemp("story")


@pytest.fixture(scope="module")
def ways(terraform, shared_data, folder):
    """Every way whose servers are here, once the one job that they all hear has lived through the outages."""
    folders = prepared(shared_data, folder)
    clock = Clock(since=time.time_ns())
    told: Mapping[str, Callable[[Path], AbstractContextManager[Way]]] = {
        "opensearch": partial(by_opensearch, terraform, clock),
        "prometheus": partial(by_prometheus, clock),
    }
    here: dict[str, Way] = {}
    left_out: dict[str, str] = {}
    with ExitStack() as stack:
        for name, opened in told.items():
            try:
                here[name] = stack.enter_context(opened(folder / name))
            except pytest.skip.Exception as why:
                left_out[name] = str(why)
        if here:
            stack.enter_context(job(folders, [way.sink for way in here.values()], clock, folder))
            for way in here.values():
                way.begin(folder)
            live_through([*here.values()])
        yield here, left_out


def chosen(ways, name):
    """Return a way, or skip where its servers are not here."""
    here, left_out = ways
    if name in left_out:
        pytest.skip(left_out[name])
    return here[name]


def test_opensearch_tells_each_outage_once_and_once_that_it_is_over(ways, folder):
    heard = chosen(ways, "opensearch")
    keys = {one.model: f"mlvitals/page/prod,{one.model},feature,{one.subject}" for one in OUTAGES}
    told = [(action, key) for key in keys.values() for action in ("trigger", "resolve")]
    assert sorted(heard.pages(), key=lambda page: list(keys.values()).index(page[1])) == told
    lived = episodes(folder)
    assert set(lived) == set(keys)
    for outage in OUTAGES:
        first = next(one for one in heard.paging.told() if one["dedup_key"] == keys[outage.model])
        since = datetime.fromtimestamp(lived[outage.model].since / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        told_now = first["payload"]["custom_details"]["now"]
        assert f"{says(outage)} (since {since})" in told_now
    assert {channel for channel, _, outcome in heard.standin.plugins.sent if outcome != "ok"} == set()


def test_prometheus_and_alertmanager_tell_each_outage_once_and_once_that_it_is_over(ways):
    heard = chosen(ways, "prometheus")
    told = heard.paging.told()
    keys = {}
    for outage, routing_key in ((FRAUD, "pagerduty-risk-ml"), (HOUSES, "pagerduty-platform")):
        first = next(one for one in told if one["payload"]["summary"] == f"prod: {says(outage)}")
        keys[first["dedup_key"]] = outage.model
        assert first["routing_key"] == routing_key
        paid = first["payload"]
        assert (paid["group"], paid["component"], paid["class"]) == ("prod", outage.model, "MlvitalsPage")
        assert paid["custom_details"]["runbook"].endswith("#page")
        assert "It began" in paid["custom_details"]["means"]
    wanted = [(action, key) for key in keys for action in ("trigger", "resolve")]
    assert sorted(heard.pages(), key=lambda page: list(keys).index(page[1])) == wanted
    warned = [one for group in heard.waiting.told() for one in group["alerts"]]
    assert {one["labels"]["severity"] for one in warned} == {"warn"}
    assert {one["labels"].get("model") for one in warned} >= set(keys.values())
