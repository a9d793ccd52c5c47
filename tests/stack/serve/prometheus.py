"""Prometheus with its OTLP receiver, and Alertmanager."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from tests.stack.serve.process import answers, ask, free_ports, running

_NOBODY: Final[Mapping[str, Any]] = MappingProxyType(
    {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusSeries:
    """A series: its labels, `__name__` among them, and its samples by their time in milliseconds since the epoch."""

    labels: Mapping[str, str]
    samples: Mapping[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusServer:
    """A running Prometheus. address: of its API. otlp: what an OTLP exporter is given as its endpoint.

    more: what its configuration says besides.
    """

    address: str
    folder: Path
    more: Mapping[str, Any]

    @property
    def otlp(self) -> str:
        """Return the endpoint to which `/v1/metrics` is appended."""
        return f"{self.address}/api/v1/otlp"

    def query(self, expression: str, *, at: float) -> Any:
        """Return the result of an instant query at a time in seconds since the epoch."""
        told = json.loads(ask(f"{self.address}/api/v1/query?query={quote(expression)}&time={at}"))
        assert told["status"] == "success", told
        return told["data"]["result"]

    def query_series(self, selector: str, *, at: float, back: str = "7d") -> list[PrometheusSeries]:
        """Return the samples themselves of what a selector names, up to a time (seconds) and from `back` before it."""
        return [
            PrometheusSeries(
                labels=series["metric"],
                samples={round(float(time) * 1000): float(value) for time, value in series["values"]},
            )
            for series in self.query(f"{selector}[{back}]", at=at)
        ]

    def metadata(self) -> dict[str, Any]:
        """Return what it knows of metrics that it scraped: type, unit and help, by name."""
        told: dict[str, Any] = json.loads(ask(f"{self.address}/api/v1/metadata"))["data"]
        return told

    def scrape(self, target: str, *, interval: str = "1s") -> None:
        """Scrape a target, `HOST:PORT`, from now on, and no other."""
        jobs = [{"job_name": "mlvitals", "scrape_interval": interval, "static_configs": [{"targets": [target]}]}]
        (self.folder / "prometheus.yaml").write_text(json.dumps(_config(jobs, self.more)), "utf-8")
        ask(f"{self.address}/-/reload", method="POST")


@contextmanager
def prometheus(home: Path, folder: Path, more: Mapping[str, Any] = MappingProxyType({})) -> Iterator[PrometheusServer]:
    """Run a Prometheus until the block ends; `more` is what its configuration says besides, such as rules."""
    [port] = free_ports(1)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prometheus.yaml").write_text(json.dumps(_config([], more)), "utf-8")
    command = [
        home / "prometheus",
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-otlp-receiver",
        "--web.enable-lifecycle",
        "--log.level=warn",
    ]
    address = f"http://127.0.0.1:{port}"
    with running(command, folder=folder, ready=lambda: answers(f"{address}/-/ready")):
        yield PrometheusServer(address=address, folder=folder, more=more)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertmanagerServer:
    """A running Alertmanager. address: of its API."""

    address: str

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that it holds."""
        told: list[dict[str, Any]] = json.loads(ask(f"{self.address}/api/v2/alerts"))
        return told


@contextmanager
def alertmanager(home: Path, folder: Path, told: Mapping[str, Any] = _NOBODY) -> Iterator[AlertmanagerServer]:
    """Run an Alertmanager until the block ends; its configuration, unless it is told, tells nobody."""
    [port] = free_ports(1)
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "alertmanager.yaml"
    config.write_text(json.dumps(dict(told)), "utf-8")
    command = [
        home / "alertmanager",
        f"--config.file={config}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    address = f"http://127.0.0.1:{port}"
    with running(command, folder=folder, ready=lambda: answers(f"{address}/-/ready")):
        yield AlertmanagerServer(address=address)


def _config(jobs: list[dict[str, Any]], more: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "global": {"scrape_interval": "1m"},
        # What a user sets to the longest outage that they want to survive.
        "storage": {"tsdb": {"out_of_order_time_window": "30d"}},
        "scrape_configs": jobs,
        **more,
    }
