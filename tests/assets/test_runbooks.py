"""Whoever is woken finds a section: of each monitor and each detector that pages, and of nothing else."""

import re

import click
import pytest

from mlvitals.assets.monitors import MONITORS, Bar, Comparator, Monitor, Severity
from mlvitals.assets.query import Query
from mlvitals.assets.runbooks import part_of, render_facts, update_document
from mlvitals.cli.main import cli
from mlvitals.decisions.finding import Detector, Source
from mlvitals.signals.registry import REGISTRY
from mlvitals.telemetry.links import RUNBOOKS, Links

each = pytest.mark.parametrize("monitor", MONITORS, ids=lambda monitor: monitor.name)
SILENCING = "How to silence"


@pytest.fixture(scope="module")
def document(repository):
    return (repository / RUNBOOKS).read_text(encoding="utf-8")


def sections(document):
    """The text under each heading of the second level."""
    _, *parts = re.split(r"^## (.*)\n", document, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def anchor(heading):
    """A heading's anchor, as GitHub and Sphinx make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_each_monitor_has_its_section_and_nothing_else_has(document):
    names = [anchor(heading) for heading in sections(document)]
    assert names == [anchor(SILENCING), *(monitor.name for monitor in MONITORS)]


def test_what_is_rendered_is_up_to_date(document):
    assert update_document(document) == document


@each
def test_a_section_holds_its_facts_and_what_a_person_must_know_beside_them(document, monitor: Monitor):
    section = sections(document)[f"`{monitor.name}`"]
    part = part_of(monitor)
    assert part.begin in section
    assert part.end in section
    by_hand = section.partition(part.end)[2]
    told = re.findall(r"^\*\*(What to know|Likely causes|What to do|To silence it)\b", by_hand, re.MULTILINE)
    assert told == ["What to know", "Likely causes", "What to do", "To silence it"]


@each
def test_the_facts_are_those_of_the_monitor(monitor: Monitor):
    facts = render_facts(monitor)
    assert f"`{monitor.query.metric}`" in facts
    assert monitor.means in facts
    assert ("wakes a person |" in facts) is (monitor.severity is Severity.PAGE)
    assert all(step in facts for step in monitor.do)


@pytest.mark.parametrize(
    ("metric", "fires", "says"),
    [
        (
            "label.orphan.ratio",
            Bar(comparator=Comparator.AT_LEAST, value=0.2, recovery=0.1),
            "at 20 % or more, at once",
        ),
        ("label.orphan.ratio", Bar(comparator=Comparator.AT_LEAST, value=0.2, recovery=0.1), "over | below 10 % |"),
        (
            "pipeline.loop.age",
            Bar(comparator=Comparator.ABOVE, value=600.0, recovery=90.0),
            "above 10 minutes, at once",
        ),
        ("pipeline.loop.age", Bar(comparator=Comparator.ABOVE, value=600.0, recovery=90.0), "at 90 seconds or less"),
        ("pipeline.loop.age", Bar(comparator=Comparator.ABOVE, value=0.0, recovery=0.0, lasting=60), "0, for 1 minute"),
    ],
)
def test_bars_are_told_in_the_unit_of_their_metric(metric, fires, says):
    asked = next(one for one in MONITORS if one.query.metric == f"mlvitals.{metric}")
    monitor = Monitor(
        name="x",
        title="X",
        severity=Severity.WARN,
        cadence=asked.cadence,
        query=Query(metric=asked.query.metric, by=asked.query.by),
        fires=fires,
        says="x",
        means="X.",
        do=("X.",),
    )
    assert says in render_facts(monitor)


def test_the_page_of_every_detector_leads_to_a_section_of_its_own(document):
    headings = re.findall(r"^### (.*)$", sections(document)["`page`"], re.MULTILINE)
    linked = [Links().runbook_of(Source("m", "", detector, "")) for detector in Detector]
    assert [f"{RUNBOOKS}#{anchor(heading)}" for heading in headings] == linked
    assert document.count("\n### ") == len(headings)


def test_every_command_and_every_signal_that_is_named_exists(document):
    told = re.findall(r"`mlvitals ((?:[a-z]+ ?)+)([^`]*)`", document)
    assert len(told) > 30
    for words, rest in told:
        command: click.Command = cli
        for word in words.split():
            if isinstance(command, click.Group):
                found = command.get_command(click.Context(command), word)
                assert found is not None, words
                command = found
        known = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"(?<![\w-])--?[a-z]+", rest)) <= known, (words, rest)
    events = {"mlvitals.page.joined"}
    assert set(re.findall(r"`(mlvitals\.[a-z_.]+)`", document)) - events <= set(REGISTRY)
