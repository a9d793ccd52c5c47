"""The batteries find what they say that they look for, and the example of the documents passes."""

import re
import subprocess
import sys
from dataclasses import replace
from math import nan

import msgspec
import pytest

from mlvitals.clock import HOUR
from mlvitals.contracts import check_format, check_sink, check_source, check_statistic, sink_context
from mlvitals.contracts.evidence import layouts
from mlvitals.delivery import Outcome, Request, Verdict
from mlvitals.events import EventBatch
from mlvitals.formats import MlvitalsFormat
from mlvitals.formats.jsonlines import JsonLines
from mlvitals.signals.spec import Export, Layer, MetricSpec, Orientation, Reading, Stage, Statistic
from mlvitals.sources import FileSource
from mlvitals.sources.file import FileReader

SPEC = MetricSpec(
    name="acme.served.amount",
    unit="{row}",
    brief="How much was served.",
    layer=Layer.DATA,
    stage=Stage.WINDOW,
    orientation=Orientation.NEITHER,
    level=Export.LEAN,
)
EVENT = b'{"timestamp":"2026-03-01T10:12:07Z","model":"m","prediction_id":%d,"prediction":{"score":0.5}}\n'
EVENTS = b"".join(EVENT % number for number in range(5))


def statistic(compute, **changes):
    return Statistic(spec=replace(SPEC, **changes), compute=compute)


def served(evidence, **changes):
    rows = evidence.current.predictions
    return Reading(**({"value": float(rows), "samples": rows} | changes))


def sometimes():
    """A statistic that remembers how often it was asked."""
    asked = []

    def compute(evidence):
        asked.append(1)
        yield served(evidence, value=float(len(asked)))

    return compute


def changing(evidence):
    yield served(evidence)
    evidence.current.served[0] += 1


def by_place(evidence):
    part = evidence.current.layout.served_sections[evidence.current.layout.features[0].column]
    if evidence.current.predictions:
        yield served(evidence, value=float(evidence.current.served[part][0]))


BROKEN = {
    "a bad name": (statistic(lambda evidence: [served(evidence)], name="acme"), "three or more parts"),
    "undeclared attributes": (
        statistic(lambda evidence: [served(evidence, attributes={"feature": "a"})]),
        r"has the attributes \['feature'\], not \[\]",
    ),
    "limits of its own": (
        statistic(lambda evidence: [served(evidence, limits=(0.0, 1.0))]),
        "which `brings_limits` does not declare",
    ),
    "a verdict of two windows at a maturity": (
        statistic(lambda evidence: [served(evidence)], stage=Stage.RUNNING, warning_windows=2),
        "more than 1 only of a signal known as a window closes",
    ),
    "twice the same": (statistic(lambda evidence: [served(evidence)] * 2), "two readings have the attributes"),
    "nothing at all": (statistic(lambda _: []), "nothing is read from ordinary windows"),
    "a memory": (statistic(sometimes()), "a second look reads something else"),
    "a changed window": (statistic(changing), "second look|were changed"),
    "not a number": (
        statistic(
            lambda evidence: [served(evidence)] if evidence.current.predictions else [served(evidence, value=nan)]
        ),
        "second look|nan in",
    ),
    "a whole number": (statistic(lambda evidence: [served(evidence, value=3)]), "of <class 'int'>, not a float"),
    "beyond its bound": (statistic(lambda evidence: [served(evidence, upper=-1.0)]), "above its bound"),
    "no ratio": (
        statistic(lambda evidence: [served(evidence, value=2.0)], name="acme.served.ratio", unit="1"),
        "2.0 is no ratio",
    ),
    "half a row": (statistic(lambda evidence: [served(evidence, samples=0.5)]), "0.5 is no number of samples"),
    "a value of nothing": (
        statistic(lambda evidence: [served(evidence, value=7.0)]),
        "an empty window reads 7.0",
    ),
    "the place of a feature": (statistic(by_place), "in another order"),
}


