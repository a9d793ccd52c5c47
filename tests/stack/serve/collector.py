"""A collector that writes what it receives into files."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from tests.stack.serve.process import answers, free_ports, running, until
from tests.stack.serve.received import ReceivedPoint, ReceivedRecord, received_points, received_records

Receiver = Literal["otlp", "datadog"]

_RECEIVERS: Final[tuple[Receiver, ...]] = ("otlp", "datadog")
_SIGNALS: Final = ("metrics", "logs")


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorServer:
    """A running collector: `grpc`, `http` and `datadog` are its receivers' addresses, without a path."""

    grpc: str
    http: str
    datadog: str
    folder: Path
    _read: dict[Path, int] = field(default_factory=dict)

    def forget(self) -> None:
        """Take what was received so far for read."""
        for receiver in _RECEIVERS:
            for signal in _SIGNALS:
                file = _file(self.folder, signal, receiver)
                self._read[file] = file.stat().st_size if file.exists() else 0

    def read_metrics(self, receiver: Receiver = "otlp", *, count: int) -> list[ReceivedPoint]:
        """Return what came since `forget`, as soon as it is so many points, or fail."""
        return self._await("metrics", receiver, count, received_points)

    def read_logs(self, receiver: Receiver = "otlp", *, count: int) -> list[ReceivedRecord]:
        """Return what came since `forget`, as soon as it is so many records, or fail."""
        return self._await("logs", receiver, count, received_records)

    def _await(self, signal: str, receiver: Receiver, count: int, parse: Any) -> list[Any]:
        file = _file(self.folder, signal, receiver)
        found: list[Any] = []

        def all_there() -> bool:
            found[:] = [item for line in self._lines(file) for item in parse(line)]
            return len(found) >= count

        until(all_there, what=f"the collector's {receiver} receiver wrote {count} items of {signal}")
        return found

    def _lines(self, file: Path) -> list[str]:
        if not file.exists():
            return []
        with file.open("rb") as content:
            content.seek(self._read.get(file, 0))
            *whole, _ = content.read().decode().split("\n")
        return whole


@contextmanager
def collector(home: Path, folder: Path) -> Iterator[CollectorServer]:
    """Run a collector until the block ends."""
    grpc, http, datadog, health = (f"127.0.0.1:{port}" for port in free_ports(4))
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "collector.yaml"
    config.write_text(json.dumps(_config(folder, grpc, http, datadog, health)), "utf-8")
    with running(
        [home / "otelcol", f"--config=file:{config}"], folder=folder, ready=lambda: answers(f"http://{health}/")
    ):
        server = CollectorServer(
            grpc=f"http://{grpc}", http=f"http://{http}", datadog=f"http://{datadog}", folder=folder
        )
        yield server


def _config(folder: Path, grpc: str, http: str, datadog: str, health: str) -> dict[str, Any]:
    pairs = [(signal, receiver) for signal in _SIGNALS for receiver in _RECEIVERS]
    return {
        "extensions": {
            "health_check": {"endpoint": health},
            "file_storage": {"directory": str(folder / "storage"), "create_directory": True, "fsync": True},
        },
        "receivers": {
            "otlp": {"protocols": {"grpc": {"endpoint": grpc}, "http": {"endpoint": http}}},
            "datadog": {"endpoint": datadog},
        },
        "exporters": {
            f"file/{signal}_{receiver}": {"path": str(_file(folder, signal, receiver)), "flush_interval": "100ms"}
            for signal, receiver in pairs
        },
        "service": {
            "extensions": ["health_check", "file_storage"],
            "telemetry": {"metrics": {"level": "none"}, "logs": {"level": "warn"}},
            "pipelines": {
                f"{signal}/{receiver}": {"receivers": [receiver], "exporters": [f"file/{signal}_{receiver}"]}
                for signal, receiver in pairs
            },
        },
    }


def _file(folder: Path, signal: str, receiver: str) -> Path:
    return folder / f"{signal}-{receiver}.jsonl"
