"""The way of Prometheus: a real one with the rules of the job's configuration, and Alertmanager by the example."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tests.cli.conftest import in_a_process
from tests.conftest import REPOSITORY
from tests.integration.receiver import Receiver, receiver
from tests.integration.slowed import slowed
from tests.stack import versions
from tests.stack.home import home
from tests.stack.serve.process import ask
from tests.stack.serve.prometheus import PrometheusServer, alertmanager, prometheus
from tests.terraform.pages.story import FACTOR, Clock

EXAMPLE: Final = REPOSITORY / "monitors" / "prometheus" / "alertmanager.example.yaml"

_RULES: Final = "mlvitals.rules.yaml"
_UNITS: Final = {"s": 1, "m": 60, "h": 3_600}


@dataclass(frozen=True, slots=True, kw_only=True)
class ByPrometheus:
    """Both servers, which work by themselves. paging: PagerDuty; waiting: the webhook of what warns."""

    sink: Mapping[str, Any]
    server: PrometheusServer
    paging: Receiver
    waiting: Receiver

    def begin(self, folder: Path) -> None:
        """Bring the rules of the job's configuration."""
        done = in_a_process("render", "--rules", "-c", folder / "mlvitals.yaml", "-o", self.server.folder)
        assert done.code == 0, done.err
        ask(f"{self.server.address}/-/reload", method="POST")

    def step(self) -> None:
        """Nothing: they do it themselves."""

    def pages(self) -> list[tuple[str, str]]:
        return [(one["event_action"], one["dedup_key"]) for one in self.paging.told()]


@contextmanager
def by_prometheus(clock: Clock, folder: Path) -> Iterator[ByPrometheus]:
    """Run both until the block ends."""
    programs = [home(server) for server in (versions.PROMETHEUS, versions.ALERTMANAGER)]
    with receiver() as paging, receiver() as waiting:
        routes = _hurried(yaml.safe_load(EXAMPLE.read_text("utf-8")), paging.address, waiting.address)
        with alertmanager(programs[1], folder / "alertmanager", routes) as told:
            target = told.address.removeprefix("http://")
            more = {
                "global": {"evaluation_interval": "2s"},
                "rule_files": [_RULES],
                "alerting": {"alertmanagers": [{"static_configs": [{"targets": [target]}]}]},
            }
            with (
                prometheus(programs[0], folder / "prometheus", more) as server,
                slowed(server.otlp, clock.slow) as endpoint,
            ):
                sink = {"type": "otlp", "endpoint": endpoint, "signals": ["metrics"]}
                yield ByPrometheus(sink=sink, server=server, paging=paging, waiting=waiting)


def _hurried(routes: Any, paging: str, waiting: str) -> Any:
    """Return the example with times as many times as short, and for each file with a secret who listens here."""
    match routes:
        case dict():
            told = {name: _hurried(value, paging, waiting) for name, value in routes.items()}
            if (key := told.pop("routing_key_file", None)) is not None:
                told |= {"routing_key": Path(key).name, "url": paging}
            if told.pop("url_file", None) is not None:
                told["url"] = waiting
            return told
        case list():
            return [_hurried(one, paging, waiting) for one in routes]
        case str() if (time := re.fullmatch(r"(\d+)([smh])", routes)) is not None:
            return f"{int(time[1]) * _UNITS[time[2]] * 1_000 // FACTOR}ms"
    return routes
