"""A summary under another layout: what both count alike, so that versions and times can be held against each other."""

from collections.abc import Mapping

from mlvitals.windows.layout import Layout
from mlvitals.windows.summary import Summary


def relaid(summary: Summary, layout: Layout) -> Summary:
    """Return the served counts of a summary under another layout.

    A column keeps its counts where both layouts bin it alike and is empty otherwise: then nothing can be compared, as
    with a column that held no row. Totals that no bin divides (predictions, errors, durations) always stay. Outcomes
    are left out.
    """
    if summary.layout is layout:
        return summary
    moved = Summary.empty(layout)
    before, after = _meanings(summary.layout), _meanings(layout)
    for name, place in layout.served_sections.items():
        if name in before and before[name] == after[name]:
            moved.served[place] = summary.served[summary.layout.served_sections[name]]
    return moved


def _meanings(layout: Layout) -> Mapping[str, object]:
    """Return what says, of each section, how it is counted: its bins, or its length where it has none."""
    output = layout.output
    binned: dict[str, object] = {feature.column: feature for feature in layout.features}
    binned |= {"score": (output.column, output.score), "class": output.classes}
    binned |= {"positive_score": (output.score, output.positive)}
    binned |= dict.fromkeys(("score_amount", "score_unpriced"), (output.score, output.positive, layout.amount))
    return {name: place.stop - place.start for name, place in layout.served_sections.items()} | {
        name: meaning for name, meaning in binned.items() if name in layout.served_sections
    }
