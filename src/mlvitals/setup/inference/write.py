"""What was inferred, as a configuration that a person reads."""

import glob
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

from mlvitals import wire
from mlvitals.setup.inference.infer import Proposal
from mlvitals.setup.inference.origins import NATIVE, Origin
from mlvitals.setup.inference.spans import first_stretch, lateness, maturities, window_size
from mlvitals.setup.inference.yamltext import entry, flow, remarked
from mlvitals.sources import Role
from mlvitals.sources.file import STANDARD_INPUT
from mlvitals.windows.layout import Kind

_MOST_MODELS: Final = 50
_ORDER: Final = (
    "delimiter",
    "where",
    "join",
    "failed",
    "json",
    "keyed",
    "csv",
    "names",
    "rows",
    "map",
    "constants",
    "units",
    "zone",
)
_WHY: Final = {
    "failed": "such a request has failed: it needs no prediction",
    "json": "text that is JSON",
    "keyed": "arrays of named things, with what names them",
    "csv": "text that is lines of values, with their names",
    "names": "arrays, with the names of their positions",
    "rows": "arrays with an element for each row, read in step",
    "zone": "times name no zone: set the one that they belong to",
    "constants": "what the log does not say",
}

# Where measurements may go besides, by name: as it stands on a machine that has it, used or in a comment.
SINKS: Final = {
    "otlp": '{type: otlp, endpoint: "http://localhost:4318"}',
    "prometheus": '{type: prometheus, listen: "127.0.0.1:9464"}',
    "datadog": '{type: datadog, api_key: "${DD_API_KEY}"}',
    "opensearch": '{type: opensearch, hosts: ["http://localhost:9200"]}',
    "elasticsearch": '{type: opensearch, name: elasticsearch, engine: elasticsearch, hosts: ["http://localhost:9200"]}',
    "stdout": "{type: stdout}",
}


def write_config(proposal: Proposal, output: Path, sinks: Collection[str] = ()) -> str:
    """Return the text of the configuration.

    Args:
        proposal: what was inferred.
        output: where it will stand, for paths relative to it.
        sinks: of `SINKS`, those that are used; the others stand there as comments.

    """
    return "".join(f"{line}\n" for line in _lines(proposal, output.parent, sinks))


def _lines(proposal: Proposal, folder: Path, sinks: Collection[str]) -> Iterator[str]:
    paths = dict.fromkeys(path for origin in proposal.origins for path in origin.paths)
    names = ", ".join(flow(_relative(path, folder)) for path in paths)
    yield f"# Written by `mlvitals init` from {proposal.rows:,} rows of {names}"
    yield "# Look it through; then `mlvitals check` and `mlvitals run --once`, each with `-c` and this file."
    yield "models:"
    models = list(proposal.profile.models[:_MOST_MODELS]) or [proposal.model]
    if len(models) > 1:
        for name in models:
            yield f"  - {{name: {flow(name)}}}"
        yield "defaults:                                        # for all of them"
        yield from _model(proposal, 2)
    else:
        named = "named in the log" if proposal.names_model else "after the file: rename it here and in `constants`"
        yield remarked(f"  - name: {flow(models[0])}", named)
        yield from _model(proposal, 4)
    yield "sources:"
    why = {finding.field: finding.why for finding in proposal.findings}
    for origin in proposal.origins:
        yield from _source(origin, why, folder)
    yield "sinks:"
    yield remarked("  - {type: local}", "measurements are kept beside the state: `mlvitals signals` shows them")
    for name, line in SINKS.items():
        yield f"  {'' if name in sinks else '# '}- {line}"


def _model(proposal: Proposal, indent: int) -> Iterator[str]:
    profile = proposal.profile
    size = window_size(profile, whole=proposal.whole)
    first = first_stretch(profile, size.value, whole=proposal.whole)
    yield remarked(" " * indent + "# owner: a-team", "whom it concerns")
    yield from entry("operating", {"first": first.value}, indent, first.why)
    late = lateness(profile)
    windows = {"size": size.value} | ({} if late is None else {"lateness": late.value})
    yield from entry("windows", windows, indent, size.why + ("" if late is None else f"; lateness: {late.why}"))
    if profile.delays is not None:
        yield from _labels(proposal, indent)
    if profile.positive is not None:
        why = "the class that high scores point to"
        yield from entry("performance", {"positive": profile.positive}, indent, why)
    yield from _features(proposal, indent)
    if profile.segments:
        line = f"{' ' * indent}# segments: {flow(list(profile.segments))}"
        yield remarked(line, "few values each: all is measured by each too")


def _labels(proposal: Proposal, indent: int) -> Iterator[str]:
    delays = proposal.profile.delays
    if delays is None or not len(delays):
        ages, horizon = ["1d", "7d", "30d"], "60d"
        why = "no label of the sample has its prediction in the sample: set the ages at which labels are known"
    elif not delays.any():
        ages, horizon, why = ["1h"], "1d", "labels stand in the rows of their predictions"
    else:
        ages, horizon, why = maturities(delays)
    yield from entry("labels", {"maturities": ages, "horizon": horizon}, indent, why)


def _features(proposal: Proposal, indent: int) -> Iterator[str]:
    profile = proposal.profile
    excluded = [name for name, one in profile.kinds.items() if one.kind is Kind.IDENTIFIER]
    kinds = {
        name: one.kind.value
        for name, one in profile.kinds.items()
        if one.kind in {Kind.BOOLEAN, Kind.TEXT, Kind.CALENDAR}
    } | dict.fromkeys(profile.codes, Kind.CATEGORICAL.value)
    if excluded or kinds:
        yield " " * indent + "features:"
    if excluded:
        patterns = [glob.escape(name) for name in excluded]
        yield from entry("exclude", patterns, indent + 2, "nearly every row has its own value")
    if kinds:
        yield from entry("kinds", kinds, indent + 2, "others by their values: numeric, categorical")
    if profile.vectors:
        yield " " * indent + f"# left out, because they are arrays: {flow(list(profile.vectors))}"


def _source(origin: Origin, why: Mapping[str, str], folder: Path) -> Iterator[str]:
    paths = [_relative(path, folder) for path in origin.paths]
    yield "  - type: file"
    hint = "a glob like `app-*.log` takes later files too" if paths != [STANDARD_INPUT] else ""
    yield from entry("path", paths[0] if len(paths) == 1 else paths, 4, hint)
    yield f"    role: {origin.role.value}"
    if origin.name:
        yield from entry("name", origin.name, 4, "two sources read these files")
    if not origin.format:
        yield f"    format: {{type: {origin.kind}}}"
        return
    yield "    format:"
    yield remarked(f"      type: {origin.kind}", "native events" if origin.kind == NATIVE else "")
    for key in _ORDER:
        if key == "map" and key in origin.format:
            yield "      map:"
            for field, path in origin.format["map"].items():
                told = why.get(f"label: {field}" if origin.role is Role.LABELS else field, "")
                yield from entry(field, path, 8, told)
        elif key == "units" and key in origin.format:
            yield from entry(key, origin.format[key], 6, _unit_note(origin.format[key], why))
        elif key in origin.format:
            yield from entry(key, origin.format[key], 6, why.get(key, _WHY.get(key, "")))


def _unit_note(units: Mapping[str, str], why: Mapping[str, str]) -> str:
    return (
        "the latency's is guessed by its size: check it"
        if wire.LATENCY_MS in units and "by its size" in why.get(wire.LATENCY_MS, "")
        else ""
    )


def _relative(path: str, folder: Path) -> str:
    if path == STANDARD_INPUT or Path(path).is_absolute():
        return path
    return os.path.relpath(path, folder)
