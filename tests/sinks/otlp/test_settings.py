"""OpenTelemetry's variables, in the specification's units, under what the configuration says."""

from dataclasses import replace
from pathlib import Path

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from mlvitals.errors import ConfigError
from mlvitals.sinks import OtlpSink
from mlvitals.sinks.otlp.settings import Address, Transport, lane, resource_attributes
from mlvitals.telemetry import LogRecord
from mlvitals.transport.secret import Secret


def variables(**given):
    return {f"OTEL_EXPORTER_OTLP_{name}": text for name, text in given.items()}


def told(config=None, signal="metrics", **given):
    return lane(config or OtlpSink(), signal, variables(**given))


def url(found):
    return found.address.origin + found.address.path


def test_without_anything_said_a_collector_beside_us_is_asked():
    found = told()
    assert (url(found), found.transport, found.timeout, found.compressed) == (
        "http://localhost:4318/v1/metrics",
        Transport.HTTP,
        10.0,
        True,
    )
    assert (found.headers, found.ca_file, found.cert_file, found.key_file) == ({}, None, None, None)
    assert told(PROTOCOL="grpc").address == Address(origin="localhost:4317")


@pytest.mark.parametrize(
    ("config", "given", "metrics", "logs"),
    [
        ({}, {"ENDPOINT": "http://a:1"}, "http://a:1/v1/metrics", "http://a:1/v1/logs"),
        ({}, {"ENDPOINT": "http://a:1/base/"}, "http://a:1/base/v1/metrics", "http://a:1/base/v1/logs"),
        ({}, {"METRICS_ENDPOINT": "http://a:1/as/is/"}, "http://a:1/as/is/", "http://localhost:4318/v1/logs"),
        ({}, {"LOGS_ENDPOINT": "http://a:1", "ENDPOINT": "http://b:2"}, "http://b:2/v1/metrics", "http://a:1/"),
        ({"endpoint": "http://c:3"}, {"METRICS_ENDPOINT": "http://a:1"}, "http://c:3/v1/metrics", "http://c:3/v1/logs"),
        (
            {"endpoint": "http://c:3", "logs_endpoint": "http://d:4/x"},
            {"ENDPOINT": "http://a:1"},
            "http://c:3/v1/metrics",
            "http://d:4/x",
        ),
        ({"metrics_endpoint": "http://d:4/x"}, {"ENDPOINT": "http://a:1"}, "http://d:4/x", "http://a:1/v1/logs"),
        ({}, {"ENDPOINT": "  "}, "http://localhost:4318/v1/metrics", "http://localhost:4318/v1/logs"),
    ],
)
def test_an_explicit_key_goes_before_a_signals_variable_before_the_one_for_all(config, given, metrics, logs):
    assert [url(told(OtlpSink(**config), signal, **given)) for signal in ("metrics", "logs")] == [metrics, logs]


@pytest.mark.parametrize(
    ("endpoint", "insecure", "address"),
    [
        ("http://a", None, Address(origin="a:4317")),
        ("https://a", None, Address(origin="a:4317", secure=True)),
        ("https://a:443/", "true", Address(origin="a:443", secure=True)),
        ("http://a:1", "false", Address(origin="a:1")),
        ("a:1", None, Address(origin="a:1", secure=True)),
        ("a", "false", Address(origin="a:4317", secure=True)),
        ("a", "yes", Address(origin="a:4317", secure=True)),
        ("a:1", "TRUE", Address(origin="a:1")),
        ("[::1]:7", "true", Address(origin="[::1]:7")),
    ],
)
def test_over_grpc_the_scheme_says_whether_there_is_tls_and_without_one_there_is(endpoint, insecure, address):
    assert told(PROTOCOL="grpc", ENDPOINT=endpoint, INSECURE=insecure or "").address == address
    config = OtlpSink(protocol=Transport.GRPC, endpoint=endpoint)
    assert told(config, METRICS_INSECURE=insecure or "").address == address


