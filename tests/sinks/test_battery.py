"""What every sink keeps: the battery that users hold their own against."""

import io
from dataclasses import replace

import pytest

from mlvitals.contracts.sinks import SINK_DEMANDS, Demand, sink_context
from mlvitals.sinks import LocalSink, OtlpSink, StdoutSink
from mlvitals.transport.secret import Secret

SECRET = "hunter2"  # noqa: S105  # nobody's

every_demand = pytest.mark.parametrize("demand", SINK_DEMANDS, ids=[one.__name__ for one in SINK_DEMANDS])


@pytest.fixture
def anywhere(tmp_path):
    with sink_context(tmp_path) as context:
        yield replace(context, stdout=io.BytesIO())


@every_demand
@pytest.mark.parametrize("config", [LocalSink(), StdoutSink()], ids=["local", "stdout"])
def test_a_sink_keeps_its_contract(anywhere, config: LocalSink | StdoutSink, demand: Demand):
    demand(config, anywhere, [])


@every_demand
@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_a_sink_with_secrets_keeps_its_contract(anywhere, otlp_server, compression, demand: Demand):
    config = OtlpSink(endpoint=otlp_server.url, headers={"X-Key": Secret(SECRET)}, compression=compression)
    demand(config, anywhere, [SECRET])


@every_demand
def test_a_sink_keeps_its_contract_though_nobody_answers(anywhere, demand: Demand):
    demand(OtlpSink(endpoint="http://127.0.0.1:9", headers={"X-Key": Secret(SECRET)}, timeout="1s"), anywhere, [SECRET])