@pytest.mark.parametrize(("broken", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_statistic_is_found(broken, message):
    with pytest.raises(AssertionError, match=message):
        check_statistic(broken)


def test_a_sound_statistic_passes_on_any_layout():
    check_statistic(statistic(lambda evidence: [served(evidence)]))
    check_statistic(statistic(lambda evidence: [served(evidence)]), layouts()["regression"])


class Forgetful(JsonLines):
    """Leaves an event out of what it counts."""

    def decode(self, raw):
        batch = super().decode(raw)
        return replace(batch, account=replace(batch.account, rows=batch.account.rows + 1))


class Touchy(JsonLines):
    """Raises at what it cannot read."""

    def decode(self, raw) -> EventBatch:
        raw.data.decode()
        return super().decode(raw)


class Cursory(JsonLines):
    """Takes what is there of a line for the whole of it."""

    def cut(self, stream, path, offset, line=1, *, complete):
        del complete
        return super().cut(stream, path, offset, line, complete=True)


class Opened(msgspec.Struct, frozen=True):
    """A configuration that opens what it is told to."""

    kind: type

    def open(self, plan):
        return self.kind(plan)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Forgetful, "of 6 rows 5 have a disposition"),
        (Touchy, "damaged, raised UnicodeDecodeError"),
        (Cursory, "read first up to byte"),
    ],
)
def test_a_broken_format_is_found(kind, message):
    check_format(MlvitalsFormat(), [EVENTS])
    with pytest.raises(AssertionError, match=message):
        check_format(Opened(kind), [EVENTS])


def test_a_format_is_not_proven_by_what_it_cannot_read():
    with pytest.raises(AssertionError, match="sample 1: no row of it is parsed"):
        check_format(MlvitalsFormat(), [EVENTS, b"nothing\n"])


class Rewinding(FileReader):
    """Does not know where it stood."""

    def restore(self, position):
        pass


def test_a_broken_source_is_found(tmp_path):
    for number in range(2):
        (tmp_path / f"{number}.jsonl").write_bytes(EVENTS)
    check_source(FileSource(path=str(tmp_path)))

    class Files(msgspec.Struct, frozen=True):
        def open(self, plan):
            return Rewinding("files", [str(tmp_path)], MlvitalsFormat().open(plan))

    with pytest.raises(AssertionError, match="restored to the position of batch 0"):
        check_source(Files())


class Destination:
    """A destination in memory, sound but for what a test breaks."""

    name = "memory"

    def __init__(self, broken=""):
        self.broken = broken
        self.calls = 0

    def __repr__(self):
        return "Destination(hunter2)" if self.broken == "shown" else "Destination()"

    def encode(self, points, logs):
        self.calls += 1
        body = str(self.calls if self.broken == "impure" else [point.value for point in points]).encode()
        stamps = [item.time for item in (*points, *logs)]
        return (
            [Request(route="metrics", body=body, items=len(stamps), first=min(stamps), last=max(stamps))]
            if stamps
            else []
        )

    def split(self, request):
        if request.items == 1:
            return []
        left = request.items // 2
        right = request.items - left - (self.broken == "lossy")
        return [replace(request, items=items) for items in (left, right)]

    @property
    def routes(self):
        return ("metrics",)

    @property
    def renewal(self):
        return self if self.broken == "stale" else None

    def age_limit(self, route):
        del route
        return HOUR

    def renew(self, route, requests, now):
        del route, now
        return list(requests)

    def send(self, request):
        del request
        return None if self.broken == "unclassified" else Outcome(verdict=Verdict.OK, reason=self.said)

    @property
    def said(self):
        return "the key hunter2 is wrong" if self.broken == "told" else ""

    def probe(self):
        return Outcome(verdict=Verdict.OK)

    def close(self):
        pass


class Memory(msgspec.Struct, frozen=True):
    """The configuration of a destination in memory."""

    broken: str = ""
    name: str = "memory"

    def open(self, context):
        del context
        return Destination(self.broken)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("impure", "encoded twice, give other bytes"),
        ("lossy", "items are split into"),
        ("unclassified", "an answer is None"),
        ("stale", "still too old"),
        ("told", "a reason tells a secret"),
        ("shown", "shows a secret"),
    ],
)
def test_a_broken_sink_is_found(tmp_path, broken, message):
    with sink_context(tmp_path) as context:
        check_sink(Memory(), context, ["hunter2"])
        with pytest.raises(AssertionError, match=message):
            check_sink(Memory(broken), context, ["hunter2"])


def test_the_example_of_the_documents_passes_its_own_test(repository, tmp_path):
    text = (repository / "docs" / "plugins.md").read_text(encoding="utf-8")
    names = []
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        names.append(block.split("\n", 1)[0].removeprefix("# "))
        (tmp_path / names[-1]).write_text(block, encoding="utf-8")
    assert names == ["acme.py", "test_acme.py"]
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tmp_path, tmp_path]
    done = subprocess.run(run, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
