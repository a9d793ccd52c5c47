"""Pages and what follows them as log records: a sentence to be read at 3 a.m., and all that it rests on."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mlvitals.clock import format_time
from mlvitals.decisions.episode import GROUP, GROUP_OWNER, UPSTREAM, Episode, Happening, Harm, Part, What
from mlvitals.decisions.finding import Detector, Finding, Source
from mlvitals.decisions.words import Kind, Word
from mlvitals.telemetry.points import LogRecord, Severity
from mlvitals.telemetry.service import Service

PAGE: Final = "mlvitals.page"
PAGE_JOINED: Final = "mlvitals.page.joined"
PAGE_CLOSED: Final = "mlvitals.page.closed"
PAGE_SILENCED: Final = "mlvitals.page.silenced"
AUDIT: Final = "mlvitals.audit"

_EVENTS: Final = {
    What.OPENED: (PAGE, Severity.ERROR),
    What.REPEATED: (PAGE, Severity.ERROR),
    What.JOINED: (PAGE_JOINED, Severity.WARN),
    What.CLOSED: (PAGE_CLOSED, Severity.INFO),
    What.SILENCED: (PAGE_SILENCED, Severity.WARN),
    What.SAID: (AUDIT, Severity.INFO),
}
_SUBJECTS: Final = {
    Detector.VOLUME: "predictions served by {model}",
    Detector.ERRORS: "failed requests of {model}",
    Detector.FEATURE: "feature {subject} of {model}",
    Detector.FEATURES: "the features of {model} together",
    Detector.PREDICTION: "what {model} predicts",
    Detector.SEGMENT: "segment {subject} of {model}",
    Detector.COVERAGE: "labels of {model} at {subject}",
    Detector.PERFORMANCE: "performance of {model} at {subject}",
    Detector.COST: "cost of {model} at {subject}",
}
_OTHERS_NAMED: Final = 5
_MOVED_TOLD: Final = 100


def page_record(happening: Happening, service: Service) -> LogRecord:
    """Return the record of something that happened to an episode, or was said by a person.

    It has the time at which that happened, and of features nothing but how far they moved: no value is told.
    """
    name, severity = _EVENTS[happening.what]
    attributes = {"environment": service.environment}
    attributes |= {"model": happening.model} if happening.model else {}
    attributes |= {"owner": service.owner} if service.owner else {}
    body: dict[str, Any] = {"text": _sentence(happening)}
    if happening.episode is not None:
        body |= _episode(happening.episode, happening.model)
    if happening.finding is not None:
        body |= _finding(happening.finding, happening.origin)
    if happening.moved:
        body["moved"] = [*happening.moved[:_MOVED_TOLD]]
    if happening.harm is not None:
        body["harm"] = _harm(happening.harm)
    if happening.word is not None:
        body["word"] = _word(happening.word)
    if happening.quiet is not None:
        body["change"] = {"text": happening.quiet.text, "quiet_until": format_time(happening.quiet.end)}
    if links := _links(happening, service):
        body["links"] = links
    return LogRecord(
        event_name=name,
        time=happening.time,
        severity=severity,
        attributes=attributes,
        tags={**service.log_tags, **service.model_tags},
        body=body,
    )


def moved(source: Source) -> str:
    """Return what a detector watches, in words."""
    what = _SUBJECTS[source.detector].format(model=source.model, subject=source.subject)
    return f"{what} (version {source.version})" if source.version else what


def by_how_much(finding: Finding) -> str:
    """Return the effect of a finding with its interval, in words."""
    unit = finding.unit.strip("{}")
    effect, lower, upper = (f"{one:+.3g}" for one in (finding.effect, finding.lower, finding.upper))
    return f"{finding.component} {effect}{'' if unit in ('', '1') else f' {unit}'} (95 %: {lower} to {upper})"


def in_words(word: Word) -> str:
    """Return what a person said, in words, without the reason."""
    scope = " ".join(one for one in (word.model, word.feature, word.detector) if one)
    until = "" if word.until is None else f" until {format_time(word.until)}"
    match word.kind:
        case Kind.ACCEPT | Kind.MUTE:
            return f"{word.kind} {scope}{until}"
        case Kind.REBASE:
            return f"accept {scope} as the new normal"
        case Kind.UNMUTE:
            return f"end of word {word.ends}"
        case Kind.VERDICT:
            return f"the page of episode {word.episode} was {word.verdict}"
        case Kind.DRILL:
            return f"drill {scope}{until}: nothing is wrong"


def _sentence(happening: Happening) -> str:
    episode, finding, word = happening.episode, happening.finding, happening.word
    if happening.what is What.SAID and word is not None:
        return f"{word.user}: {in_words(word)}: {word.reason}"
    parts = []
    if finding is not None:
        parts.append(f"{moved(finding.source)} moved since {format_time(finding.onset)}: {by_how_much(finding)}")
        parts.append(f"evidence 10^{finding.evidence:.1f}, pages from 10^{finding.bar:.1f}")
        parts += _group(happening.origin)
    if happening.harm is not None:
        parts.append(costs(happening.harm))
    if happening.what is What.REPEATED:
        parts.append("pages again: what was muted is over, or something else moved beside it")
    if happening.what is What.SILENCED:
        parts.append(f"does not page: {_why_silent(happening)}")
    if episode is not None:
        parts += _of_episode(happening, episode)
        parts += _moved_too(happening, episode)
    return "; ".join(parts)


def _of_episode(happening: Happening, episode: Episode) -> Iterator[str]:
    if happening.what is What.CLOSED:
        word = f" by {happening.word.user}: {happening.word.reason}" if happening.word else ""
        yield f"episode {episode.id} is over ({episode.ending}{word})"
        yield f"{moved(episode.lead.finding.source)} moved since {format_time(episode.since)}"
        yield f"{episode.findings} {'finding' if episode.findings == 1 else 'findings'} in all"
    elif happening.what is What.JOINED:
        yield f"part of episode {episode.id}, which {moved(episode.lead.finding.source)} opened"
    else:
        yield f"episode {episode.id}"
    others = [moved(part.finding.source) for part in _others(episode.parts, happening.finding)]
    if others and happening.what is not What.JOINED:
        more = f" and more ({episode.findings} in all)" if episode.findings > _OTHERS_NAMED + 1 else ""
        yield f"with {', '.join(others[:_OTHERS_NAMED])}{more}"


def _moved_too(happening: Happening, episode: Episode) -> Iterator[str]:
    """Name the features that moved and are no part of the episode: their own evidence does not page yet."""
    parts = {part.finding.source.subject for part in episode.parts if part.finding.source.model == happening.model}
    others = [name for name in happening.moved if name not in parts]
    if others:
        more = f" and {len(others) - _OTHERS_NAMED} more" if len(others) > _OTHERS_NAMED else ""
        yield f"moved too: {', '.join(others[:_OTHERS_NAMED])}{more}"


def _others(parts: Sequence[Part], finding: Finding | None) -> list[Part]:
    mine = parts[0].finding.source if finding is None else finding.source
    return [part for part in parts if part.finding.source != mine]


def _group(origin: Mapping[str, str]) -> Iterator[str]:
    if GROUP in origin:
        owner = f" of {origin[GROUP_OWNER]}" if GROUP_OWNER in origin else ""
        upstream = f", made from {origin[UPSTREAM]}" if UPSTREAM in origin else ""
        yield f"group {origin[GROUP]}{owner}{upstream}"


def costs(harm: Harm) -> str:
    """Return what an incident costs a day, in words."""
    if harm.coverage is not None:
        return f"known mistakes cost {harm.per_day:,.0f} {harm.currency} a day ({100 * harm.coverage:.0f} % labelled)"
    usual = "" if harm.usual is None else f", usually {harm.usual:,.0f}"
    return f"mistakes are expected to cost {harm.per_day:,.0f} {harm.currency} a day{usual}"


def _harm(harm: Harm) -> dict[str, Any]:
    told = {"currency": harm.currency, "per_day": harm.per_day, "usual": harm.usual, "coverage": harm.coverage}
    return {name: value for name, value in told.items() if value is not None}


def _why_silent(happening: Happening) -> str:
    if happening.quiet is not None:
        return f"it began soon after a change ({happening.quiet.text})"
    word = happening.word
    return "" if word is None else f"{in_words(word)}, by {word.user}: {word.reason}"


def _finding(finding: Finding, origin: Mapping[str, str]) -> dict[str, Any]:
    figures = {name: getattr(finding, name) for name in ("effect", "lower", "upper", "evidence", "bar")}
    return {
        **_source(finding.source),
        "component": finding.component,
        "window_start": format_time(finding.start),
        "window_end": format_time(finding.end),
        "onset": format_time(finding.onset),
        "unit": finding.unit,
        **{name: value for name, value in figures.items() if math.isfinite(value)},
        **origin,
    }


def _source(source: Source) -> dict[str, str]:
    told = {"detector": source.detector.value, "subject": source.subject, "model_version": source.version}
    return {name: value for name, value in told.items() if value}


def _episode(episode: Episode, model: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "episode": episode.id,
        "leads": episode.model,
        "since": format_time(episode.since),
        "opened": format_time(episode.opened),
        "findings": episode.findings,
        "others": [one for one in episode.models if one != model],
        "parts": [_source(part.finding.source) | {"model": part.finding.source.model} for part in episode.parts],
    }
    if episode.until is not None:
        told |= {"until": format_time(episode.until), "ending": str(episode.ending)}
    return told


def _links(happening: Happening, service: Service) -> dict[str, str]:
    """Return where to look next: the rows from the onset on, and what to do; nothing of what a person said."""
    episode, finding = happening.episode, happening.finding
    if finding is None and episode is not None:
        finding = episode.lead.finding
    if finding is None:
        return {}
    since = finding.onset if episode is None else episode.since
    rows = service.links.rows_of(finding.source, since, happening.time)
    found = {"rows": rows, "runbook": service.links.runbook_of(finding.source)}
    return {name: link for name, link in found.items() if link is not None}


def _word(word: Word) -> dict[str, Any]:
    told: dict[str, Any] = {
        "kind": word.kind.value,
        "time": format_time(word.time),
        "user": word.user,
        "reason": word.reason,
        "model": word.model,
        "feature": word.feature,
        "detector": word.detector,
        "until": None if word.until is None else format_time(word.until),
        "onset": None if word.onset is None else format_time(word.onset),
        "episode": word.episode,
        "verdict": word.verdict,
        "ends": word.ends,
    }
    return {name: value for name, value in told.items() if value not in (None, "")}
