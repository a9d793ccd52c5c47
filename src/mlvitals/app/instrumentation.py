"""The second way out: what the job tells of itself by the OpenTelemetry SDK, which hangs on no outbox and no disk."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mlvitals.app.admission import service_of
from mlvitals.app.vitals import Vitals
from mlvitals.clock import MILLISECOND, SECOND
from mlvitals.config import Config
from mlvitals.errors import ConfigError, MissingExtraError
from mlvitals.signals.running import PIPELINE_LOOP_AGE, RUNNING
from mlvitals.signals.spec import Instrument
from mlvitals.sinks.agent import VERSION
from mlvitals.telemetry.naming.otel import attribute_name, resource_attributes

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Observation
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import MetricExporter

    from mlvitals.config.observing import InstrumentationConfig

_PARTING_SECONDS: Final = 2.0


@contextmanager
def instrumented(config: Config, vitals: Vitals) -> Iterator[None]:
    """Export what was last told of the job, by a thread of the SDK, while a block lasts.

    Raises:
        MissingExtraError: the SDK is not installed.
        ConfigError: the file of a header or of certificates cannot be read.

    """
    provider = _provider(config, vitals)
    try:
        yield
    finally:
        provider.shutdown(timeout_millis=_PARTING_SECONDS * SECOND / MILLISECOND)


def _provider(config: Config, vitals: Vitals) -> "MeterProvider":
    wanted = config.instrumentation
    if wanted is None:
        raise ValueError("no instrumentation is configured")
    try:
        from opentelemetry.metrics import Observation  # noqa: PLC0415  # an extra
        from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415

        exporter = _exporter(wanted)
    except ImportError as error:
        raise MissingExtraError(
            f'`instrumentation` needs the package {error.name}: pip install "mlvitals[otlp]" - at `$.instrumentation`'
        ) from error
    from mlvitals.sinks.otlp.envelope import SCHEMA_URL  # noqa: PLC0415  # protobuf

    reader = PeriodicExportingMetricReader(
        exporter,
        export_interval_millis=wanted.interval.microseconds / MILLISECOND,
        export_timeout_millis=wanted.timeout.microseconds / MILLISECOND,
    )
    # Resource, not Resource.create: that one adds a random instance, a new series at every restart.
    resource = Resource(resource_attributes(service_of(config)), SCHEMA_URL)
    provider = MeterProvider([reader], resource, shutdown_on_exit=False)
    meter = provider.get_meter("mlvitals", VERSION, SCHEMA_URL)
    for spec in RUNNING:
        create: Any = (
            meter.create_observable_counter if spec.instrument is Instrument.COUNTER else meter.create_observable_gauge
        )
        create(spec.name, [_callback(vitals, spec.name, Observation)], unit=spec.unit, description=spec.brief)
    return provider


def _exporter(wanted: "InstrumentationConfig") -> "MetricExporter":
    headers = {name: secret.read() for name, secret in wanted.headers.items()}
    timeout = wanted.timeout.microseconds / SECOND
    trusted = None if wanted.ca_file is None else _read(wanted.ca_file)
    if wanted.protocol == "grpc":
        from grpc import ssl_channel_credentials  # noqa: PLC0415
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import (  # noqa: PLC0415
            OTLPMetricExporter as GrpcExporter,
        )

        secure = wanted.endpoint.startswith("https:")
        return GrpcExporter(
            endpoint=wanted.endpoint,
            insecure=not secure,
            credentials=ssl_channel_credentials(trusted) if secure else None,
            headers={name.lower(): value for name, value in headers.items()},
            timeout=timeout,
        )
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415

    return OTLPMetricExporter(
        endpoint=f"{wanted.endpoint.rstrip('/')}/v1/metrics",
        certificate_file=None if wanted.ca_file is None else str(wanted.ca_file),
        headers=headers,
        timeout=timeout,
    )


def _read(certificates: Path) -> bytes:
    try:
        return certificates.read_bytes()
    except OSError as error:
        raise ConfigError(f"{certificates}: {error.strerror} - at `$.instrumentation.ca_file`") from error


def _callback(
    vitals: Vitals, name: str, observation: Callable[..., "Observation"]
) -> Callable[["CallbackOptions"], Iterator["Observation"]]:
    def observe(_: "CallbackOptions") -> Iterator["Observation"]:
        # From memory: a disk that hangs stops the loop, and this thread must live to tell of it.
        for point in vitals.latest:
            if point.name == name:
                value = vitals.gauges.pulse.age if name == PIPELINE_LOOP_AGE.name else point.value
                yield observation(value, {attribute_name(short): one for short, one in point.attributes.items()})

    return observe
