"""Asking a cluster, without leaving anything there, who it is and whether it would take what we send."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from mlvitals.delivery import Outcome, Verdict
from mlvitals.sinks.answers import UNREADABLE, read_json
from mlvitals.sinks.opensearch.choices import Engine, Templates
from mlvitals.sinks.opensearch.classify import refusal, stranger
from mlvitals.sinks.opensearch.documents import ENCODER, Layout
from mlvitals.sinks.opensearch.install import Ask, Installer
from mlvitals.sinks.opensearch.templates import Kind
from mlvitals.telemetry.naming import opensearch as naming
from mlvitals.transport.http import Answer

_PRIVILEGES: Final = "/_security/user/_has_privileges"
_OPENSEARCH: Final = "opensearch"
_TITLES: Final = {Engine.OPENSEARCH: "OpenSearch", Engine.ELASTICSEARCH: "Elasticsearch"}


class _Privileges(msgspec.Struct):
    has_all_requested: bool
    cluster: dict[str, bool] = {}
    index: dict[str, dict[str, bool]] = {}


_PRIVILEGES_TOLD: Final = msgspec.json.Decoder(_Privileges)


def look(ask: Ask, engine: Engine, templates: Templates, installer: Installer, layout: Layout) -> Outcome:
    """Return ok with the engine and its version, or what stands against sending there.

    Raises:
        TransportError: there was no answer.

    """
    answer = ask("GET", "/", b"")
    name = _TITLES[engine]
    if answer.status in {403, 404}:  # who we are is known; who answers may not be asked, or has no such page (aoss)
        name = f"{name} (it does not tell its version)"
    elif not 200 <= answer.status < 300:
        outcome = refusal(answer, installer.now())
        verdict = outcome.verdict if outcome.verdict is Verdict.RETRY else Verdict.MISCONFIGURED
        return Outcome(verdict=verdict, reason=outcome.reason, retry_after=outcome.retry_after)
    else:
        strange = stranger(answer, engine)
        told = _told(answer)
        if not strange and not isinstance(told.get("version"), dict):
            strange = f"HTTP {answer.status} without a version: is this the address of {name}?"
        if strange or (strange := _mistaken(told, engine)):
            return Outcome(verdict=Verdict.MISCONFIGURED, reason=strange)
        name = f"{name} {told['version'].get('number', '')}".strip()
    problem = _problem(ask, engine, templates, installer, layout)
    return problem if problem is not None else Outcome(verdict=Verdict.OK, reason=name)


def _mistaken(told: Mapping[str, Any], engine: Engine) -> str:
    """Return why it is the other engine; OpenSearch may give itself an old version of the other for its clients."""
    version = told["version"]
    theirs = version.get("distribution") == _OPENSEARCH or "OpenSearch" in str(told.get("tagline", ""))
    if theirs == (engine is Engine.OPENSEARCH):
        return ""
    real = Engine.OPENSEARCH if theirs else Engine.ELASTICSEARCH
    return f"this is {_TITLES[real]} {version.get('number', '')}: write `engine: {real.value}`"


def _problem(ask: Ask, engine: Engine, templates: Templates, installer: Installer, layout: Layout) -> Outcome | None:
    if templates is not Templates.OFF:
        # What is to be installed may be missing yet; but reading it must be allowed, and is what can be asked for.
        missing = installer.missing()
        if isinstance(missing, Outcome):
            return missing
        if missing and templates is Templates.CHECK:
            return Outcome(verdict=Verdict.MISCONFIGURED, reason="; ".join(missing))
    if engine is not Engine.ELASTICSEARCH:
        return None
    answer = ask("POST", _PRIVILEGES, ENCODER.encode(_wanted(templates, installer, layout)))
    try:
        told = _PRIVILEGES_TOLD.decode(answer.body)
    except UNREADABLE:
        return None
    if answer.status != 200 or told.has_all_requested:  # security may be off
        return None
    lacking = [name for name, held in told.cluster.items() if not held]
    lacking += [f"{name} on {index}" for index, held in told.index.items() for name in held if not held[name]]
    return Outcome(verdict=Verdict.MISCONFIGURED, reason=f"lacks the privileges {', '.join(sorted(lacking))}")


def _wanted(templates: Templates, installer: Installer, layout: Layout) -> dict[str, Any]:
    alias, stream = (named(layout.schema, layout.namespace) for named in (naming.metrics_alias, naming.logs_stream))
    cluster = ["manage_index_templates"] if templates is Templates.INSTALL else []
    if cluster and any(artifact.kind is Kind.ILM for artifact in installer.artifacts):
        cluster.append("manage_ilm")
    index = [
        {"names": [f"{alias}-*"], "privileges": ["auto_configure", "index"]},
        {"names": [stream], "privileges": ["auto_configure", "create_doc"]},
    ]
    return {"cluster": cluster, "index": index}


def _told(answer: Answer) -> dict[str, Any]:
    told = read_json(answer)
    return told if isinstance(told, dict) else {}
