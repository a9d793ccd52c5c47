"""What a peer says of a column, and of a whole table."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One method's answer about one feature.

    value: the number that the peer prints; None where its formula is not defined.
    p_value: of a test; None for a distance, and where it is not defined.
    threshold: what `p_value`, where the method is a test, or else `value` is held against; None where the peer leaves
    it to its user and none was given.
    drifted: the peer's answer; None where there is no threshold.
    """

    feature: str
    method: str
    value: float | None
    p_value: float | None = None
    threshold: float | None
    drifted: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetVerdict:
    """A peer's answer about all features together: how many of them drifted, and whether that share is too large."""

    features: int
    drifted_features: int
    share: float
    threshold: float
    drifted: bool
