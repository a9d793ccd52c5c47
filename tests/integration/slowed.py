"""Stands before a backend that goes by the system's clock, for a job that goes by a faster one: gives times back."""

import gzip
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any, Final

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from tests.intake.loopback import listening

_WITHIN: Final = 30.0
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class _Handler(BaseHTTPRequestHandler):
    """Hands metrics on with the system's times, and the answer back as it is."""

    to: str
    slowed: Callable[[int], int]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        sent = urllib.request.Request(  # noqa: S310  # loopback only
            f"{self.to}{self.path}", data=self._told_slowly(body), headers={"Content-Type": "application/x-protobuf"}
        )
        try:
            with _OPENER.open(sent, timeout=_WITHIN) as answer:
                self._answer(answer.status, answer.read())
        except urllib.error.HTTPError as error:
            self._answer(error.code, error.read())

    def _told_slowly(self, body: bytes) -> bytes:
        request = ExportMetricsServiceRequest.FromString(body)
        for resource in request.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in getattr(metric, metric.WhichOneof("data")).data_points:
                        point.time_unix_nano = self.slowed(point.time_unix_nano)
                        point.start_time_unix_nano = self.slowed(point.start_time_unix_nano)
        told: bytes = request.SerializeToString()
        return told

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def slowed(endpoint: str, slow: Callable[[int], int]) -> Iterator[str]:
    """Yield the endpoint before an OTLP receiver of metrics, until the block ends.

    slow: the system's time of a faster clock's, both in nanoseconds since the epoch.
    """
    with listening(_Handler, to=endpoint, slowed=staticmethod(slow)) as port:
        yield f"http://127.0.0.1:{port}"
