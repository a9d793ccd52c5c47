"""The command line in this process, and configurations over the real event sets."""

import io
import json
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from mlvitals.cli import main
from mlvitals.signals.measurement import Measurement

UNTIL = "2030-01-01T00:00:00Z"


class Answer(NamedTuple):
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A configuration that was run to its end."""

    folder: Path
    config: Path
    reference: Path
    measurements: list[Measurement]

    def series(self, signal: str, **attributes: str) -> dict[str, Measurement]:
        """Return the measurements of a signal with these attributes, by window start."""
        return {
            one.window_start: one
            for one in self.measurements
            if one.signal == signal and attributes.items() <= one.attributes.items()
        }


Configure = Callable[..., Path]
Run = Callable[..., Ran]


def call(*words: str | Path) -> Answer:
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    code: Any = None
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main([str(word) for word in words])
        except SystemExit as answer:
            code = answer.code
    texts = []
    for stream in (out, err):
        stream.flush()
        stream.seek(0)
        texts.append(stream.read())
    return Answer(code, *texts)


def write_config(folder: Path, model: Mapping[str, Any], sources: list[dict[str, Any]]) -> Path:
    """Write a configuration of one model whose state and reference stand beside it."""
    document = {
        "models": [{"operating": {"path": "model.reference"}, **model}],
        "sources": [{"type": "file", **source} for source in sources],
        "sinks": [{"type": "local"}],
        "state": {"path": "state.db"},
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "mlvitals.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def run_to_the_end(config: Path, rows: Path) -> Ran:
    """Build the reference from rows, run until all is settled, and read what was measured."""
    reference = config.parent / "model.reference"
    commands: list[list[str | Path]] = [
        ["reference", "build", "-c", config, "--data", rows, "-o", reference],
        ["run", "-c", config, "--until", UNTIL],
    ]
    for words in commands:
        answer = call(*words)
        assert answer.code == 0, answer.err
    answer = call("signals", "-c", config, "--format", "jsonl")
    assert answer.code == 0, answer.err
    found = msgspec.json.Decoder(Measurement).decode_lines(answer.out)
    return Ran(folder=config.parent, config=config, reference=reference, measurements=found)


@pytest.fixture(scope="session")
def mlvitals() -> Callable[..., Answer]:
    return call


@pytest.fixture(scope="session")
def configure() -> Configure:
    return write_config


@pytest.fixture(scope="session")
def run() -> Run:
    return run_to_the_end


@pytest.fixture(scope="session")
def truth(shared_data) -> Callable[[str], dict[str, Any]]:
    """Return a reader of a set's truth: the model's name and, for each window and maturity, what is true."""

    def read(name: str) -> dict[str, Any]:
        return dict(json.loads((shared_data / name / "truth.json").read_bytes()))

    return read


@pytest.fixture(scope="session")
def maturities(truth) -> Callable[[str], list[str]]:
    """Return the ages at which a set's truth is told, ascending."""
    return lambda name: sorted({row["maturity"] for row in truth(name)["rows"]}, key=lambda age: int(age[:-1]))


@pytest.fixture(scope="session")
def real(shared_data, truth, maturities, tmp_path_factory) -> Run:
    """Return a runner of a real event set with windows of a size; what ran once is not run again."""
    ran: dict[tuple[str, ...], Ran] = {}

    def run_set(name: str, size: str, *, events: Path | None = None, labels: Path | None = None) -> Ran:
        key = (name, size, str(events), str(labels))
        if key not in ran:
            data = shared_data / name
            model = {
                "name": truth(name)["model"],
                "windows": {"size": size, "lateness": "10m"},
                "labels": {"maturities": maturities(name)},
            }
            sources = [
                {"path": str(events or data / "events.jsonl.gz"), "role": "predictions"},
                {"path": str(labels or data / "labels.jsonl.gz"), "role": "labels"},
            ]
            config = write_config(tmp_path_factory.mktemp(name), model, sources)
            ran[key] = run_to_the_end(config, data / "reference.parquet")
        return ran[key]

    return run_set
