"""The README's tables: what is read, computed and written, as the unions and the registry have it."""

from collections.abc import Iterable, Iterator
from typing import Final, get_args

import msgspec

from mlvitals.assets.markdown import RenderedPart
from mlvitals.formats import FormatConfig
from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.spec import Layer
from mlvitals.sinks import SinkConfig
from mlvitals.sources import SourceConfig

PART: Final = RenderedPart("code")

_QUESTIONS: Final = {
    Layer.PIPELINE: "Does it run, and is it asked as usual?",
    Layer.DATA: "Are the features what they were?",
    Layer.MODEL: "Are the predictions what they were, and how good?",
    Layer.LABEL: "Do we know the truth yet?",
    Layer.VALUE: "What does it cost?",
}


def render_tables() -> str:
    """Return three Markdown tables: sources and formats, signals by layer, sinks."""
    return "\n".join(_lines())


def update_readme(readme: str) -> str:
    """Return the README with its rendered part brought up to date; raises as `RenderedPart.update`."""
    return PART.update(readme, render_tables())


def _lines() -> Iterator[str]:
    yield from ("", "| it reads | |", "|---|---|")
    yield from _rows("source", SourceConfig)
    yield from _rows("format", FormatConfig)
    yield from ("", "| it computes | signals |", "|---|---|")
    for layer in Layer:
        names = [spec.name.removeprefix("mlvitals.") for spec in REGISTRY.values() if spec.layer is layer]
        if names:
            yield f"| **{layer.value}**: {_QUESTIONS[layer]} | {', '.join(f'`{name}`' for name in names)} |"
    yield from ("", "| it writes | |", "|---|---|")
    yield from _rows("sink", SinkConfig)
    yield ""


def _rows(what: str, union: object) -> Iterator[str]:
    for struct in _members(union):
        brief = (struct.__doc__ or "").partition("\n")[0].partition("; the keys stand in")[0].removesuffix(".")
        yield f"| {what} `{struct.__struct_config__.tag}` | {brief} |"


def _members(union: object) -> Iterable[type[msgspec.Struct]]:
    return get_args(union) or (union,)
