"""Alert rules that Grafana evaluates itself, as the data of its Terraform module.

A rule asks for a level: 2 where the bar is reached, 1 between it and its recovery, 0 below. It fires above 1.5 and is
over below 0.5, which is Grafana's own hysteresis, whatever the comparison is. `%TOKENS%` are filled in by the module.
"""

from typing import Any, Final

from mlvitals.assets.grafana.board import uid
from mlvitals.assets.monitors import MONITORS, Bar, Cadence, Monitor, Overdue, Silence
from mlvitals.assets.monitors.words import heading, steps
from mlvitals.assets.prometheus.promql import by, expression, label, series
from mlvitals.signals.registry import REGISTRY

MATCHERS: Final = "%MATCHERS%"
LOOKBACK: Final = "%LOOKBACK%"
FRESH: Final = "%FRESH%"
SILENT: Final = "%SILENT%"
BAR: Final = "%BAR%"
RECOVERY: Final = "%RECOVERY%"

_REMEMBERED: Final = "7d"
_VALUES: Final = {"1": "humanizePercentage", "s": "humanizeDuration"}


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
        "windowed": monitor.cadence is Cadence.WINDOW or isinstance(monitor.fires, Overdue),
        "bar": bar.value if bar else None,
        "recovery": bar.recovery if bar else None,
        "lasting_seconds": bar.lasting if bar else 0,
        "silent_seconds": monitor.fires.seconds if isinstance(monitor.fires, Silence) else None,
        "level": level(monitor),
        "value": asked(monitor),
        "labels": {name: f"{{{{ $labels.{label(name)} }}}}" for name in monitor.query.by},
        "summary": heading(monitor, lambda name: _place(monitor, name)).strip(),
        "description": f"{monitor.means}{_since(monitor)}\n{steps(monitor)}",
        "dashboard_uid": uid("model" if monitor.per_model else "exporter"),
    }


def asked(monitor: Monitor) -> str:
    """Return the expression of a monitor's value."""
    return expression(monitor.query, lookback=LOOKBACK, fresh=FRESH, matchers=[MATCHERS])


def level(monitor: Monitor) -> str:
    """Return the expression of a monitor's level."""
    value = asked(monitor)
    match monitor.fires:
        case Silence():
            found = series(monitor.query, [MATCHERS])
            apart = by((*monitor.query.by, "environment"))
            heard = f"count{apart} (last_over_time({found}[{_REMEMBERED}]))"
            newly = f"count{apart} (last_over_time({found}[{SILENT}]))"
            return f"(({heard} unless {newly}) or absent_over_time({found}[{_REMEMBERED}])) * 0 + 2"
        case Overdue():
            return f"2 * ({value} > bool {BAR})"
        case Bar(comparator=comparator):
            return f"({value} {comparator.value} bool {BAR}) + ({value} {comparator.value} bool {RECOVERY})"


def _place(monitor: Monitor, name: str) -> str:
    if name != "value":
        return f"{{{{ $labels.{label(name)} }}}}"
    told = _VALUES.get(REGISTRY[monitor.query.metric].unit)
    return f"{{{{ {told} $values.V.Value }}}}" if told else "{{ $values.V.Value }}"


def _since(monitor: Monitor) -> str:
    paging = monitor.query.metric == "mlvitals.decision.page.age"
    return " It began {{ humanizeDuration $values.V.Value }} ago." if paging else ""
