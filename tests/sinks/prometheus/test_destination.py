"""The scrape endpoint: the newest value of every series, over a restart, no longer than it holds."""

import threading
from dataclasses import replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from prometheus_client.parser import text_string_to_metric_families as read_text

from mlvitals.clock import DAY, HOUR, MINUTE
from mlvitals.contracts.sinks import SINK_DEMANDS, Demand
from mlvitals.delivery import Verdict
from mlvitals.errors import ConfigError
from mlvitals.sinks import PrometheusSink
from mlvitals.telemetry import LogRecord

COUNT = 'mlvitals_prediction_count{mlvitals_environment="test",mlvitals_model_name="fraud",mlvitals_model_version="7"}'


@pytest.mark.parametrize("demand", SINK_DEMANDS, ids=[one.__name__ for one in SINK_DEMANDS])
def test_it_keeps_the_contract_of_sinks(endpoint, demand: Demand):
    demand(endpoint.config, endpoint.context, [])


def test_a_scrape_shows_the_newest_value_of_every_series(endpoint):
    endpoint.send(endpoint.point(value=5.0), endpoint.point(value=6.0, hour=1), endpoint.point(value=1.0, model="x"))
    assert sorted(endpoint.lines()) == [f"{COUNT} 6.0", COUNT.replace("fraud", "x") + " 1.0"]


def test_an_older_value_that_comes_later_changes_nothing(endpoint):
    endpoint.send(endpoint.point(value=6.0, hour=1))
    endpoint.send(endpoint.point(value=5.0))
    assert endpoint.lines() == [f"{COUNT} 6.0"]


def test_the_same_request_again_changes_nothing(endpoint):
    endpoint.send(endpoint.point(value=6.0))
    endpoint.clock.moment += 2 * HOUR
    endpoint.send(endpoint.point(value=6.0))
    endpoint.clock.moment += 2 * HOUR
    assert endpoint.lines() == []


def test_a_restart_serves_at_once(endpoint):
    endpoint.send(endpoint.point())
    endpoint.close()
    endpoint.open()
    assert endpoint.lines() == [f"{COUNT} 5.0"]


@pytest.mark.parametrize(
    ("shown", "point"),
    [
        (3 * HOUR, {}),
        (3 * DAY, {"length": DAY}),
        (3 * HOUR, {"name": "mlvitals.label.coverage.ratio", "length": HOUR + 7 * DAY, "maturity": "7d"}),
        (HOUR, {"name": "mlvitals.pipeline.outbox.age", "length": MINUTE}),
        (HOUR, {"name": "mlvitals.pipeline.events", "length": 300 * DAY}),
    ],
    ids=["hourly", "daily", "at a maturity", "of the job", "a total of the job"],
)
def test_a_value_vanishes_once_it_no_longer_holds(endpoint, shown, point):
    endpoint.send(endpoint.point(**point))
    endpoint.clock.moment += shown
    assert len(endpoint.lines()) == 1
    endpoint.clock.moment += 1
    assert endpoint.lines() == []


def test_a_late_window_is_shown_from_when_it_comes(endpoint):
    endpoint.clock.moment += 300 * DAY
    endpoint.send(endpoint.point())
    assert endpoint.lines() == [f"{COUNT} 5.0"]


def test_what_vanished_leaves_the_state(endpoint):
    endpoint.send(endpoint.point())
    endpoint.clock.moment += DAY
    endpoint.send(endpoint.point(hour=24, model="x"))
    (rows,) = endpoint.context.store.connection.execute("SELECT count(*) FROM scraped_series").fetchone()
    assert rows == 1


def test_two_sinks_over_one_state_have_series_of_their_own(endpoint):
    other = replace_name(endpoint.config, "other").open(endpoint.context)
    for request in other.encode([endpoint.point(value=9.0)], []):
        other.send(request)
    assert endpoint.lines() == []


def replace_name(config, name):
    return PrometheusSink(name=name, listen=config.listen)


