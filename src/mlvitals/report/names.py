"""Names as a page may show them: whatever a log calls a feature, it stays one short line of visible characters."""

import unicodedata
from typing import Final

# Controls, formats (which turn the direction of writing, or are invisible), surrogates, private use, odd spaces.
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
_LONGEST: Final = 96


def shown(name: str) -> str:
    """Return a name in at most a hundred or so characters, each of them visible.

    A character that cannot be seen is named by its code point, so that two names that differ look different; of a long
    name the beginning and the end remain.
    """
    kept = name if len(name) <= _LONGEST else f"{name[: _LONGEST - 32]}…{name[-24:]} ({len(name):,} characters)"
    visible = "".join(one if one == " " or unicodedata.category(one) not in _HIDDEN else _spell(one) for one in kept)
    return visible if visible.strip() else f"“{visible}”"


def _spell(character: str) -> str:
    return f"⟨{ord(character):04X}⟩"
