import subprocess
import sys

import msgspec
import pytest

from mlvitals.errors import ConfigError
from mlvitals.sinks import LocalSink, OtlpSink, SinkConfig, StdoutSink
from mlvitals.telemetry.naming.otel import Spelling


class Document(msgspec.Struct):
    sinks: list[SinkConfig]


def convert(**given):
    return msgspec.convert({"sinks": [given]}, Document).sinks[0]


def test_each_kind_is_told_by_its_type():
    assert convert(type="local") == LocalSink()
    assert convert(type="stdout", name="shipper") == StdoutSink(name="shipper")
    assert convert(type="otlp") == OtlpSink(
        name="otlp",
        endpoint="http://localhost:4318",
        attributes=Spelling.OTEL,
        compression="gzip",
        timeout="10s",
    )
    assert convert(type="otlp", attributes="short").attributes is Spelling.SHORT


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"type": "otpl"}, "Invalid value 'otpl' - at `$.sinks[0].type`"),
        ({"endpont": "x"}, "Object contains unknown field `endpont` - at `$.sinks[0]`"),
        (
            {"protocol": "grpc"},
            "`protocol` is `grpc`, and only http/protobuf is supported yet (gRPC is not) - at `$.sinks[0]`",
        ),
        ({"endpoint": "localhost:4318"}, "`endpoint` must be an http:// or https:// address - at `$.sinks[0]`"),
        ({"endpoint": "http://"}, "`endpoint` must be an http:// or https:// address - at `$.sinks[0]`"),
        (
            {"endpoint": "http://user:hunter2@localhost"},
            "`endpoint` must hold no user, password, query or fragment: put secrets into `headers` - at `$.sinks[0]`",
        ),
        (
            {"endpoint": "http://localhost?key=hunter2"},
            "`endpoint` must hold no user, password, query or fragment: put secrets into `headers` - at `$.sinks[0]`",
        ),
        ({"timeout": "0s"}, "`timeout` must be longer than nothing - at `$.sinks[0]`"),
        (
            {"timeout": "10"},
            "`10` is not a duration: write a whole number and one of ms, s, m, h, d, w, like `7d` - at `$.sinks[0]`",
        ),
        ({"key_file": "k"}, "`key_file` needs `cert_file` - at `$.sinks[0]`"),
        (
            {"headers": {"x-key": "hunter2\r\n"}},
            "`headers` holds a name or a value that no HTTP header can have - at `$.sinks[0]`",
        ),
        (
            {"headers": {"x key": "hunter2"}},
            "`headers` holds a name or a value that no HTTP header can have - at `$.sinks[0]`",
        ),
        ({"compression": "zstd"}, "Invalid enum value 'zstd' - at `$.sinks[0].compression`"),
    ],
)
def test_a_broken_sink_is_told_by_its_path_and_without_its_secret(given, message):
    with pytest.raises(msgspec.ValidationError) as told:
        convert(**({"type": "otlp"} | given))
    assert str(told.value) == message
    assert "hunter2" not in str(told.value)


def test_headers_are_never_shown():
    sink = OtlpSink(headers={"api-key": "hunter2"})
    for shown in (repr(sink), str(sink), f"{sink}", repr([sink])):
        assert "hunter2" not in shown
        assert "'api-key': '***'" in shown
    assert "endpoint='http://localhost:4318'" in repr(sink)


def test_a_certificate_that_is_not_there_is_told_on_opening(context, tmp_path):
    with pytest.raises(ConfigError, match=r"none\.pem: there is no such file"):
        OtlpSink(ca_file=str(tmp_path / "none.pem")).open(context)


def test_a_configuration_is_read_without_loading_the_protocols():
    code = "import sys, mlvitals.sinks; print({'google.protobuf', 'urllib3', 'ssl'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"
