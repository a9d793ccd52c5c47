"""How a mapping spells paths, and which structures it has to name to reach them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlvitals.formats.paths import ANY, spell_path
from mlvitals.setup.inference.arrays import Peeked, Use
from mlvitals.setup.inference.columns import Path
from mlvitals.setup.inference.texts import Opened


@dataclass(slots=True)
class Spelling:
    """Spells paths as the configuration does, and remembers which ones it spelled.

    opened, peeked: the structures that were found.
    """

    opened: Opened
    peeked: Peeked
    _used: list[Path] = field(default_factory=list)

    def path(self, path: Path) -> str:
        """Return the text of a path to one value."""
        self._used.append(path)
        return spell_path(self._steps(path))

    def every(self, path: Path) -> str:
        """Return the text of a path that stands for all that is in an object."""
        self._used.append(path)
        return spell_path((*self._steps(path), ANY, *([self.opened.held[path]] if path in self.opened.held else [])))

    def shapes(self) -> dict[str, Any]:
        """Return the keys of a format that open the structures on the way to every path spelled so far."""
        opened, uses = self.opened, self.peeked.uses
        rows = [path for path in self._needed(uses) if uses[path] is Use.ROWS and path not in opened.csv]
        named = self.peeked.positions
        arrays = [path for path in self._needed(named) if path not in opened.csv]
        shapes = {
            "json": [spell_path(self._steps(path)) for path in self._needed(opened.json)],
            "csv": {spell_path(self._steps(path)): list(named[path]) for path in self._needed(opened.csv)},
            "keyed": {spell_path(self._steps(path)): opened.keyed[path] for path in self._needed(opened.keyed)},
            "names": {spell_path(self._steps(path)): list(named[path]) for path in arrays},
            "rows": self._rows(rows),
        }
        return {key: value for key, value in shapes.items() if value}

    def _steps(self, path: Path) -> tuple[str | None, ...]:
        """Return the steps to a path: through named things to their values, and into arrays of one element."""
        steps: list[str | None] = []
        for depth, level in enumerate(path, start=1):
            steps.append(level)
            reached = path[:depth]
            if reached[:-1] in self.opened.held:
                steps.append(self.opened.held[reached[:-1]])
            if self.peeked.uses.get(reached) is Use.ONLY:
                steps.append("0")
        return tuple(steps)

    def _needed(self, paths: Iterable[Path]) -> list[Path]:
        return [
            path for path in paths if any(used[: len(path)] == path or path[: len(used)] == used for used in self._used)
        ]

    def _rows(self, rows: Sequence[Path]) -> list[str]:
        """Return the arrays of rows; those of named things as one pattern."""
        spelled = []
        for path in rows:
            if path[:-1] in self.opened.held:
                spelled.append(spell_path((*self._steps(path[:-1]), ANY, self.opened.held[path[:-1]])))
            else:
                spelled.append(spell_path(self._steps(path)))
        return list(dict.fromkeys(spelled))
