"""A quarter in sentences, the same in the terminal and on the page."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from mlvitals.clock import WEEK
from mlvitals.decisions.paging_rate import UNJUDGED
from mlvitals.decisions.words import TRUE
from mlvitals.report.calendar import quarter_name
from mlvitals.report.names import shown
from mlvitals.report.numbers import duration, measured, moment, number
from mlvitals.report.quarter import Incident, Quarter
from mlvitals.report.stakes import Stake

NAMED: Final = 20  # models in a sentence; of more it says how many

LIMITS: Final = (
    "Whether a page was true is what people said by “mlvitals verdict”; pages that nobody judged may be either.",
    (
        "The budget is a promise about the long run, while nothing moves: it is refuted only if all of the interval of "
        "false pages lies above it."
    ),
    (
        "An onset is estimated from the data, and what labels show is found as late as these come: both are in the "
        "time from onset to page."
    ),
    (
        "Money at stake is an estimate, never a measurement: what mistakes were expected to cost a day when the "
        "page was sent, less what is usual, times the days that it lasted. It takes the rate to have stayed as it was."
    ),
    "It follows from scores: a fault that lowers them looks cheap, and what nobody served has none.",
    (
        "What could be protected was saved only where somebody acted at the page and the action cost nothing; where "
        "nobody did, it was lost. What it would have cost had nobody ever noticed is not known, and not guessed."
    ),
    "Known costs rest on the labels that had come: mistakes that nobody has found yet are missing.",
    "Models without labels, and models that are not watched, are those of all that was ever read, not of this time.",
)


def title(quarter: Quarter) -> str:
    """Return which time it is about."""
    return quarter_name(quarter.period)


def watched(quarter: Quarter) -> str:
    """Return how much of the time windows closed in."""
    whole = (quarter.period.end - quarter.period.start) / WEEK
    over = "" if quarter.is_over else f"; it is told up to {moment(quarter.newest)}"
    return f"{quarter.rate.weeks:.1f} of its {whole:.1f} weeks were watched{over}"


def leads(quarter: Quarter) -> Iterator[str]:
    """Yield what a quarter comes to, a sentence each."""
    yield from _pages(quarter)
    yield from _detection(quarter)
    yield from _money(quarter)
    yield from _costs(quarter)
    yield from _unseen(quarter)


def budget_kept(quarter: Quarter) -> str:
    """Return whether the promised rate of false pages held, as far as verdicts can show."""
    rate, budget = quarter.rate, quarter.budget
    if not rate.weeks:
        return "nothing was watched"
    if rate.lower > budget:
        return "not kept"
    return "kept" if rate.upper <= budget else "not refuted; too little was watched, or judged, to prove it"


def harm_words(incident: Incident) -> str:
    """Return what the page knew of an incident's cost."""
    harm = incident.episode.harm
    if harm is None:
        return "not known"
    told = f"{number(round(harm.per_day))} {shown(harm.currency)} a day"
    if harm.usual is not None:
        return f"{told}, usually {number(round(harm.usual))}"
    return f"{told}, all known mistakes" + (f" ({measured(harm.coverage, '1')} labelled)" if harm.coverage else "")


def money(stakes: Mapping[str, Stake], what: str) -> str:
    """Return sums of one kind (`unseen`, `protected`) in their currencies."""
    told = [f"{number(round(getattr(one, what)))} {shown(one.currency)}" for one in stakes.values()]
    return " and ".join(told) or "–"


def named(names: Sequence[str]) -> str:
    """Return names in a row, the first of many."""
    told = ", ".join(map(shown, names[:NAMED]))
    return told + (f" and {len(names) - NAMED:,} more" if len(names) > NAMED else "")


def _pages(quarter: Quarter) -> Iterator[str]:
    rate = quarter.rate
    pages = f"{rate.pages:,} {'page' if rate.pages == 1 else 'pages'}"
    yield f"{pages}: {rate.true:,} true, {rate.false:,} false, {rate.unjudged:,} that nobody has judged."
    if rate.weeks:
        yield (
            f"Promised: at most {quarter.budget:g} false pages a week, {quarter.budget * rate.weeks:.2g} in the time "
            f"watched. Seen: {rate.false:,}, that is between {rate.lower:.2g} and {rate.upper:.2g} a week (95 %, "
            f"whatever the unjudged ones were). The promise is {budget_kept(quarter)}."
        )


def _detection(quarter: Quarter) -> Iterator[str]:
    found = quarter.detections
    if len(found) == 1:
        yield f"From its onset to its page it took {duration(found[0])}."
    elif found:
        yield (
            f"From onset to page it took {duration(quarter.usual_detection)} in the median, {duration(found[-1])} at "
            f"the longest (of {len(found):,} pages not judged false)."
        )


def _money(quarter: Quarter) -> Iterator[str]:
    for verdict, which in ((TRUE, "true pages"), (UNJUDGED, "pages that nobody has judged")):
        stakes = quarter.stakes(verdict)
        if stakes:
            yield (
                f"Money protected, of {which}: at most {money(stakes, 'protected')}, the estimated cost from page to "
                f"end. Lost before anybody knew: {money(stakes, 'unseen')}, from onset to page."
            )
    if missing := quarter.unpriced():
        yield f"Of {missing:,} {'page' if missing == 1 else 'pages'} it is not known what was at stake."


def _costs(quarter: Quarter) -> Iterator[str]:
    for one in quarter.costs[:NAMED]:
        yield (
            f"Known mistakes of {shown(one.model)} cost {number(round(one.total))} {shown(one.currency)} in "
            f"{one.windows:,} {'window' if one.windows == 1 else 'windows'}, {measured(one.coverage, '1')} labelled."
        )


def _unseen(quarter: Quarter) -> Iterator[str]:
    if quarter.unlabelled:
        yield f"No label was ever joined of {_models(quarter.unlabelled)}: how well they do, nobody knows."
    elif quarter.served:
        yield "Every model that serves has labels."
    if quarter.unmonitored:
        rows = sum(rows for _, rows in quarter.unmonitored)
        names = [name for name, _ in quarter.unmonitored]
        yield f"Not watched: {_models(names)}, with {rows:,} predictions read and told of by no configuration."
    if quarter.silent:
        yield f"Configured, and never served: {_models(quarter.silent)}."
    if quarter.refused:
        yield f"Not watched, for the configuration is at fault: {_models(quarter.refused)}."


def _models(names: Sequence[str]) -> str:
    return f"{len(names):,} {'model' if len(names) == 1 else 'models'} ({named(names)})"
