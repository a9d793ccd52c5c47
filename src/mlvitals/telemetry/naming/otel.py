"""OpenTelemetry's spelling of attributes: everything of ours under our own prefix, so that it can never clash."""

import re
import uuid
from enum import StrEnum
from typing import Final

from mlvitals.telemetry.service import Service

PREFIX: Final = "mlvitals."

# The identities stand in a namespace of their own; every other attribute is its short name after the prefix.
_NAMESPACED: Final = {
    "model": "mlvitals.model.name",
    "model_version": "mlvitals.model.version",
    "feature": "mlvitals.feature.name",
}
_SHORT: Final = {full: short for short, full in _NAMESPACED.items()}
_WORD: Final = re.compile(r"[a-z]([a-z0-9_]*[a-z0-9])?")

# Where service.instance.id is derived from something stable, the conventions fix this namespace for it.
_INSTANCES: Final = uuid.UUID("4d63009a-8d0f-11ee-aad7-4c796ed8e320")


class Spelling(StrEnum):
    """How a destination wants attributes spelled: OpenTelemetry's way, or by the registry's short names."""

    OTEL = "otel"
    SHORT = "short"


def attribute_name(short: str, spelling: Spelling = Spelling.OTEL) -> str:
    """Return the full name of an attribute by its short name.

    Raises:
        ValueError: the short name is not lower snake case.

    """
    if _WORD.fullmatch(short) is None:
        raise ValueError(f"`{short}` is not the short name of an attribute: write lower snake case")
    return short if spelling is Spelling.SHORT else _NAMESPACED.get(short) or PREFIX + short


def short_name(name: str, spelling: Spelling = Spelling.OTEL) -> str:
    """Return the short name that `attribute_name` spells like this.

    Raises:
        ValueError: no short name is spelled like this.

    """
    short = name if spelling is Spelling.SHORT else _SHORT.get(name) or name.removeprefix(PREFIX)
    if _WORD.fullmatch(short) is None or attribute_name(short, spelling) != name:
        raise ValueError(f"`{name}` is not one of our attributes")
    return short


def resource_attributes(service: Service) -> dict[str, str]:
    """Return who speaks, as a resource: the same after every restart, so that no backend sees a new instance."""
    return {
        **service.tags,
        "service.name": service.name,
        "service.instance.id": str(uuid.uuid5(_INSTANCES, f"{service.environment}/{service.name}")),
        "deployment.environment.name": service.environment,
    }
