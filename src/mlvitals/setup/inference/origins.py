"""Which files hold what: native events, predictions by a mapping, labels of those."""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mlvitals import wire
from mlvitals.errors import InputError
from mlvitals.setup.inference.columns import columns_of
from mlvitals.setup.inference.describe import Finding, Mapped, describe
from mlvitals.setup.inference.labels import LabelsFound, find_labels
from mlvitals.setup.inference.parts import find_parts
from mlvitals.setup.inference.roles import Trust
from mlvitals.setup.inference.sample import FileKind, Sample
from mlvitals.setup.inference.trial import Events, join_events, make_format, read_events
from mlvitals.sources import Role

NATIVE: Final = "mlvitals"
_NATIVE_SHARE: Final = 0.5
_COMMA: Final = ","
# What file names say beside the name of a model.
_OTHER_WORDS: Final = frozenset(
    {"app", "capture", "csv", "data", "event", "events", "export", "gz", "in", "inference", "input", "inputs", "json"}
    | {
        "jsonl",
        "log",
        "logs",
        "out",
        "output",
        "outputs",
        "parquet",
        "prediction",
        "predictions",
        "request",
        "requests",
    }
    | {"response", "responses", "sample", "serving", "tsv", "txt", "zst"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One source of the configuration: files of one form, what they carry, and how they are read."""

    paths: Sequence[str]
    role: Role
    kind: str
    format: Mapping[str, Any]
    name: str = ""


@dataclass(slots=True, kw_only=True)
class Origins:
    """What samples turned out to be.

    model: the name where the log gives none. names: of features that the log knows by position only. found: each source
    with its events. mapped: how predictions are read where they are not native. unknown: what could not be told.
    samples: those that may hold them.
    """

    model: str
    names: Sequence[str] = ()
    found: list[tuple[Origin, Events]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    mapped: Mapped | None = None
    samples: Sequence[Sample] = ()

    def take(self, samples: Sequence[Sample]) -> None:
        """Find out what each sample is.

        Raises:
            InputError: none of them holds predictions with their times.

        """
        rest = [sample for sample in samples if not self._take_native(sample)]
        told = {str(name) for _, events in self.found for batch in events.labels for name in batch.column(wire.MODEL)}
        if len(told) == 1:
            self.model = told.pop()  # labels that name their model name that of predictions which do not
        if not any(origin.role is not Role.LABELS for origin, _ in self.found):
            if not rest:
                raise InputError(f"{samples[0].path}: native events, but labels only: give the predictions too")
            group = self._take_mapped(rest)
            rest = [sample for sample in rest if sample not in group]
            self._take_labels_beside(group)
        for sample in rest:
            self._take_labels(sample)

    def _take_native(self, sample: Sample) -> bool:
        """Take a sample of native events; without a zone first, then with one for naive times."""
        kind = NATIVE if sample.kind is FileKind.JSON else sample.kind.value
        zones: tuple[dict[str, str], ...] = ({}, {"zone": "UTC"})
        for zone, ids in itertools.product(zones, (True, False)):
            keys = _delimiter(sample) | zone
            try:
                events = read_events([sample], make_format(kind, keys), self.model, ids=ids)
            except InputError:
                return False
            if events.count and events.account.parsed >= _NATIVE_SHARE * events.account.rows:
                role = _role(events)
                self.found.append((Origin(paths=[sample.path], role=role, kind=kind, format=keys), events))
                self.findings.append(Finding("events", sample.path, f"native, {role.value}", Trust.CERTAIN))
                if zone:
                    self.unknown.append("which zone the times belong to: they name none, and UTC is assumed")
                return True
        return False

    def _take_mapped(self, samples: Sequence[Sample]) -> list[Sample]:
        """Take the predictions among samples, each file tried alone, then all of one kind together; return theirs."""
        self.samples = samples
        groups = [[sample] for sample in samples]
        groups += [alike for kind in FileKind if len(alike := [s for s in samples if s.kind is kind]) > 1]
        tried = [(mapped, group) for group in groups if (mapped := self._describe(group)) is not None]
        if not tried:
            raise InputError(
                f"{samples[0].path}: no prediction found: looked for a class, score or value (named like `prediction`, "
                "`score`, `probability`, `label`, `output`, …) beside features, or on another line with the same id"
            )
        timed = [one for one in tried if wire.TIMESTAMP in one[0].chosen]
        if not timed:
            raise InputError(
                f"{tried[0][1][0].path}: no time found: looked for dates with times of day, and for numbers that count "
                "s, ms, us or ns since 1970 in a field named like `timestamp`, `time` or `date`"
            )
        self.mapped, group = max(timed, key=lambda one: len(one[0].features))
        if not self.found:
            self.model = model_name(group[0].path)
        alike = [sample for sample in samples if sample in group or self._is_alike(sample, group[0])]
        self._put_mapped(self.mapped, alike)
        return alike

    def _describe(self, group: Sequence[Sample]) -> Mapped | None:
        """Return how files are read together, None where they hold no predictions."""
        records = [record for sample in group for record in sample.records]
        found = find_parts(records, self.names)
        if found is None:
            return None
        others = [record for record, held in zip(records, found[0].selected, strict=False) if not held]
        apart = [columns_of(sample.records) for sample in self.samples if sample not in group]
        return describe(*found, [column for columns in (columns_of(others), *apart) for column in columns.values()])

    def _is_alike(self, sample: Sample, other: Sample) -> bool:
        """Tell whether a file is read in the same way as another."""
        if self.mapped is None or sample.kind is not other.kind or sample.delimiter != other.delimiter:
            return False
        mapped = self._describe([sample])
        return mapped is not None and mapped.format["map"] == self.mapped.format["map"]

    def _put_mapped(self, mapped: Mapped, group: Sequence[Sample]) -> None:
        keys = {**mapped.format, **_delimiter(group[0])}
        if wire.MODEL not in mapped.chosen:
            keys["constants"] = {wire.MODEL: self.model}
        role = Role.BOTH if wire.LABEL in mapped.chosen else Role.PREDICTIONS
        origin = Origin(paths=[one.path for one in group], role=role, kind=group[0].kind.value, format=keys)
        ids = wire.PREDICTION_ID in mapped.chosen
        events = read_events(group, make_format(origin.kind, keys), self.model, ids=ids)
        if mapped.parts.pairs is not None:
            events = Events([join_events(mapped, self.model)], [], events.account)
        elif not any(batch.num_rows for batch in events.predictions):
            reason = f": {events.account.examples[0]}" if events.account.examples else ""
            raise InputError(f"{group[0].path}: no row could be read as a prediction by what was inferred{reason}")
        self.found.append((origin, events))
        self.findings += mapped.findings
        self.unknown += mapped.missing
        self._tell_names(mapped)

    def _tell_names(self, mapped: Mapped) -> None:
        """Tell what became of the names that were given."""
        used = set(mapped.features)
        if not self.names:
            if mapped.positional:
                self.unknown.append("how the features are called: the log has positions only; --names FILE names them")
        elif not set(self.names[1:]) <= used:
            self.unknown.append(f"which features the {len(self.names)} names belong to: no array has as many values")
        elif self.names[0] not in used:
            self.unknown.append("whether the first of the names is the label's: it is one more than the features")

    def _take_labels_beside(self, group: Sequence[Sample]) -> None:
        """Take labels among the other lines of the predictions' files."""
        mapped = self.mapped
        if mapped is None or wire.PREDICTION_ID not in mapped.chosen or wire.LABEL in mapped.chosen:
            return
        records = [record for sample in group for record in sample.records]
        others = [record for record, held in zip(records, mapped.parts.selected, strict=False) if not held]
        if others and group[0].kind is FileKind.JSON:
            several = len(self._models()) > 1
            labels = find_labels(others, mapped.chosen[wire.PREDICTION_ID], others=True, several=several)
            if isinstance(labels, LabelsFound):
                self._put_labels(labels, group, name="labels")

    def _take_labels(self, sample: Sample) -> None:
        """Take a file as labels, or tell why it is none of them."""
        if self.mapped is None or wire.PREDICTION_ID not in self.mapped.chosen:
            self.unknown.append(f"what {sample.path} holds: no prediction has an id that a label could name")
            return
        ids, several = self.mapped.chosen[wire.PREDICTION_ID], len(self._models()) > 1
        labels = find_labels(sample.records, ids, several=several)
        if isinstance(labels, LabelsFound):
            self._put_labels(labels, [sample])
        else:
            self.unknown.append(f"what {sample.path} holds: {labels}")

    def _put_labels(self, labels: LabelsFound, group: Sequence[Sample], name: str = "") -> None:
        keys = {**labels.format, **_delimiter(group[0])}
        models = self._models()
        if len(models) == 1:
            keys["constants"] = {**keys["constants"], wire.MODEL: models.pop()}
        kind = group[0].kind.value
        origin = Origin(paths=[one.path for one in group], role=Role.LABELS, kind=kind, format=keys, name=name)
        self.found.append((origin, read_events(group, make_format(kind, keys), self.model)))
        self.findings += labels.findings

    def _models(self) -> set[str]:
        column = None if self.mapped is None else self.mapped.chosen.get(wire.MODEL)
        return {self.model} if column is None else set(map(str, column.present))


def _delimiter(sample: Sample) -> dict[str, Any]:
    return {} if sample.delimiter == _COMMA else {"delimiter": sample.delimiter}


def _role(events: Events) -> Role:
    served = any(batch.num_rows for batch in events.predictions)
    told = any(batch.num_rows for batch in events.labels)
    return Role.BOTH if served and told else Role.PREDICTIONS if served else Role.LABELS


def model_name(path: str) -> str:
    """Return what a file's name says beside dates, numbers and words like `events`."""
    stem = Path(path).name.split(".")[0]
    parts = [part for part in re.split(r"[^A-Za-z]+", stem) if part and part.lower() not in _OTHER_WORDS]
    return "-".join(parts) or "model"
