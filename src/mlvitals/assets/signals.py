"""The tables of docs/signals.md, rendered from the registry."""

from collections.abc import Iterator
from typing import Final

from mlvitals.assets.markdown import RenderedPart
from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.spec import Export, Instrument, Layer, MetricSpec, Stage

PART: Final = RenderedPart("registry")

_TITLES: Final = {
    Layer.PIPELINE: "Pipeline and service",
    Layer.DATA: "Data",
    Layer.MODEL: "Model",
    Layer.LABEL: "Label",
    Layer.VALUE: "Value",
}
_KNOWN: Final = {
    Stage.WINDOW: "at the close of the window",
    Stage.MATURITY: "at the maturity",
    Stage.RUNNING: "while the job runs",
}
_HEADER: Final = (
    "| name | unit | attributes | known | level | least samples | warning | what it says |",
    "|---|---|---|---|---|---|---|---|",
)


def render_signals() -> str:
    """Return a Markdown table of the registered signals for each layer that has any."""
    return "\n".join(_lines())


def update_document(document: str) -> str:
    """Return the document with its rendered part brought up to date; raises as `RenderedPart.update`."""
    return PART.update(document, render_signals())


def _lines() -> Iterator[str]:
    for layer in Layer:
        specs = [spec for spec in REGISTRY.values() if spec.layer is layer]
        if specs:
            yield from ("", f"## {_TITLES[layer]}", "", *_HEADER)
            yield from (_row(spec) for spec in specs)
    yield ""


def _row(spec: MetricSpec) -> str:
    columns = (
        f"`{spec.name}`",
        f"`{spec.unit}`{', a total' if spec.instrument is Instrument.COUNTER else ''}",
        ", ".join(f"`{name}`" for name in spec.attributes) or "none",
        _KNOWN[spec.stage],
        _level(spec),
        str(spec.minimum_samples),
        _warning(spec),
        spec.brief,
    )
    return f"| {' | '.join(columns)} |"


def _level(spec: MetricSpec) -> str:
    others = [
        f"{level.value} ({', '.join(name for name in spec.levels if spec.levels[name] is level)})"
        for level in Export
        if level in spec.levels.values()
    ]
    moved = [] if spec.level_if_moved is None else [f"{spec.level_if_moved.value} (what warns)"]
    return ", ".join([spec.level.value, *others, *moved])


def _warning(spec: MetricSpec) -> str:
    if spec.warning is None:
        return "none"
    where = f" ({', '.join(spec.warning_where.values())})" if spec.warning_where else ""
    return f"{spec.warning:g}{where}"
