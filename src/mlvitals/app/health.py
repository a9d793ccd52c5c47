"""Who may ask whether the job is well: a supervisor, a load balancer, a Prometheus; each page by GET."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from mlvitals.app.admission import service_of
from mlvitals.app.vitals import Gauges
from mlvitals.clock import HOUR, SECOND, SystemClock
from mlvitals.config import Config
from mlvitals.delivery import QueueStatus, queue_statuses
from mlvitals.sinks.prometheus.exposition import page, sample
from mlvitals.state import Store
from mlvitals.transport.listen import NOT_FOUND, Listener, Page, Query

# A batch takes seconds; a window of a thousand models may take a minute to close.
LOOP_SECONDS: Final = 300.0
WAITING: Final = HOUR
# A queue may grow to a quarter of a gigabyte, and SQLite's log beside it.
FREE_BYTES: Final = 512 * 1024 * 1024

_PAGES: Final = b"/healthz\n/livez\n/readyz\n/metrics\n"
_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Health:
    """Answers what is asked, over the state as it is committed; no answer waits for the loop."""

    config: Config
    gauges: Gauges

    def listen(self, address: str) -> Listener:
        """Begin to answer.

        Raises:
            ConfigError: the address cannot be listened on.

        """
        return Listener(address, self.answer)

    def answer(self, query: Query) -> Page:
        """Return the page that is asked for; 503 where what it stands for is not so."""
        match query.path:
            case "/healthz":
                return _verdict(self._everything())
            case "/livez":
                return _verdict({"loop": self._loop()})
            case "/readyz":
                ready = self.gauges.pulse.ready
                return _verdict({"ready": {"ok": ready}, "loop": self._loop()})
            case "/metrics":
                return self._metrics(query)
            case "/":
                return Page(body=_PAGES)
        return NOT_FOUND

    def _everything(self) -> dict[str, dict[str, Any]]:
        pulse = self.gauges.pulse
        checks = {"loop": self._loop(), "sources": _told(pulse.unread), "models": _told(pulse.broken)}
        with Store.open_read_only(self.config.state.path) as store:
            checks["destinations"] = self._destinations(queue_statuses(store))
        return checks | {"disk": _disk(self.config.state.path.parent)}

    def _loop(self) -> dict[str, Any]:
        age = self.gauges.pulse.age
        return {"ok": age <= LOOP_SECONDS, "age_seconds": round(age, 3)}

    def _destinations(self, queues: Sequence[QueueStatus]) -> dict[str, Any]:
        """Return how those that are configured stand; one of an earlier configuration is nobody's trouble any more."""
        now = self.gauges.steady.now()
        mine = {sink.name for sink in self.config.sinks}
        problems, oldest = [], 0
        for queue in queues:
            if queue.destination not in mine:
                continue
            waited = 0 if queue.oldest is None else now - queue.oldest
            oldest = max(oldest, waited)
            if queue.held:
                problems.append(f"{queue.destination}: held until a person acts: {queue.trouble}")
            elif waited > WAITING:
                problems.append(f"{queue.destination}: requests wait for {waited // SECOND} s: {queue.trouble}")
        return _told(problems) | {"oldest_seconds": oldest / SECOND}

    def _metrics(self, query: Query) -> Page:
        with Store.open_read_only(self.config.state.path) as store:
            points = self.gauges.read(store, SystemClock().now())
        samples = [sample(point) for point in points]
        return page(samples, self.config.signals.specs, service_of(self.config), query.headers.get("accept", ""))


def _told(problems: Sequence[str]) -> dict[str, Any]:
    return {"ok": not problems, "problems": list(problems)}


def _disk(folder: Path) -> dict[str, Any]:
    found = os.statvfs(folder)
    free = found.f_bavail * found.f_frsize
    return {"ok": free >= FREE_BYTES, "free_bytes": free}


def _verdict(checks: dict[str, dict[str, Any]]) -> Page:
    well = all(check["ok"] for check in checks.values())
    body = msgspec.json.encode({"status": "ok" if well else "failing", "checks": checks})
    return Page(status=200 if well else 503, body=body + b"\n", content_type=_JSON)
