"""What holds for the tree as a whole."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
PACKAGES = [path for path in SOURCES if path.name == "__init__.py"]
LINES_AT_MOST = 350

MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
TARGETS = re.findall(r"^([a-z]+):.*##", MAKEFILE, re.MULTILINE)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def identity(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("package", PACKAGES, ids=identity)
def test_every_package_says_in_a_sentence_what_it_is_for(package):
    says = ast.get_docstring(ast.parse(package.read_text("utf-8"))) or ""
    assert len(says.split()) >= 4, f"`{says}` is no sentence"


@pytest.mark.parametrize("source", SOURCES, ids=identity)
def test_no_file_is_longer_than_one_idea(source):
    assert len(source.read_text("utf-8").splitlines()) <= LINES_AT_MOST


def test_every_target_of_the_makefile_is_described_to_contributors():
    assert set(TARGETS) >= {"help", "demo", "test", "check", "integration", "soak", "bench", "lock"}
    assert [target for target in TARGETS if f"| `make {target}` |" not in CONTRIBUTING] == []


def test_every_target_that_is_described_to_contributors_exists():
    described = set(re.findall(r"`make ([a-z]+)", CONTRIBUTING))
    assert described - set(TARGETS) == set()


def test_check_holds_the_direction_of_imports():
    recipe = re.search(r"^check:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert recipe is not None
    for tool in ("ruff check", "ruff format --check", "mypy", "lint-imports"):
        assert f"$(BIN)/{tool}\n" in recipe[1]


def test_the_map_of_imports_leaves_no_room_out():
    [contract] = PROJECT["tool"]["importlinter"]["contracts"]
    assert (contract["type"], contract["containers"], contract["exhaustive"]) == ("layers", ["mlvitals"], True)


def test_ci_runs_what_a_push_must_pass():
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "set -euo pipefail" in script
    assert script.index("make test") < script.index("make integration")


def locked(name):
    """The entries of a locked list: `name==version ; marker`, with their hashes."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return re.split(r"\n(?=\S)", "\n".join(lines))


def packages(requirements):
    return {re.split(r"[^A-Za-z0-9-]", requirement)[0].lower() for requirement in requirements}


@pytest.mark.parametrize("name", ["dev", "run"])
def test_every_locked_package_has_an_exact_version_and_hashes(name):
    pinned = re.compile(r"[a-z0-9-]+==[^ ]+( ; [^\\]+)? \\(\n    --hash=sha256:[0-9a-f]{64}( \\)?)+")
    assert [entry for entry in locked(name) if not pinned.fullmatch(entry)] == []


def test_the_locked_lists_hold_what_the_project_asks_for():
    groups = PROJECT["dependency-groups"]
    runs = packages(PROJECT["project"]["dependencies"] + groups["build"])
    assert runs - packages(locked("run")) == set()
    assert (runs | packages(groups["dev"])) - packages(locked("dev")) == set()


def test_what_runs_is_what_is_tested():
    assert set(locked("run")) < set(locked("dev"))


def test_the_shipped_example_is_small_and_states_its_licence():
    example = ROOT / "examples" / "kc_house"
    assert "CC0 1.0" in (example / "README.md").read_text("utf-8")
    shipped = ("README.md", "mlvitals.yaml", "events.jsonl.gz", "labels.jsonl.gz", "reference.parquet")
    assert sum((example / name).stat().st_size for name in shipped) < 2_000_000
    assert yaml.safe_load((example / "mlvitals.yaml").read_text("utf-8"))["models"][0]["name"] == "house-price"


def test_every_decision_record_has_its_four_parts():
    records = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [record.name[:4] for record in records] == [f"{number:04}" for number in range(1, len(records) + 1)]
    for record in records:
        text = record.read_text("utf-8")
        assert text.startswith(f"# {record.name[:4]} ")
        parts = re.findall(r"^## (.*)$", text, re.MULTILINE)
        assert parts == ["Context", "Decision", "Consequences", "Measured"], record.name
