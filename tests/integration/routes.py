"""The example of Alertmanager's configuration that ships, for tests: who listens here in the place of secrets."""

import re
from pathlib import Path
from typing import Any, Final

import yaml

from tests.conftest import REPOSITORY

EXAMPLE: Final = REPOSITORY / "monitors" / "prometheus" / "alertmanager.example.yaml"

_UNITS: Final = {"s": 1, "m": 60, "h": 3_600}


def example(factor: int, *, paging: str, waiting: str) -> dict[str, Any]:
    """Return the example with times so many times as short.

    paging: the address of who stands for PagerDuty; a key is the name of its file. waiting: of who is warned.
    """
    told: dict[str, Any] = _filled(yaml.safe_load(EXAMPLE.read_text("utf-8")), factor, paging, waiting)
    return told


def _filled(part: Any, factor: int, paging: str, waiting: str) -> Any:
    match part:
        case dict():
            told = {name: _filled(value, factor, paging, waiting) for name, value in part.items()}
            if (key := told.pop("routing_key_file", None)) is not None:
                told |= {"routing_key": Path(key).name, "url": paging}
            if told.pop("url_file", None) is not None:
                told["url"] = waiting
            return told
        case list():
            return [_filled(one, factor, paging, waiting) for one in part]
        case str() if (time := re.fullmatch(r"(\d+)([smh])", part)) is not None:
            return f"{int(time[1]) * _UNITS[time[2]] * 1_000 // factor}ms"
    return part
