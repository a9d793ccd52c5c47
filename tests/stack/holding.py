"""What it takes to say that a backend holds what was sent."""

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

from mlvitals.delivery import Outcome, Verdict

Identity = TypeVar("Identity", bound=Hashable)
Told = TypeVar("Told")


def delivered(outcomes: Sequence[Outcome]) -> None:
    """Demand that there were requests, and that each was taken whole and without a warning."""
    assert outcomes != []
    assert [(one.verdict, one.reason) for one in outcomes] == [(Verdict.OK, "")] * len(outcomes)


def by_identity(held: Iterable[tuple[Identity, Told]]) -> dict[Identity, Told]:
    """Return what is told by its identity, and demand that nothing is told twice."""
    pairs = list(held)
    by = dict(pairs)
    assert len(by) == len(pairs)
    return by
