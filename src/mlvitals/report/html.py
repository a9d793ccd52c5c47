"""HTML files that stand alone: everything inlined, nothing fetched, and only what was inlined may run."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from mlvitals.errors import MissingExtraError
from mlvitals.report.names import shown
from mlvitals.report.numbers import STATUS_SHAPES, STATUS_WORDS, duration, measured, moment, number

_HERE: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A kind of page: its template, and the scripts and styles that are inlined, by their places beside this file."""

    template: str
    styles: tuple[str, ...]
    scripts: tuple[str, ...] = ()

    def require(self) -> None:
        """Make sure that it can be rendered, before anything is read for it.

        Raises:
            MissingExtraError: the extra `report` is not installed.

        """
        _environment()

    def render(self, **context: Any) -> str:
        """Return the page; names from logs are text in it, whatever they hold.

        Raises:
            MissingExtraError: the extra `report` is not installed.

        """
        script, style = _inlined(self.scripts), _inlined(self.styles)
        html: str = (
            _environment()
            .get_template(self.template)
            .render(**context, script=script, style=style, policy=_policy(script, style))
        )
        return html.replace("\0", "⟨0000⟩")


@cache
def _inlined(names: tuple[str, ...]) -> Any:
    from markupsafe import Markup  # noqa: PLC0415  # comes with Jinja2, whose absence is told elsewhere

    return Markup("\n".join((_HERE / name).read_text(encoding="utf-8") for name in names))  # noqa: S704  # our own files


def _policy(script: str, style: str) -> str:
    """Return a content security policy under which nothing is fetched, and nothing runs but these two texts."""
    scripts = _source(script) if script else "'none'"
    return (
        f"default-src 'none'; script-src {scripts}; style-src {_source(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _environment() -> Any:
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415  # the extra `report`
    except ImportError as error:
        raise MissingExtraError("the report needs Jinja2: pip install 'mlvitals[report]'") from error
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: Mapping[str, Any] = {
        "shown": shown,
        "moment": moment,
        "number": number,
        "measured": measured,
        "duration": duration,
    }
    environment.filters.update(filters)
    environment.globals.update(words=STATUS_WORDS, shapes=STATUS_SHAPES)
    return environment