def test_logs_have_no_place(endpoint):
    assert endpoint.sink.encode([], [LogRecord(event_name="mlvitals.window.closed", time=0)]) == []


def test_tags_of_the_service_stand_beside_and_those_of_the_model_on_its_series(endpoint):
    endpoint.send(endpoint.point(tags={"team": "fraud-team", "tier": "1"}))
    body = endpoint.get()[2]
    assert 'target_info{cost_center="4711",deployment_environment_name="test",team="risk"} 1' in body
    assert 'team="fraud-team",tier="1"} 5.0' in body


@pytest.mark.parametrize(
    ("accept", "told"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text;version=1.0.0;q=0.6,*/*;q=0.2", "application/openmetrics-text; version=1.0.0"),
        ("text/html", "text/plain; version=0.0.4; charset=utf-8"),
    ],
)
def test_the_format_is_the_one_that_is_asked_for(endpoint, accept, told):
    status, content_type, body = endpoint.get(accept=accept)
    assert status == 200
    assert content_type.startswith(told)
    assert body.endswith("# EOF\n") is ("openmetrics" in told)


def test_other_pages_are_not_there(endpoint):
    assert endpoint.get("/")[0] == 200
    assert endpoint.get("/state.db")[0] == endpoint.get("/../../etc/passwd")[0] == 404


def test_scrapes_while_it_is_written_see_whole_windows(endpoint):
    features = [f"f{number}" for number in range(200)]
    seen, failed = [], []
    done = threading.Event()

    def scrape():
        while not done.is_set():
            status, _, body = endpoint.get()
            values = {one.value for family in read_text(body) for one in family.samples if "ratio" in family.name}
            seen.append(values)
            if status != 200 or len(values) > 1:
                failed.append((status, values))

    scrapers = [threading.Thread(target=scrape) for _ in range(3)]
    for one in scrapers:
        one.start()
    for hour in range(30):
        name = "mlvitals.feature.missing.ratio"
        endpoint.send(*(endpoint.point(name, hour / 100, hour=hour, feature=feature) for feature in features))
    done.set()
    for one in scrapers:
        one.join()
    assert seen
    assert failed == []


def test_a_state_that_cannot_be_read_fails_the_scrape_and_not_the_server(endpoint, tmp_path):
    store = endpoint.context.store
    endpoint.sink.context = replace(endpoint.context, store=type("Gone", (), {"path": tmp_path / "gone.db"})())
    assert endpoint.get()[0] == 500
    endpoint.sink.context = replace(endpoint.context, store=store)
    assert endpoint.get()[0] == 200


def test_nothing_listens_until_it_is_asked_to(endpoint):
    quiet = PrometheusSink(listen=endpoint.url.split("/")[2]).open(endpoint.context)
    assert quiet.probe().verdict is Verdict.OK
    assert "served by a job that runs" in quiet.probe().reason
    with pytest.raises(ConfigError, match="cannot be listened on: Address already in use"):
        quiet.serve()
    endpoint.close()
    assert quiet.probe().reason == ""
    assert quiet.serve() == endpoint.url
    assert quiet.probe().verdict is Verdict.OK
    quiet.close()
    quiet.close()
    with pytest.raises(ConnectionRefusedError):
        HTTPConnection(endpoint.url.split("/")[2], timeout=5).request("GET", "/")


def test_an_address_of_somebody_else_is_told(endpoint):
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as other:
        thread = threading.Thread(target=other.handle_request)
        thread.start()
        address = f"127.0.0.1:{other.server_address[1]}"
        outcome = PrometheusSink(listen=address).open(endpoint.context).probe()
        thread.join()
    assert outcome.verdict is Verdict.MISCONFIGURED
    assert outcome.reason == f"{address} cannot be listened on"


def test_what_cannot_be_configured_is_refused():
    with pytest.raises(ValueError, match="HOST:PORT"):
        PrometheusSink(listen="9464")
