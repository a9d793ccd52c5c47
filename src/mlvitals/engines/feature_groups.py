"""What a measurement of a feature says of the group that the feature belongs to."""

from collections.abc import Mapping

from mlvitals.config import GroupConfig


class FeatureGroups:
    """The groups of one model's features."""

    def __init__(self, groups: Mapping[str, GroupConfig]) -> None:
        self._groups = groups
        self._told: dict[str, Mapping[str, str]] = {}

    def told(self, feature: str | None) -> Mapping[str, str]:
        """Return the evidence that names a feature's group, its owner and what it is made from; empty without one.

        The first group that a feature fits is its own.
        """
        if feature is None or not self._groups:
            return {}
        if feature not in self._told:
            self._told[feature] = self._find(feature)
        return self._told[feature]

    def _find(self, feature: str) -> Mapping[str, str]:
        for name, group in self._groups.items():
            if group.holds(feature):
                facts = {"group": name, "group_owner": group.owner, "upstream": group.upstream}
                return {fact: text for fact, text in facts.items() if text is not None}
        return {}
