"""Layouts as bytes: JSON, compressed; equal layouts give equal bytes."""

import zlib

import msgspec

from mlvitals.windows.bins import CategoryBins, NumericBins
from mlvitals.windows.layout import FeatureLayout, Kind, Layout, OutputLayout

_LEVEL = 6


class _Feature(msgspec.Struct, frozen=True):
    name: str
    kind: Kind
    numeric: NumericBins | None = None
    categories: CategoryBins | None = None
    sensitive: bool = False


class _Document(msgspec.Struct, frozen=True):
    features: tuple[_Feature, ...]
    output: OutputLayout
    segments: dict[str, tuple[str, ...]]
    amount: str | msgspec.UnsetType = msgspec.UNSET


def encode_layout(layout: Layout) -> bytes:
    """Return a layout's bytes."""
    features = tuple(_Feature(one.name, one.kind, *_bins(one), one.sensitive) for one in layout.features)
    amount = msgspec.UNSET if layout.amount is None else layout.amount
    document = _Document(features, layout.output, dict(layout.segments), amount)
    return zlib.compress(msgspec.json.encode(document, order="deterministic"), _LEVEL)


def decode_layout(packed: bytes) -> Layout:
    """Return the layout that `encode_layout` was given.

    Raises:
        ValueError: these are not a layout's bytes.

    """
    try:
        document = msgspec.json.decode(zlib.decompress(packed), type=_Document)
    except (zlib.error, msgspec.DecodeError) as error:
        raise ValueError(f"not a layout: {error}") from error
    features = []
    for one in document.features:
        bins = one.numeric or one.categories
        if bins is None:
            raise ValueError(f"not a layout: feature `{one.name}` has no bins")
        features.append(FeatureLayout(one.name, one.kind, bins, one.sensitive))
    return Layout(tuple(features), document.output, document.segments, document.amount or None)


def _bins(feature: FeatureLayout) -> tuple[NumericBins | None, CategoryBins | None]:
    bins = feature.bins
    return (bins, None) if isinstance(bins, NumericBins) else (None, bins)
