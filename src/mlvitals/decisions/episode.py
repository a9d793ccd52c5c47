"""What an episode is: one incident, one page, however many detectors see it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from mlvitals.decisions.finding import Finding
from mlvitals.decisions.words import Word

# What a feature group says of itself, as `FeatureGroups.told` tells it: each may be absent.
GROUP: Final = "group"
GROUP_OWNER: Final = "group_owner"
UPSTREAM: Final = "upstream"


class Ending(StrEnum):
    """How an episode came to its end: all of it recovered, or the last of it was accepted by a person."""

    RECOVERED = "recovered"
    ACCEPTED = "accepted"


class What(StrEnum):
    """What happened to episodes in a window, or by a person's word.

    opened: an episode began; this is the page. repeated: an open episode pages once more, for what was muted is over
    and it still lasts. joined: a finding is part of an episode that is known. closed: an episode ended. silenced: a
    finding does not page. said: a person's word was heeded. Only the first two page.
    """

    OPENED = "opened"
    REPEATED = "repeated"
    JOINED = "joined"
    CLOSED = "closed"
    SILENCED = "silenced"
    SAID = "said"

    @property
    def pages(self) -> bool:
        """Whether somebody is to be woken."""
        return self in (What.OPENED, What.REPEATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A window of a model that has closed, `start` to `end` (microseconds since the epoch)."""

    model: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """A stretch after a change event in which what begins is told and does not page; `end` is not part of it.

    text: what was changed, for a person to read.
    """

    start: int
    end: int
    text: str

    def covers(self, finding: Finding) -> bool:
        """Tell whether the change that was found began in it: in a window that holds a part of it."""
        return finding.onset < self.end and finding.onset + (finding.end - finding.start) > self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A finding of an episode. origin: of its feature's group. found: end of the window in which it came to it.

    over: end of the window in which it recovered or was accepted; None while it lasts.
    """

    finding: Finding
    origin: Mapping[str, str]
    found: int
    over: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One incident. `model` opened it and leads; times are microseconds since the epoch.

    since: the onset of what opened it. opened: end of the window in which it paged. seen: end of the newest window in
    which it was known to last. until: end of the window in which it ended, None while it is open. parts: the first of
    its findings, in the order in which they came; `findings` is how many there are. models: the first of those that are
    part of it, the leading one before all. silenced: it is open, and all that lasts of it is muted. harm: what was at
    stake when it paged, None where that was not known.
    """

    id: str
    model: str
    since: int
    opened: int
    seen: int
    until: int | None
    ending: Ending | None
    findings: int
    parts: Sequence[Part]
    models: Sequence[str]
    silenced: bool = False
    harm: "Harm | None" = None

    @property
    def lead(self) -> Part:
        """What opened it."""
        return self.parts[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """What the predictions that a finding is of cost a day, in a currency.

    usual: what as many usually cost, where it is expected from their scores. coverage: the share of them with a label,
    where it is known from these; mistakes that no label has shown yet are not in it.
    """

    currency: str
    per_day: float
    usual: float | None = None
    coverage: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that happened. time: end of the window in which it did, or when a person said it.

    finding, origin: what opened, joined, repeats, or is silenced. word: what silences it, or was said. quiet: the
    change after which it does not page. moved: of a page, all features of the model that had moved by then, the surest
    first (see `discovery`). harm: of a page, what is at stake, where the model's mistakes have a price.
    """

    what: What
    model: str
    time: int
    episode: Episode | None = None
    finding: Finding | None = None
    origin: Mapping[str, str] = field(default_factory=dict)
    word: Word | None = None
    quiet: Quiet | None = None
    moved: Sequence[str] = ()
    harm: Harm | None = None
