"""What is usual as bytes, so that it is learnt once and not at every start."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, Final

import msgspec
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


class _Array(msgspec.Struct, frozen=True, array_like=True):
    kind: str
    shape: tuple[int, ...]
    content: bytes


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(dict[str, _Array])


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
    return _ENCODER.encode({name: _Array(one.dtype.str, one.shape, one.tobytes()) for name, one in arrays.items()})


def decode_usually(data: bytes, make: Callable[[Floats, float], Streams | None]) -> Usually:
    """Return what is usual of the streams that are made of the counts that were learnt from."""
    arrays = {
        name: np.frombuffer(one.content, dtype=one.kind).reshape(one.shape)
        for name, one in _DECODER.decode(data).items()
    }
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
    return {f"{prefix}.{one.name}": np.asarray(getattr(whole, one.name)) for one in fields(whole)}


def _made(kind: Any, prefix: str, arrays: Any) -> Any:
    return kind(**{one.name: arrays[f"{prefix}.{one.name}"] for one in fields(kind)})
