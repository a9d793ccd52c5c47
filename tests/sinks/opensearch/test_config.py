"""A configuration is refused in one line without its secrets; credentials go where they belong, and nowhere else."""

import base64
import json
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from mlvitals.contracts.sinks import SINK_DEMANDS, Demand, sink_context
from mlvitals.delivery import Verdict
from mlvitals.sinks import OpenSearchSink
from mlvitals.sinks.opensearch.choices import Engine
from mlvitals.sinks.opensearch.config import LifecycleConfig, Sigv4Config
from mlvitals.telemetry.naming.opensearch import Schema
from mlvitals.transport.secret import Secret

PASSWORD = "hunter2-äöü"  # noqa: S105  # nobody's
KEY = "VuaCfGcBCdbkQm-e5aOx:ui2lp2axTNmsyakw9tvNnw"

every_demand = pytest.mark.parametrize("demand", SINK_DEMANDS, ids=[one.__name__ for one in SINK_DEMANDS])


def decode(kind, value):
    return Secret(value) if kind is Secret else Path(value)


def convert(**given):
    return msgspec.convert({"type": "opensearch"} | given, OpenSearchSink, dec_hook=decode)


def test_the_schema_is_the_engines_own_unless_it_is_given():
    assert convert().layout is Schema.SS4O
    assert convert(engine="elasticsearch").layout is Schema.ECS
    assert convert(engine="elasticsearch", schema="ss4o").layout is Schema.SS4O
    assert convert(lifecycle={"delete_after": "2w"}).lifecycle == LifecycleConfig(delete_after="2w")
    assert convert(lifecycle=False) == convert()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"hosts": []}, "`hosts` must name at least one address, and each once"),
        ({"hosts": ["http://a", "http://a"]}, "`hosts` must name at least one address, and each once"),
        ({"hosts": ["localhost:9200"]}, "`hosts` must be http:// or https:// addresses"),
        (
            {"hosts": ["https://u:hunter2@a"]},
            "`hosts` must hold no user, password, query or fragment: put secrets into `password` or `api_key`",
        ),
        ({"namespace": "a-b"}, "`namespace` must be of a-z, 0-9, `_` and `.`, up to a hundred of them"),
        ({"namespace": "Prod"}, "`namespace` must be of a-z, 0-9, `_` and `.`, up to a hundred of them"),
        ({"namespace": "a" * 101}, "`namespace` must be of a-z, 0-9, `_` and `.`, up to a hundred of them"),
        ({"timeout": "0s"}, "`timeout` must be longer than nothing"),
        ({"username": "u"}, "`username` and `password` need each other"),
        ({"password": "hunter2"}, "`username` and `password` need each other"),
        (
            {"username": "u", "password": "hunter2", "api_key": "hunter2"},
            "give only one of `password`, `api_key` and `sigv4`",
        ),
        (
            {"api_key": "hunter2", "sigv4": {"region": "eu-west-1"}},
            "give only one of `password`, `api_key` and `sigv4`",
        ),
        ({"key_file": "k"}, "`key_file` needs `cert_file`"),
        ({"lifecycle": True}, "`lifecycle` must say `{delete_after: 90d}`, or false to delete nothing"),
        (
            {"lifecycle": {}, "sigv4": {"region": "eu-west-1", "service": "aoss"}},
            "`lifecycle` must be false: OpenSearch Serverless has its own data lifecycle policies",
        ),
    ],
)
def test_what_cannot_work_is_refused_without_repeating_secrets(given, message):
    with pytest.raises(msgspec.ValidationError) as told:
        convert(**given)
    assert str(told.value) == message
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"lifecycle": {"delete_after": "36h"}}, "`delete_after` must be whole days or weeks, like 90d"),
        ({"lifecycle": {"delete_after": "0d"}}, "`delete_after` must be whole days or weeks, like 90d"),
        ({"sigv4": {"region": "eu west"}}, "`region` must be one of AWS's, like eu-west-1"),
        ({"sigv4": {"region": "eu-west-1", "service": "s3"}}, "Invalid enum value 's3'"),
        ({"templates": "of"}, "Invalid enum value 'of'"),
        ({"engine": "solr"}, "Invalid enum value 'solr'"),
        ({"host": "http://a"}, "Object contains unknown field `host`"),
    ],
)
def test_a_wrong_word_is_told_by_its_path(given, message):
    with pytest.raises(msgspec.ValidationError, match=message):
        convert(**given)


