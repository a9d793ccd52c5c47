"""The page for teams that migrate: its snippet runs, its methods exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from mlvitals.signals.method import CELL_METHODS, NUMBER_METHODS


@pytest.fixture(name="page")
def _page(repository: Path) -> str:
    return (repository / "docs/compat.md").read_text()


def test_the_snippet_runs_as_it_stands(page):
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    told, dataset = done.stdout.splitlines()
    assert "('plan', 'jensenshannon'" in told
    assert dataset == "True"


def test_every_method_that_replaces_one_is_ours(page):
    ours = {method.name for method in (*CELL_METHODS, *NUMBER_METHODS)}
    named = re.findall(r"methods? ((?:`\w+`(?:, )?)+)", page)
    assert named
    assert {name for names in named for name in re.findall(r"\w+", names)} <= ours
