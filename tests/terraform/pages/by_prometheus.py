"""The way of Prometheus: a real one with the rules of the job's configuration, and Alertmanager by the example."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.cli.conftest import in_a_process
from tests.integration.receiver import Receiver, receiver
from tests.integration.routes import example
from tests.integration.slowed import slowed
from tests.stack import versions
from tests.stack.home import home
from tests.stack.serve.process import ask
from tests.stack.serve.prometheus import PrometheusServer, alertmanager, prometheus
from tests.terraform.pages.story import FACTOR, Clock

_RULES: Final = "mlvitals.rules.yaml"


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
        routes = example(FACTOR, paging=paging.address, waiting=waiting.address)
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