@pytest.mark.parametrize(
    ("given", "header"),
    [
        ({}, None),
        (
            {"username": "u", "password": PASSWORD},
            "Basic " + base64.b64encode(f"u:{PASSWORD}".encode()).decode("ascii"),
        ),
        ({"api_key": KEY}, "ApiKey " + base64.b64encode(KEY.encode()).decode("ascii")),
        ({"api_key": "VnVhQ2ZHY0JDZGJrUW0="}, "ApiKey VnVhQ2ZHY0JDZGJrUW0="),
    ],
)
def test_credentials_stand_in_every_request(road, cluster, many, given, header):
    secrets = {name: Secret(value) if name != "username" else value for name, value in given.items()}
    assert road(cluster, **secrets).send(logs=[many(1)]).complete
    assert {headers.get("authorization") for headers in cluster.headers} == {header}


def test_a_key_that_is_exchanged_is_used_from_then_on(road, cluster, many, tmp_path):
    file = tmp_path / "key"
    file.write_text("first-key\n", encoding="utf-8")
    one = road(cluster, api_key=Secret(file=file))
    one.send(logs=[many(1)])
    file.write_text("second-key\n", encoding="utf-8")
    one.send(logs=[many(1)])
    assert cluster.headers[0]["authorization"] == "ApiKey first-key"
    assert cluster.headers[-1]["authorization"] == "ApiKey second-key"


def test_what_a_server_repeats_of_the_credentials_is_not_told(road, cluster, many):
    encoded = base64.b64encode(f"user:{PASSWORD}".encode()).decode("ascii")
    cluster.denied["GET "] = (401, {"error": {"type": "security_exception", "reason": f"bad {encoded} {PASSWORD}"}})
    report = road(cluster, username="user", password=Secret(PASSWORD)).send(logs=[many(1)])
    assert report.held
    assert encoded not in report.trouble
    assert PASSWORD not in report.trouble


@every_demand
@pytest.mark.parametrize("engine", list(Engine))
def test_the_sink_keeps_its_contract(tmp_path, cluster, elastic, engine, *, demand: Demand):
    told = cluster if engine is Engine.OPENSEARCH else elastic
    with sink_context(tmp_path) as context:
        config = OpenSearchSink(hosts=(told.url,), engine=engine, username="u", password=Secret(PASSWORD))
        demand(config, replace(context), [PASSWORD])


@every_demand
def test_the_sink_keeps_its_contract_though_nobody_answers(tmp_path, demand: Demand):
    with sink_context(tmp_path) as context:
        config = OpenSearchSink(hosts=("http://127.0.0.1:9",), api_key=Secret(KEY), timeout="1s")
        demand(config, context, [KEY])


@pytest.fixture
def aws(monkeypatch, tmp_path):
    """Credentials in the environment, and none anywhere else."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a-token-of-this-session")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


@pytest.mark.parametrize("named", ["es", "aoss"])
@pytest.mark.usefixtures("aws")
def test_every_request_is_signed_for_its_service(road, cluster, many, named):
    sink = Sigv4Config(region="eu-west-1", service=named)
    assert road(cluster, sigv4=sink).send(logs=[many(1)]).complete
    for headers in cluster.headers:
        scope = headers["authorization"].split("Credential=")[1].split(",")[0].split("/")
        assert scope[0] == "AKIDEXAMPLE"
        assert scope[2:] == ["eu-west-1", named, "aws4_request"]
        assert "host;" in headers["authorization"]
        assert "x-amz-content-sha256" in headers["authorization"]
        assert headers["x-amz-security-token"] == "a-token-of-this-session"


def test_without_credentials_the_queue_is_held(aws, road, cluster, many):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        aws.delenv(name)
    report = road(cluster, sigv4=Sigv4Config(region="eu-west-1")).send(logs=[many(1)])
    assert report.held
    assert report.trouble == "AWS credentials: none are found where botocore looks for them"


@pytest.mark.usefixtures("aws")
def test_a_token_that_aws_repeats_is_not_told(road, cluster, many):
    cluster.denied["GET "] = (403, {"message": "The security token a-token-of-this-session is expired"})
    report = road(cluster, sigv4=Sigv4Config(region="eu-west-1")).send(logs=[many(1)])
    assert report.held
    assert "security token *" in report.trouble
    assert "a-token-of-this-session" not in json.dumps(report.trouble)


def test_a_timeout_of_one_host_is_told_without_secrets(road, cluster, many, answered):
    cluster.will(answered(delay=1.2, drop=True))
    one = road(cluster, timeout="1s", username="u", password=Secret(PASSWORD))
    [request] = one.sink.encode([], [many(1)])
    outcome = one.sink.send(request)
    assert (outcome.verdict, outcome.reason) == (Verdict.RETRY, f"{cluster.url}: no answer within 1 s")
