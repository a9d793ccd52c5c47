"""Where the parts of a vector stand."""

from collections.abc import Mapping
from types import MappingProxyType


def sections_of(sizes: Mapping[str, int]) -> Mapping[str, slice]:
    """Return where parts of these sizes stand, one behind the other."""
    sections, start = {}, 0
    for name, size in sizes.items():
        sections[name] = slice(start, start + size)
        start += size
    return MappingProxyType(sections)
