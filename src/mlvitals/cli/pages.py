"""The page budget as `mlvitals plan` tells it: one table, and what pages outside of it."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.table import Table

    from mlvitals.plan.pages import DetectorPages, ModelPages, PagesPlan

_HEADS: Final = (
    "model",
    "detector",
    "how many",
    "pages a week each",
    "together",
    "bar (decades)",
    "least windows",
    "false pages a year",
)


def allocation_table(plan: "PagesPlan") -> "Table":
    """Return the table of who has which share of the page budget."""
    from rich.table import Table  # noqa: PLC0415  # not needed for --help

    from mlvitals.cli.console import cells  # noqa: PLC0415  # as above

    table = Table(title="page budget", title_justify="left")
    for place, head in enumerate(_HEADS):
        table.add_column(head, justify="left" if place <= 1 else "right", overflow="fold")
    for model in plan.models:
        for place, one in enumerate(model.detectors):
            table.add_row(*cells("" if place else model.model, *_figures(one, model)))
        table.add_row(*cells("", "(reserve)", "", "", _pages(model.reserve), "", "", _pages(0.0)))
        table.add_section()
    falsely = sum(one.false_pages_per_year for model in plan.models for one in model.detectors)
    table.add_row(*cells("(all)", "", "", "", f"{plan.shared:g}", "", "", _pages(falsely)))
    return table


def told_of_pages(plan: "PagesPlan", patterns: Sequence[str]) -> Iterator[str]:
    """Yield what the table does not show, a line each."""
    yield (
        f"Pages: all models together page at most {plan.pages_per_week:g} times a week in the mean while nothing has "
        "moved; false pages a year are those that the bars let through."
    )
    if plan.models and not plan.shared:
        yield "No model has a `weight`: nothing pages by the budget."
    for model in plan.models:
        if model.learns:
            yield f"model {model.model}: its features are not known yet; they will have a share of its pages"
    for pattern in patterns:
        yield f"models {pattern}: each that comes takes its share of the pages from all others"
    for one in plan.outside:
        where = ", ".join(f"{key} {value}" for key, value in one.items() if key != "signal")
        yield f"OUTSIDE THE BUDGET: {one['signal']}{f' ({where})' if where else ''} pages whenever it warns"


def _figures(one: "DetectorPages", model: "ModelPages") -> Iterator[str]:
    yield one.detector
    yield f"{one.count:,}"
    yield _pages(one.each)
    yield _pages(one.together)
    yield "never" if one.bar is None else f"{one.bar:.2f}"
    yield "never" if one.least_windows is None else f"{one.least_windows} × {model.window}"
    yield _pages(one.false_pages_per_year)


def _pages(figure: float) -> str:
    return f"{figure:.3g}"
