import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mlvitals.clock import DAY, HOUR
from mlvitals.config.scalar import decoder
from mlvitals.delivery import Bounds
from mlvitals.errors import ConfigError
from mlvitals.sinks import LocalSink, OtlpSink, SinkConfig, StdoutSink
from mlvitals.telemetry.naming.otel import Spelling
from mlvitals.transport.secret import Secret


class Document(msgspec.Struct):
    sinks: list[SinkConfig]


def convert(**given):
    return msgspec.convert({"sinks": [given]}, Document, dec_hook=decoder(Path("/etc/mlvitals"))).sinks[0]


def test_each_kind_is_told_by_its_type():
    assert convert(type="local") == LocalSink()
    assert convert(type="stdout", name="shipper") == StdoutSink(name="shipper")
    assert convert(type="otlp") == OtlpSink(name="otlp", attributes=Spelling.OTEL, signals=("metrics", "logs"))
    assert convert(type="otlp", attributes="short").attributes is Spelling.SHORT


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"type": "otpl"}, "Invalid value 'otpl' - at `$.sinks[0].type`"),
        ({"endpont": "x"}, "Object contains unknown field `endpont` - at `$.sinks[0]`"),
        ({"protocol": "http/json"}, "Invalid enum value 'http/json' - at `$.sinks[0].protocol`"),
        (
            {"protocol": "grpc", "endpoint": "ftp://localhost"},
            "`endpoint` must be an http:// or https:// address or HOST:PORT - at `$.sinks[0]`",
        ),
        (
            {"protocol": "grpc", "metrics_endpoint": "http://localhost:4317/v1/metrics"},
            "`metrics_endpoint` must hold no path: gRPC has none - at `$.sinks[0]`",
        ),
        ({"signals": []}, "`signals` must name metrics, logs or both, each once - at `$.sinks[0]`"),
        ({"signals": ["logs", "logs"]}, "`signals` must name metrics, logs or both, each once - at `$.sinks[0]`"),
        ({"signals": ["traces"]}, "Invalid enum value 'traces' - at `$.sinks[0].signals[0]`"),
        ({"logs_endpoint": "http://[::1"}, "`logs_endpoint` must be an http:// or https:// address - at `$.sinks[0]`"),
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
        ({"headers": {"x key": "hunter2"}}, "`headers` holds a name that no HTTP header can have - at `$.sinks[0]`"),
        (
            {"headers": {"content-type": "hunter2"}},
            "`headers` holds `content-type`, which is not for you to set - at `$.sinks[0]`",
        ),
        (
            {"protocol": "grpc", "headers": {"Key-Bin": "hunter2"}},
            "`headers` holds `Key-Bin`, which is not for you to set - at `$.sinks[0]`",
        ),
        (
            {"queue": {"size": "1 MB"}},
            (
                "`1 MB` is not a size: write a whole number and one of B, KiB, MiB, GiB, like `256MiB`"
                " - at `$.sinks[0].queue`"
            ),
        ),
        ({"queue": {"size": "0B"}}, "`size` must be more than nothing - at `$.sinks[0].queue`"),
        ({"queue": {"age": "0d"}}, "`age` must be longer than nothing - at `$.sinks[0].queue`"),
        ({"queue": {"ages": "1d"}}, "Object contains unknown field `ages` - at `$.sinks[0].queue`"),
        ({"type": "prometheus", "windows": 0}, "Expected `int` >= 1 - at `$.sinks[0].windows`"),
        # So many months would be more than the state can hold of a length.
        ({"type": "prometheus", "windows": 10**8}, "Expected `int` <= 1000 - at `$.sinks[0].windows`"),
        ({"compression": "zstd"}, "Invalid enum value 'zstd' - at `$.sinks[0].compression`"),
    ],
)
def test_a_broken_sink_is_told_by_its_path_and_without_its_secret(given, message):
    with pytest.raises(msgspec.ValidationError) as told:
        convert(**({"type": "otlp"} | given))
    assert str(told.value) == message
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize("kind", ["datadog", "local", "opensearch", "otlp", "prometheus", "stdout"])
def test_every_sink_has_a_queue_that_is_bounded_in_bytes_and_age(kind):
    given: dict[str, Any] = {"api_key": "x"} if kind == "datadog" else {}
    plain = convert(type=kind, **given)
    assert plain.queue.bounds == Bounds(size=256 * 1024**2, age=7 * DAY, letters=64 * 1024**2)
    bounded = convert(type=kind, **given, queue={"size": "4GiB", "age": "36h"})
    assert bounded.queue.bounds == Bounds(size=4 * 1024**3, age=36 * HOUR, letters=1024**3)


def test_headers_are_never_shown():
    sink = OtlpSink(headers={"api-key": Secret("hunter2")})
    for shown in (repr(sink), str(sink), f"{sink}", repr([sink])):
        assert "hunter2" not in shown
        assert "'api-key': Secret(***)" in shown


def test_a_certificate_that_is_not_there_is_told_on_opening(context, tmp_path):
    with pytest.raises(ConfigError, match=r"none\.pem: there is no such file"):
        OtlpSink(ca_file=tmp_path / "none.pem").open(context)


def test_a_configuration_is_read_without_loading_the_protocols():
    code = "import sys, mlvitals.sinks; print({'google.protobuf', 'grpc', 'urllib3', 'ssl'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"
