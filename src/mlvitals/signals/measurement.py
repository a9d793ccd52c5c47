"""A measurement: one signal of one window, judged, as it stands in the local store, in documents and in logs."""

from collections.abc import Mapping

import msgspec

from mlvitals.signals.spec import Status


class Measurement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """One value with what it rests on; field names are fixed by the interface. Times are RFC 3339, UTC.

    `value` is None only where status is `no_data`. `revision` counts from 0; a later label raises it.
    """

    signal: str
    value: float | None
    unit: str
    model: str
    model_version: str
    environment: str
    window_start: str
    window_end: str
    attributes: Mapping[str, str]
    samples: int
    reference_samples: int | None
    lower: float | None
    upper: float | None
    status: Status
    threshold: float | None
    evidence: Mapping[str, float | str]
    revision: int
    reference_hash: str | None

    @property
    def identity(self) -> tuple[str, ...]:
        """What a later revision shares with this measurement."""
        attributes = (f"{key}={value}" for key, value in sorted(self.attributes.items()))
        return (
            self.environment,
            self.model,
            self.model_version,
            self.signal,
            self.window_start,
            self.window_end,
            *attributes,
        )
