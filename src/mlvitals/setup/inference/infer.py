"""From samples of files to everything that a configuration says."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from mlvitals import wire
from mlvitals.setup.inference.describe import Finding
from mlvitals.setup.inference.origins import Origin, Origins, model_name
from mlvitals.setup.inference.profile import Profile, profile_events
from mlvitals.setup.inference.sample import Sample


@dataclass(slots=True, kw_only=True)
class Proposal:
    """All that was inferred.

    whole: the sample is the whole log. names_model: the log says which model it was. unknown: what could not be told,
    or was assumed, a sentence each.
    """

    model: str
    origins: list[Origin]
    profile: Profile
    findings: list[Finding]
    whole: bool
    rows: int
    events: int
    names_model: bool
    unknown: list[str] = field(default_factory=list)


def infer(samples: Sequence[Sample], names: Sequence[str] = ()) -> Proposal:
    """Infer a configuration from samples of a log, and of its labels.

    Args:
        samples: one for each file.
        names: of features that the log knows by position only.

    Raises:
        InputError: there is no time, or no prediction: told with what was looked for.

    """
    origins = Origins(model=model_name(samples[0].path), names=names)
    origins.take(samples)
    profile = profile_events(
        [batch for _, events in origins.found for batch in events.predictions],
        [batch for _, events in origins.found for batch in events.labels],
        shares=origins.mapped is not None and origins.mapped.parts.outputs.shares is not None,
    )
    return Proposal(
        model=origins.model,
        origins=[origin for origin, _ in origins.found],
        profile=profile,
        findings=origins.findings,
        whole=all(sample.whole for sample in samples),
        rows=sum(len(sample.records) + sample.unreadable for sample in samples),
        events=sum(events.count for _, events in origins.found),
        names_model=origins.mapped is None or wire.MODEL in origins.mapped.chosen,
        unknown=origins.unknown,
    )