def test_a_timeout_is_in_milliseconds():
    assert told(TIMEOUT="10000").timeout == 10.0
    assert told(TIMEOUT="10000", METRICS_TIMEOUT="250").timeout == 0.25
    assert told(OtlpSink(timeout="3s"), TIMEOUT="10000").timeout == 3.0


def test_compression_and_protocol_may_differ_by_signal():
    given = {"COMPRESSION": "none", "LOGS_COMPRESSION": "gzip", "PROTOCOL": "grpc", "LOGS_PROTOCOL": "http/protobuf"}
    assert [told(None, signal, **given).compressed for signal in ("metrics", "logs")] == [False, True]
    assert [told(None, signal, **given).transport for signal in ("metrics", "logs")] == list(reversed(Transport))
    assert told(OtlpSink(compression="gzip", protocol=Transport.HTTP), **given).compressed
    assert told(OtlpSink(protocol=Transport.HTTP), **given).transport is Transport.HTTP


def test_headers_are_percent_encoded_pairs_and_secrets():
    found = told(HEADERS="Authorization=Basic%20aHVudGVyMg%3D%3D, x-team = a%2Cb ,").headers
    assert {name: value.read() for name, value in found.items()} == {
        "Authorization": "Basic aHVudGVyMg==",
        "x-team": "a,b",
    }
    assert "aHVudGVy" not in repr(found)
    assert told(HEADERS="a=1", METRICS_HEADERS="b=2").headers == {"b": Secret("2")}
    assert told(OtlpSink(headers={"c": Secret("3")}), HEADERS="a=1").headers == {"c": Secret("3")}


def test_certificates_are_files_and_a_key_goes_with_its_certificate():
    given = {"CERTIFICATE": "/ca", "METRICS_CERTIFICATE": "/own", "CLIENT_CERTIFICATE": "/cert", "CLIENT_KEY": "/key"}
    found = told(**given)
    assert (found.ca_file, found.cert_file, found.key_file) == (Path("/own"), Path("/cert"), Path("/key"))
    found = told(OtlpSink(cert_file=Path("/mine"), ca_file=Path("/mine-ca")), **given)
    assert (found.ca_file, found.cert_file, found.key_file) == (Path("/mine-ca"), Path("/mine"), None)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"PROTOCOL": "http/json"}, "`OTEL_EXPORTER_OTLP_PROTOCOL` is `http/json`: choose http/protobuf or grpc"),
        ({"METRICS_COMPRESSION": "zstd"}, "`OTEL_EXPORTER_OTLP_METRICS_COMPRESSION` is `zstd`: choose gzip or none"),
        ({"TIMEOUT": "10s"}, "`OTEL_EXPORTER_OTLP_TIMEOUT` is `10s`: write milliseconds, as 10000"),
        ({"TIMEOUT": "0"}, "`OTEL_EXPORTER_OTLP_TIMEOUT` is `0`: write milliseconds, as 10000"),
        (
            {"ENDPOINT": "localhost:4318"},
            "`OTEL_EXPORTER_OTLP_ENDPOINT` must be an http:// or https:// address",
        ),
        (
            {"ENDPOINT": "http://hunter2@a"},
            "`OTEL_EXPORTER_OTLP_ENDPOINT` must hold no user, password, query or fragment: put secrets into `headers`",
        ),
        (
            {"HEADERS": "hunter2"},
            "`OTEL_EXPORTER_OTLP_HEADERS` is no list of `key=value`, percent-encoded and joined by commas",
        ),
        (
            {"HEADERS": "a=hunter2%ff"},
            "`OTEL_EXPORTER_OTLP_HEADERS` is no list of `key=value`, percent-encoded and joined by commas",
        ),
        (
            {"HEADERS": "a=hunter2\udcff"},  # a byte that is no UTF-8, as Python reads the environment
            "`OTEL_EXPORTER_OTLP_HEADERS` is no list of `key=value`, percent-encoded and joined by commas",
        ),
        (
            {"PROTOCOL": "grpc", "HEADERS": "x!y=hunter2"},
            "`OTEL_EXPORTER_OTLP_HEADERS` holds a name that no gRPC metadata can have",
        ),
        ({"HEADERS": "a=hunter2%0a"}, "`OTEL_EXPORTER_OTLP_HEADERS` holds a value that no HTTP header can have"),
        ({"HEADERS": "a b=hunter2"}, "`OTEL_EXPORTER_OTLP_HEADERS` holds a name that no HTTP header can have"),
        (
            {"HEADERS": "Transfer-Encoding=chunked"},
            "`OTEL_EXPORTER_OTLP_HEADERS` holds `Transfer-Encoding`, which is not for you to set",
        ),
        ({"HEADERS": "Host=x"}, "`OTEL_EXPORTER_OTLP_HEADERS` holds `Host`, which is not for you to set"),
    ],
)
def test_a_variable_that_cannot_be_meant_is_told_by_its_name_and_without_secrets(given, message):
    with pytest.raises(ConfigError) as error:
        told(**given)
    assert str(error.value) == message
    assert "hunter2" not in str(error.value)


