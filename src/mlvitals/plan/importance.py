"""Which features matter most, where not all fit: a person's word first, then what the reference says."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

from mlvitals.windows.layout import FeatureLayout, Layout
from mlvitals.windows.summary import Summary

_NEARLY_ALL: Final = 0.95


def by_importance(layout: Layout, important: Sequence[str], reference: Summary | None) -> list[str]:
    """Return the names of a layout's features, the most important first: frozen, as layout and reference are.

    First those that fit `important` (names or patterns with `*`), in its order. Then those that vary, then those of
    which the reference says little: nearly all of its rows have the same value, or none. Last those whose drift means
    nothing. Within each of these in the layout's order, which is that of the reference's columns.
    """

    def place(feature: FeatureLayout) -> int:
        named = (place for place, one in enumerate(important) if fnmatchcase(feature.name, one))
        unnamed = len(important) + (2 if not feature.kind.drifts else int(not _varies(feature, reference)))
        return next(named, unnamed)

    return [feature.name for feature in sorted(layout.features, key=place)]


def _varies(feature: FeatureLayout, reference: Summary | None) -> bool:
    """Tell whether the reference's rows are spread over bins; what it does not know may be."""
    if reference is None or reference.layout.served_sections.get(feature.column) is None:
        return True
    column = reference.feature(feature)
    cells = [*column.counts.tolist(), *column.specials.tolist()]
    return bool(max(cells) < _NEARLY_ALL * sum(cells))
