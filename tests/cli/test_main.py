"""Exit codes, errors in one line, tracebacks on demand, help at once."""

import resource
import subprocess
import sys

import pytest

COMMANDS = [
    [],
    ["check"],
    ["demo"],
    ["outbox", "show"],
    ["plan"],
    ["reference"],
    ["reference", "build"],
    ["reference", "show"],
    ["replay"],
    ["run"],
    ["signals"],
    ["status"],
]

NETWORK = {"botocore", "datadog_api_client", "elasticsearch", "grpc", "opensearchpy", "opentelemetry.sdk", "urllib3"}
HEAVY = NETWORK | {"google", "numpy", "opentelemetry", "pyarrow", "rich", "scipy"}


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_answers_at_once(words):
    spent = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([sys.executable, "-m", "mlvitals", *words, "--help"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert done.stdout.startswith(b"Usage: mlvitals")
        if min(spent) < 0.3:
            break
    assert min(spent) < 0.3


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_needs_no_arrays(words):
    script = (
        "import sys; from mlvitals.cli import main\n"
        f"try: main({[*words, '--help']!r})\n"
        "except SystemExit: pass\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stderr.decode().strip() == "[]"


def test_a_configuration_that_stays_on_this_machine_loads_nothing_of_the_network(tmp_path):
    config = tmp_path / "mlvitals.yaml"
    config.write_text(
        "models: [{name: fraud, operating: {first: 1d}}]\n"
        "sources: [{type: file, path: events.jsonl}]\n"
        "sinks: [{type: local}, {type: stdout}]\n",
        encoding="utf-8",
    )
    script = (
        "import sys; from pathlib import Path; from mlvitals.config import load\n"
        f"assert len(load(Path({str(config)!r}), {{}}).sinks) == 2\n"
        f"print(sorted({NETWORK!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stderr.decode().strip() == "[]"


def test_help_tells_every_command(process):
    told = process("--help").out
    assert all(words[0] in told for words in COMMANDS if words)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["run", "-c", "none.yaml"], "mlvitals: none.yaml: No such file or directory"),
        (["nothing"], "mlvitals: No such command 'nothing'. (mlvitals --help)"),
        (["run", "--again"], "mlvitals run: No such option '--again'. (mlvitals run --help)"),
        (
            ["run", "--until", "2026-03-01"],
            (
                "mlvitals run: Invalid value for '--until': `2026-03-01` names no zone: end it with Z or an offset "
                "(mlvitals run --help)"
            ),
        ),
        (
            ["run", "--once", "--patience", "soon"],
            (
                "mlvitals run: Invalid value for '--patience': `soon` is not a duration: write a whole number and "
                "one of ms, s, m, h, d, w, like `7d` (mlvitals run --help)"
            ),
        ),
    ],
)
def test_wrong_usage_is_answered_in_one_line_with_2(mlvitals, words, line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = mlvitals(*words)
    told = answer.err.replace("option: --again", "option '--again'.")  # click 8.1 spells it so
    assert (answer.code, answer.out, told) == (2, "", line + "\n")


def test_a_wrong_key_is_answered_with_its_path(world, process):
    world.configure(model={"windows": {"sight": "1m"}})
    answer = process("check", "-c", world.config)
    assert answer.code == 2
    assert answer.err == f"mlvitals: {world.config}: Object contains unknown field `sight` - at `$.models[0].windows`\n"


@pytest.mark.parametrize("words", [["--debug", "signals", "-c"], ["signals", "--debug", "-c"]], ids=["before", "after"])
def test_debug_shows_where_an_error_comes_from(mlvitals, tmp_path, words):
    answer = mlvitals(*words, tmp_path / "none.yaml")
    assert answer.code == 2
    assert answer.err.startswith("Traceback (most recent call last):")
    assert answer.err.endswith(f"mlvitals: {tmp_path / 'none.yaml'}: No such file or directory\n")


def test_what_cannot_be_read_is_answered_with_3(world, mlvitals):
    (world.folder / "model.reference").write_bytes(b"nothing of the kind")
    answer = mlvitals("run", "-c", world.config, "--once")
    reference = world.folder / "model.reference"
    assert answer.code == 3
    assert answer.err == f"mlvitals: {reference} is not a reference file: build one with `mlvitals reference build`\n"


def test_a_state_that_is_no_database_is_answered_with_3(world, mlvitals):
    state = world.folder / "state" / "state.db"
    state.parent.mkdir()
    state.write_bytes(b"nothing of the kind" * 100)
    for words in (["run", "--once"], ["status"], ["signals"]):
        answer = mlvitals(*words, "-c", world.config)
        assert answer.code == 3
        assert answer.err == f"mlvitals: {state} is not a usable state database: file is not a database\n"


def test_a_folder_that_cannot_be_written_is_answered_with_3(world, mlvitals):
    answer = mlvitals(
        "reference", "build", "-c", world.config, "--data", world.folder / "rows.jsonl", "-o", "/proc/x/y"
    )
    assert answer.code == 3
    assert answer.err.count("\n") == 1
    assert "Traceback" not in answer.err


def test_no_state_yet_is_told(world, mlvitals):
    for words in (["status"], ["signals"]):
        answer = mlvitals(*words, "-c", world.config)
        assert answer.code == 3
        assert "there is no state yet; `mlvitals run` makes it" in answer.err
