"""VictoriaMetrics and VictoriaLogs: readers of Datadog's protocol that others wrote."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.stack.serve.process import answers, ask, free_ports, running, until


@dataclass(frozen=True, slots=True, kw_only=True)
class VictoriaMetricsServer:
    """A running VictoriaMetrics. datadog: takes `/api/v2/series`."""

    address: str

    @property
    def datadog(self) -> str:
        """Return the address that a Datadog client is given."""
        return f"{self.address}/datadog"

    def export(self, selector: str = '{__name__!=""}') -> list[dict[str, Any]]:
        """Return what a selector names: each a `metric` (labels), `values` and `timestamps` (milliseconds)."""
        ask(f"{self.address}/internal/force_flush")
        lines = ask(f"{self.address}/api/v1/export?match[]={quote(selector)}").splitlines()
        return [json.loads(line) for line in lines]


@dataclass(frozen=True, slots=True, kw_only=True)
class VictoriaLogsServer:
    """A running VictoriaLogs. datadog: takes `/api/v2/logs`."""

    address: str

    @property
    def datadog(self) -> str:
        """Return the address that a Datadog client is given."""
        return f"{self.address}/insert/datadog"

    def query(self, expression: str, *, count: int) -> list[dict[str, str]]:
        """Return the records that an expression finds, flat mappings of texts, as soon as they are so many, or fail."""
        found: list[dict[str, str]] = []

        def all_there() -> bool:
            lines = ask(f"{self.address}/select/logsql/query?query={quote(expression)}").splitlines()
            found[:] = [json.loads(line) for line in lines]
            return len(found) >= count

        until(all_there, what=f"VictoriaLogs finds {count} records by {expression!r}")
        return found


@contextmanager
def victoria_metrics(home: Path, folder: Path) -> Iterator[VictoriaMetricsServer]:
    """Run a VictoriaMetrics until the block ends."""
    with _victoria(home / "victoria-metrics", folder) as address:
        yield VictoriaMetricsServer(address=address)


@contextmanager
def victoria_logs(home: Path, folder: Path) -> Iterator[VictoriaLogsServer]:
    """Run a VictoriaLogs until the block ends."""
    with _victoria(home / "victoria-logs", folder) as address:
        yield VictoriaLogsServer(address=address)


@contextmanager
def _victoria(program: Path, folder: Path) -> Iterator[str]:
    [port] = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    command = [
        program,
        f"-storageDataPath={folder / 'data'}",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-retentionPeriod=100y",
        "-loggerLevel=WARN",
    ]
    with running(command, folder=folder, ready=lambda: answers(f"{address}/health")):
        yield address
