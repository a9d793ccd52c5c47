"""What a monitor says, in Datadog's template variables.

Whoever is told hears of it when it begins and when it is over, so that an incident of PagerDuty is resolved.
"""

from typing import Final

from mlvitals.assets.monitors import Monitor, Silence
from mlvitals.assets.monitors.words import heading, steps
from mlvitals.signals.registry import REGISTRY
from mlvitals.telemetry.naming.datadog import attribute_key, unit_name

# Places that are filled when a monitor is made.
BOARD: Final = "@board@"
RUNBOOK: Final = "@runbook@"
NOTIFY: Final = "@notify@"

_ENVIRONMENT: Final = "environment"


def message(monitor: Monitor) -> str:
    """Return the message, with places for the board, the runbooks and whom to tell."""
    silent = isinstance(monitor.fires, Silence)
    begins, over = ("no_data", "no_data_recovery") if silent else ("alert", "recovery")
    head = f"{heading(monitor, lambda name: _place(monitor, name)).strip()} ({_attribute(_ENVIRONMENT)})"
    told = [
        f"{{{{#is_{begins}}}}}{head}{{{{/is_{begins}}}}}{{{{#is_{over}}}}}It is over: {head}{{{{/is_{over}}}}}",
        "",
        monitor.means,
        *([f"It began {_place(monitor, 'value')} before this was told."] if monitor.tells_since else []),
        "",
        steps(monitor),
        "",
        f"Board: {BOARD}",
        f"Runbook: {RUNBOOK}#{monitor.name}",
        "",
        NOTIFY,
    ]
    return "\n".join(told)


def fill(text: str, board: str, runbook: str, notify: str) -> str:
    """Return a message without places."""
    for place, value in ((BOARD, board), (RUNBOOK, runbook), (NOTIFY, notify)):
        text = text.replace(place, value)
    return text.strip()


def _place(monitor: Monitor, name: str) -> str:
    if name != "value":
        return _attribute(name)
    unit = unit_name(REGISTRY[monitor.query.metric].unit)
    return "{{value}} seconds" if unit == "second" else "{{value}}"


def _attribute(short: str) -> str:
    return f"{{{{{attribute_key(short)}.name}}}}"
