"""What an alert says, in the templates that Prometheus's rules and Grafana's share."""

from typing import Final

from mlvitals.assets.monitors import Monitor
from mlvitals.assets.monitors.words import heading, steps
from mlvitals.assets.prometheus.promql import label
from mlvitals.signals.registry import REGISTRY

_SHOWN: Final = {"1": "humanizePercentage", "s": "humanizeDuration"}


def attribute(short: str) -> str:
    """Return the place of an attribute that alerts are told apart by."""
    return f"{{{{ $labels.{label(short)} }}}}"


def _where_there(short: str, text: str) -> str:
    """Return a text that is told where an attribute has a value, which is `{{ . }}` in it."""
    return f"{{{{ with $labels.{label(short)} }}}}{text}{{{{ end }}}}"


def labels(monitor: Monitor) -> dict[str, str]:
    """Return what routes an alert: short names, as a receiver's templates ask for them."""
    return {name: attribute(name) for name in monitor.alerts.by}


def annotations(monitor: Monitor, value: str) -> dict[str, str]:
    """Return summary and description of an alert; `value` is where its templates find the query's value."""
    shown = _SHOWN.get(REGISTRY[monitor.query.metric].unit)
    told = f"{{{{ {shown} {value} }}}}" if shown else f"{{{{ {value} }}}}"
    since = f" It began {told} ago." if monitor.tells_since else ""
    says = heading(monitor, lambda name: told if name == "value" else attribute(name))
    # Where a model has no price, nothing stands in the place of the cost, nor what leads to it.
    says = says.replace(f"; {attribute('costs')}", _where_there("costs", "; {{ . }}"))
    return {
        "summary": _where_there("environment", "{{ . }}: ") + says,
        "description": f"{monitor.means}{since}\n{steps(monitor)}",
    }
