"""The rendered part of a Markdown document, between two marker comments."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RenderedPart:
    """Where a document holds what is rendered: from one marker comment to another, each with `source` in it."""

    source: str

    @property
    def begin(self) -> str:
        """The comment before the part."""
        return f"<!-- rendered from the {self.source}: begin -->"

    @property
    def end(self) -> str:
        """The comment after the part."""
        return f"<!-- rendered from the {self.source}: end -->"

    def update(self, document: str, rendered: str) -> str:
        """Return the document with this text in place of its rendered part.

        Raises:
            ValueError: the document does not hold exactly one such part.

        """
        part = re.compile(f"{re.escape(self.begin)}.*?{re.escape(self.end)}", re.DOTALL)
        updated, count = part.subn(lambda _: f"{self.begin}\n{rendered}\n{self.end}", document)
        if count != 1:
            raise ValueError(
                f"the document holds {count} rendered parts, from `{self.begin}` to `{self.end}`; it must hold one"
            )
        return updated
