"""Putting templates and policies into a cluster, or looking whether they are there; what is newer or not ours stays."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import msgspec

from mlvitals.delivery import Outcome, Verdict
from mlvitals.sinks.answers import UNREADABLE
from mlvitals.sinks.opensearch.choices import Engine
from mlvitals.sinks.opensearch.classify import refusal, stranger
from mlvitals.sinks.opensearch.documents import ENCODER
from mlvitals.sinks.opensearch.templates import OWNER, Artifact, Kind
from mlvitals.transport.http import Answer

Ask = Callable[[str, str, bytes], Answer]

_MARK: Final = re.compile(rf"managed by {OWNER}, version (\d+), content ([0-9a-f]+)")
_UNKNOWN_PATH: Final = "no handler found"


class _Standing(StrEnum):
    ABSENT = "absent"
    OLDER = "older"
    GOOD = "good"
    FOREIGN = "foreign"
    IMPOSSIBLE = "impossible"


class _Told(Exception):  # noqa: N818  # not an error: the outcome that ends the look
    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Installer:
    """Brings artifacts into a cluster.

    ask: sends a request, by method, path and body; it may raise a TransportError. now: microseconds since the epoch.
    """

    artifacts: Sequence[Artifact]
    engine: Engine
    ask: Ask
    now: Callable[[], int]

    def install(self) -> Outcome:
        """Put what is absent or older; return ok, with a warning where a policy cannot be had, or what is wrong.

        Raises:
            TransportError: there was no answer.

        """
        warnings = []
        try:
            for artifact in self.artifacts:
                standing, query = self._look(artifact)
                if standing in {_Standing.ABSENT, _Standing.OLDER}:
                    self._require(
                        self.ask("PUT", artifact.path + query, ENCODER.encode(artifact.body)), artifact, "put"
                    )
                elif standing is _Standing.IMPOSSIBLE:
                    warnings.append(f"no lifecycle: the cluster has no {artifact.kind.value}, nothing is ever deleted")
        except _Told as told:
            return told.outcome
        return Outcome(verdict=Verdict.OK, reason=warnings[0] if warnings else "")

    def check(self) -> Outcome:
        """Return ok, or what is missing; nothing is left in the cluster.

        Raises:
            TransportError: there was no answer.

        """
        found = self.missing()
        if isinstance(found, Outcome):
            return found
        return Outcome(verdict=Verdict.MISCONFIGURED if found else Verdict.OK, reason="; ".join(found))

    def missing(self) -> list[str] | Outcome:
        """Return what is not there, or older than it must be, a line each; or why that cannot be told.

        Raises:
            TransportError: there was no answer.

        """
        try:
            found = [(artifact, self._look(artifact)[0]) for artifact in self.artifacts]
        except _Told as told:
            return told.outcome
        return [
            f"the {artifact.kind.value} {artifact.name} is {standing.value}"
            for artifact, standing in found
            if standing in {_Standing.ABSENT, _Standing.OLDER, _Standing.IMPOSSIBLE}
        ]

    def _look(self, artifact: Artifact) -> tuple[_Standing, str]:
        """Return how an artifact stands, and the query with which a policy of ISM is replaced."""
        answer = self.ask("GET", artifact.path, b"")
        if artifact.kind is Kind.ISM and answer.status in {400, 405} and _UNKNOWN_PATH.encode() in answer.body:
            return _Standing.IMPOSSIBLE, ""
        if answer.status == 404:
            return _Standing.ABSENT, ""
        told = self._require(answer, artifact, "get")
        mark, wanted = _found_mark(told, artifact), _mark(artifact.body, artifact.kind)
        if mark is None or wanted is None:
            return _Standing.FOREIGN, ""
        query = ""
        if artifact.kind is Kind.ISM:
            query = f"?if_seq_no={told.get('_seq_no')}&if_primary_term={told.get('_primary_term')}"
        if mark[0] > wanted[0] or mark == wanted:
            return _Standing.GOOD, query
        return _Standing.OLDER, query

    def _require(self, answer: Answer, artifact: Artifact, what: str) -> Any:
        """Return an answer's JSON.

        Raises:
            _Told: it is none of the engine's, or a refusal, which is nothing that another request could change.

        """
        doing = f"to {what} the {artifact.kind.value} {artifact.name}"
        if 200 <= answer.status < 300:
            strange = stranger(answer, self.engine)
            if not strange:
                try:
                    return msgspec.json.decode(answer.body)
                except UNREADABLE:
                    strange = "no JSON"
            raise _Told(Outcome(verdict=Verdict.MISCONFIGURED, reason=f"{doing}: {strange}"))
        outcome = refusal(answer, self.now())
        again = outcome.verdict is Verdict.RETRY or answer.status >= 500
        raise _Told(
            Outcome(
                verdict=Verdict.RETRY if again else Verdict.MISCONFIGURED,
                reason=f"{doing}: {outcome.reason}",
                retry_after=outcome.retry_after,
            )
        )


def _found_mark(told: Any, artifact: Artifact) -> tuple[int, str] | None:
    """Return the version and the content of what stands in a cluster, None where it is not ours."""
    kind, name = artifact.kind, artifact.name
    try:
        match kind:
            case Kind.COMPONENT:
                body = told["component_templates"][0]["component_template"]
            case Kind.INDEX:
                body = told["index_templates"][0]["index_template"]
            case Kind.ILM:
                body = told[name]
            case Kind.ISM:
                body = told
        return _mark(body, kind)
    except (KeyError, IndexError, TypeError, ValueError):
        return None


def _mark(body: Any, kind: Kind) -> tuple[int, str] | None:
    if kind is Kind.ISM:
        match = _MARK.fullmatch(body["policy"]["description"])
        return None if match is None else (int(match[1]), match[2])
    meta = body["policy"]["_meta"] if kind is Kind.ILM else body["_meta"]
    ours = meta["managed_by"] == OWNER and isinstance(meta["version"], int)
    return (meta["version"], meta["content"]) if ours else None
