"""What is not known when monitors are rendered: places that Terraform fills, and what stands there without it.

A place is `@name@`. Some stand in quotes, and JSON of any kind takes the place of both; of the others a text or a
number takes the place of the name alone.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from mlvitals.assets.monitors import INTERVALS, LOOKBACK, TELEMETRY_INTERVAL

# Of a gauge told each telemetry interval: five of them, and time for delivery and for a shard to be refreshed.
SLACK: Final = 30

ENVIRONMENT: Final = "@environment@"
MODELS: Final = "@models@"
MUTES: Final = "@mutes@"
ACTIONS: Final = "@actions@"
ENABLED: Final = "@enabled@"
MINUTES: Final = "@minutes@"
NAMESPACE: Final = "@namespace@"
GROUP: Final = "@group@"
BAR: Final = "@bar@"
RECENT: Final = "@recent_seconds@"
WINDOWS: Final = "@lookback_seconds@"
ROUTING_KEY: Final = "@routing_key@"
BOARD: Final = "@board@"
RUNBOOK: Final = "@runbook@"

_QUOTED: Final = (ENVIRONMENT, MODELS, MUTES, ACTIONS, ENABLED, MINUTES)

EVERYTHING: Final[Mapping[str, Any]] = {"match_all": {}}


def fill(text: str, values: Mapping[str, Any]) -> str:
    """Return a rendered text with its places filled: JSON where the place was quoted, else the value's own words."""
    for name, value in values.items():
        if name in _QUOTED:
            text = text.replace(f'"{name}"', json.dumps(value, ensure_ascii=False))
        else:
            text = text.replace(name, f"{value:g}" if isinstance(value, float) else str(value))
    return text


def defaults(*, bar: float, minutes: int) -> dict[str, Any]:
    """Return what stands in a monitor's places where nobody says otherwise: all models, all environments."""
    return {
        ENVIRONMENT: EVERYTHING,
        MODELS: EVERYTHING,
        MUTES: EVERYTHING,
        ENABLED: True,
        MINUTES: minutes,
        NAMESPACE: "*",
        GROUP: "",
        BAR: bar,
        RECENT: INTERVALS * TELEMETRY_INTERVAL + SLACK,
        WINDOWS: LOOKBACK,
    }
