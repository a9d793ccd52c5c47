"""What a user adds is checked, measured, kept, exported and shown as ours is."""

import json
import re

import pytest

SIGNAL = "acme.churn.mix.ratio"


@pytest.fixture
def extended(world, repository):
    """The world with the statistic of the documents beside its configuration."""
    text = (repository / "docs" / "plugins.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(# acme\.py\n.*?)```", text, re.DOTALL)
    (world.folder / "acme.py").write_text(example, encoding="utf-8")
    world.configure(plugins=["acme:CHURN_MIX"], sinks=[{"type": "local"}, {"type": "stdout"}])
    return world


def test_a_statistic_of_the_users_own_goes_all_the_way(extended, process):
    assert process("check", "-c", extended.config).code == 0
    ran = process("run", "-c", extended.config, "--once")
    assert ran.code == 0, ran.err
    printed = [json.loads(line) for line in ran.out.splitlines() if line.startswith("{")]
    points = [one for one in printed if one.get("name") == SIGNAL]
    assert points
    assert all(0 <= point["value"] <= 1 for point in points)
    told = process("signals", "-c", extended.config, "--signal", SIGNAL, "--format", "jsonl")
    measured = [json.loads(line) for line in told.out.splitlines()]
    assert [one["value"] for one in measured] == [point["value"] for point in points]
    assert all(one["threshold"] is not None for one in measured)
    page = extended.folder / "report.html"
    assert process("report", "-c", extended.config, "-o", page).code == 0
    assert SIGNAL in page.read_text(encoding="utf-8").partition("Are the predictions what they were")[2]


def test_a_plugin_that_breaks_is_one_line_and_with_debug_its_traceback(extended, process):
    (extended.folder / "acme.py").write_text("def make():\n    return spam\nmake()\n", encoding="utf-8")
    said = process("check", "-c", extended.config)
    assert said.code == 2
    assert re.fullmatch(
        r"mlvitals: .*mlvitals\.yaml: `acme:CHURN_MIX`: .*NameError.* - at `\$\.plugins\[0\]`\n", said.err
    )
    assert "return spam" in process("--debug", "check", "-c", extended.config).err