def test_the_environment_is_read_when_the_destination_is_opened(monkeypatch, context, otlp_server, points):
    sink = OtlpSink()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", otlp_server.url)
    destination = sink.open(context)
    (request,) = destination.encode(points([1.0]), [])
    destination.send(request)
    destination.close()
    assert otlp_server.values() == [[1.0]]


def test_a_destination_may_take_metrics_only(context, otlp_server, points):
    sink = OtlpSink(endpoint=otlp_server.url, signals=("metrics",)).open(context)
    requests = sink.encode(points([1.0]), [LogRecord(event_name="e", time=1)])
    assert ([one.route for one in requests], sink.routes) == (["metrics"], ("metrics",))
    sink.probe()
    sink.close()
    assert otlp_server.paths == ["/v1/metrics"]


def test_two_signals_may_have_two_servers(context, otlp_server, listen, points):
    other = type(otlp_server)()
    listen(other, 0)
    sink = OtlpSink(metrics_endpoint=f"{otlp_server.url}/v1/metrics", logs_endpoint=f"{other.url}/v1/logs").open(
        context
    )
    for request in sink.encode(points([1.0]), [LogRecord(event_name="e", time=1)]):
        sink.send(request)
    sink.close()
    assert (otlp_server.paths, other.paths) == (["/v1/metrics"], ["/v1/logs"])


def test_headers_from_a_file_rotate_under_a_running_job(context, otlp_server, points, tmp_path):
    file = tmp_path / "key"
    file.write_text("first")
    sink = OtlpSink(endpoint=otlp_server.url, headers={"X-Key": Secret(file=file)}).open(context)
    (request,) = sink.encode(points([1.0]), [])
    sink.send(request)
    file.write_text("second")
    sink.send(request)
    sink.close()
    assert [one["x-key"] for one in otlp_server.headers] == ["first", "second"]


def test_resource_attributes_are_added_and_the_configuration_goes_before_them(context, otlp_server, points):
    text = "k8s.pod.name=a%2C1,team=elsewhere,service.name=other,service.instance.id=random"
    environ = {"OTEL_RESOURCE_ATTRIBUTES": text, "OTEL_SERVICE_NAME": "other"}
    assert resource_attributes(environ)["k8s.pod.name"] == "a,1"
    sink = OtlpSink(endpoint=otlp_server.url).open(replace(context, environ=environ))
    (request,) = sink.encode(points([1.0]), [])
    sink.send(request)
    sink.close()
    (message,) = otlp_server.messages
    assert isinstance(message, ExportMetricsServiceRequest)
    resource = {pair.key: pair.value.string_value for pair in message.resource_metrics[0].resource.attributes}
    assert resource == {
        "k8s.pod.name": "a,1",
        "team": "risk",
        "area": "eu",
        "service.name": "fraud-monitoring",
        "service.instance.id": "775f829c-2b3a-53eb-8f8c-284e402d2669",
        "deployment.environment.name": "prod",
    }
    with pytest.raises(ConfigError, match="`OTEL_RESOURCE_ATTRIBUTES` is no list"):
        resource_attributes({"OTEL_RESOURCE_ATTRIBUTES": "team"})
