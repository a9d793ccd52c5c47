"""What is usual as bytes, so that it is learnt once and not at every start."""

import io
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt

from mlvitals.decisions.baseline import Baseline
from mlvitals.decisions.rates import Usual
from mlvitals.decisions.seasonality import Seasonality
from mlvitals.decisions.shapes import Spread
from mlvitals.decisions.streams import Streams
from mlvitals.decisions.usual import Mode, Usually, effects_of
from mlvitals.decisions.whitening import Noise

Floats = npt.NDArray[np.float64]


def encode_usually(usually: Usually, pooled: Floats, typical: float) -> bytes:
    """Return what `decode_usually` reads: the streams are not part of it, but what they are made from."""
    baseline, mode = usually.baseline, usually.mode
    arrays = {
        "pooled": pooled,
        "typical": np.array(typical),
        "mode": np.array([mode.windows, mode.weeks]),
        **_parts("seasonality", mode.seasonality),
        "common": usually.common,
        "rare": usually.rare,
        "places": usually.places,
        **{name: getattr(baseline, name) for name in ("season", "tails", "scale", "error", "windows")},
        **_parts("noise", baseline.noise),
        **_parts("usual", usually.usual),
        **_parts("spread", usually.spread),
    }
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def decode_usually(data: bytes, make: Callable[[Floats, float], Streams | None]) -> Usually:
    """Return what is usual of the streams that are made of the counts that were learnt from."""
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        streams = make(arrays["pooled"], float(arrays["typical"]))
        assert streams is not None  # noqa: S101  # of others nothing was learnt
        windows, weeks = arrays["mode"].tolist()
        known = {one.name: arrays[f"seasonality.{one.name}"].item() for one in fields(Seasonality)}
        seasonality = Seasonality(**known)
        return Usually(
            streams=streams,
            mode=Mode(windows=int(windows), weeks=weeks, seasonality=seasonality),
            effects=effects_of(streams, arrays["common"]),
            common=arrays["common"],
            rare=arrays["rare"],
            baseline=Baseline(
                seasonality=seasonality,
                noise=_made(Noise, "noise", arrays),
                **{name: arrays[name] for name in ("season", "tails", "scale", "error", "windows")},
            ),
            usual=_made(Usual, "usual", arrays),
            spread=_made(Spread, "spread", arrays),
            places=arrays["places"],
        )


def _parts(prefix: str, whole: Any) -> dict[str, Any]:
    return {f"{prefix}.{one.name}": getattr(whole, one.name) for one in fields(whole)}


def _made(kind: Any, prefix: str, arrays: Any) -> Any:
    return kind(**{one.name: arrays[f"{prefix}.{one.name}"] for one in fields(kind)})
