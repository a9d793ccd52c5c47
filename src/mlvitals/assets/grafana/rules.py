"""Alert rules that Grafana evaluates itself, as the data of its Terraform module.

A rule asks for a level: 2 where the bar is reached, 1 between it and its recovery, 0 below. It fires above 1.5 and is
over below 0.5, which is Grafana's own hysteresis, whatever the comparison is. `%TOKENS%` are filled in by the module.
"""

from typing import Any, Final

from mlvitals.assets.grafana.board import uid
from mlvitals.assets.monitors import MONITORS, Bar, Monitor, Overdue, Silence
from mlvitals.assets.prometheus.promql import expression, silence
from mlvitals.assets.prometheus.words import annotations, labels

MATCHERS: Final = "%MATCHERS%"
LOOKBACK: Final = "%LOOKBACK%"
FRESH: Final = "%FRESH%"
SILENT: Final = "%SILENT%"
BAR: Final = "%BAR%"
RECOVERY: Final = "%RECOVERY%"


def rule_documents() -> list[dict[str, Any]]:
    """Return every monitor as the module reads it."""
    return [_document(monitor) for monitor in MONITORS]


def _document(monitor: Monitor) -> dict[str, Any]:
    bar = monitor.fires if isinstance(monitor.fires, Bar) else None
    return {
        "name": monitor.name,
        "title": monitor.title,
        "severity": monitor.severity.value,
        "per_model": monitor.per_model,
        "windowed": monitor.windowed,
        "bar": bar.value if bar else None,
        "recovery": bar.recovery if bar else None,
        "lasting_seconds": bar.lasting if bar else 0,
        "silent_seconds": monitor.fires.seconds if isinstance(monitor.fires, Silence) else None,
        "level": level(monitor),
        "value": asked(monitor),
        "labels": labels(monitor),
        "incident": list(monitor.incident),
        **annotations(monitor, "$values.V.Value"),
        "dashboard_uid": uid("model" if monitor.per_model else "exporter"),
    }


def asked(monitor: Monitor) -> str:
    """Return the expression of a monitor's value."""
    return expression(monitor.alerts, lookback=LOOKBACK, fresh=FRESH, matchers=[MATCHERS])


def level(monitor: Monitor) -> str:
    """Return the expression of a monitor's level."""
    value = asked(monitor)
    match monitor.fires:
        case Silence():
            return f"({silence(monitor.alerts, SILENT, [MATCHERS])}) * 0 + 2"
        case Overdue():
            return f"2 * ({value} > bool {BAR})"
        case Bar(comparator=comparator):
            return f"({value} {comparator.value} bool {BAR}) + ({value} {comparator.value} bool {RECOVERY})"
