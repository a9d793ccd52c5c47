"""A quarter: which pages it counts, what it says of them, and who is told not to be watched."""

import json
from contextlib import contextmanager

import msgspec
import pytest

from mlvitals.app.pipeline import MIGRATIONS
from mlvitals.clock import DAY, HOUR, parse_time
from mlvitals.config import load
from mlvitals.config.links import LinksConfig
from mlvitals.decisions.episode import Harm
from mlvitals.decisions.episode_rows import keep_harm
from mlvitals.decisions.paging_rate import Period
from mlvitals.decisions.words import Kind
from mlvitals.engines.account import Account
from mlvitals.events import Disposition
from mlvitals.report.calendar import parse_quarter
from mlvitals.report.quarter import read_quarter
from mlvitals.report.quarter_page import make_quarter_page
from mlvitals.report.quarter_words import leads
from mlvitals.state import Store
from tests.decisions.incidents import NOON, Told
from tests.report.test_page import section

APRIL = parse_time("2026-04-01T00:00:00Z")
FIRST = parse_quarter("2026Q1")
HOSTILE = "</style><script>alert(1)</script>\u202e"


@pytest.fixture
def config(tmp_path):
    document = {
        "models": [{"name": name, "operating": {"path": "x.reference"}} for name in ("m", "n", "idle")],
        "sources": [{"type": "file", "path": "events.jsonl"}],
        "sinks": [{"type": "local"}],
        "state": {"path": "state.db"},
    }
    (tmp_path / "mlvitals.yaml").write_text(json.dumps(document), encoding="utf-8")
    return load(tmp_path / "mlvitals.yaml", {})


class Months:
    """A state in which models ran from the first of March to the twentieth of April."""

    def __init__(self, config):
        self.config = config
        self.harms = {}
        with self.writing() as told:
            told.take("m", 0)
            told.take("m", 24 * 50)

    @contextmanager
    def writing(self):
        with Store.open(self.config.state.path, MIGRATIONS) as store, store.transaction() as connection:
            yield Told(connection)

    def page(self, window, over, verdict=None, harm=None, *, model="m", since=None):
        """Let an incident page at a window and be over at another; say whether it was true, and what it cost."""
        with self.writing() as told:
            (opened,) = told.take(model, window, [f"f{window}"], since=since)
            if harm is not None:
                keep_harm(told.connection, opened.episode.id, harm)
            told.take(model, over, over=[f"f{window}"])
            if verdict is not None:
                told.say(Kind.VERDICT, model=model, episode=opened.episode.id, verdict=verdict)

    def count(self, model, event, disposition, rows):
        account = Account()
        account.add("events", event, model, disposition, rows)
        with self.writing() as told:
            account.flush(told.connection)

    def quarter(self, period=None):
        with Store.open_read_only(self.config.state.path) as store:
            return read_quarter(store, self.config, period)

    def said(self, period=None):
        return " ".join(leads(self.quarter(period)))


@pytest.fixture
def months(config):
    return Months(config)


def hours(days):
    return int(24 * days)


def test_a_page_counts_in_the_quarter_in_which_its_window_ends(months):
    last = (APRIL - NOON) // HOUR - 1  # its window ends with March
    months.page(last, last + 1)
    months.page(last + hours(5), last + hours(6))
    assert [one.episode.opened for one in months.quarter(FIRST).incidents] == [APRIL]
    second = months.quarter(parse_quarter("2026Q2"))
    assert [one.episode.opened for one in second.incidents] == [APRIL + 5 * DAY]
    assert [months.quarter(one).rate.pages for one in (FIRST, second.period)] == [1, 1]
    assert second.rate.weeks == pytest.approx(19.5 / 7, abs=0.01)
    assert not second.is_over
    assert months.quarter().period == FIRST


def test_verdicts_tell_true_pages_from_false_ones_and_false_ones_have_nothing_at_stake(months):
    harm = Harm(currency="EUR", per_day=124.0, usual=24.0)
    months.page(hours(2), hours(4), "true", harm)
    months.page(hours(8), hours(9), "false", harm)
    months.page(hours(12), hours(13), None, harm)
    found = months.quarter(FIRST)
    assert (found.rate.true, found.rate.false, found.rate.unjudged) == (1, 1, 1)
    said = months.said(FIRST)
    assert "3 pages: 1 true, 1 false, 1 that nobody has judged." in said
    assert "Money protected, of true pages: at most 200 EUR" in said
    assert "Money protected, of pages that nobody has judged: at most 100 EUR" in said
    assert "of 2 pages not judged false" in said
    assert not found.unpriced()


def test_an_interval_beyond_the_budget_says_that_the_promise_was_not_kept(months):
    for day in range(2, 18, 2):
        months.page(hours(day), hours(day) + 1, "false")
    assert "The promise is not kept." in months.said(FIRST)
    fewer = Period(NOON, NOON + 3 * DAY)
    assert "too little was watched, or judged, to prove it" in months.said(fewer)


def test_a_page_whose_cost_is_not_known_is_counted_and_not_priced(months):
    months.page(hours(2), hours(4), "true")
    months.page(hours(8), hours(9), "true", Harm(currency="EUR", per_day=50.0, coverage=0.25))
    said = months.said(FIRST)
    assert "Money protected" not in said
    assert "Of 2 pages it is not known what was at stake." in said
    assert "50 EUR a day, all known mistakes (25 % labelled)" in make_quarter_page(
        months.quarter(FIRST), months.config, now=NOON
    )


def test_detection_is_told_by_its_median_and_its_longest(months):
    for days, since in ((5, 4.0), (12, 9.0), (25, 15.0)):
        months.page(hours(days), hours(days) + 1, since=hours(since))
    assert "From onset to page it took 3.04 days in the median, 10 days at the longest" in months.said(FIRST)


def test_models_without_labels_and_models_that_nobody_watches_are_named(months):
    for model, event, rows in (("m", "prediction", 9), ("m", "label", 2), ("n", "prediction", 5)):
        months.count(model, event, Disposition.ACCEPTED, rows)
    months.count("shadow", "prediction", Disposition.UNKNOWN_MODEL, 7)
    months.count("n", "label", Disposition.ORPHAN, 3)
    said = months.said(FIRST)
    assert "No label was ever joined of 1 model (n)" in said
    assert "Not watched: 1 model (shadow), with 7 predictions" in said
    assert "Configured, and never served: 1 model (idle)." in said
    months.count("n", "label", Disposition.ACCEPTED, 1)
    assert "Every model that serves has labels." in months.said(FIRST)


def test_the_page_says_what_the_terminal_says_and_nothing_in_it_runs(months):
    months.page(hours(2), hours(4), "true", Harm(currency=HOSTILE, per_day=124.0, usual=24.0), model=HOSTILE)
    months.count(HOSTILE, "prediction", Disposition.UNKNOWN_MODEL, 7)
    html = make_quarter_page(months.quarter(FIRST), months.config, now=NOON)
    assert html == make_quarter_page(months.quarter(FIRST), months.config, now=NOON)
    assert "<script" not in html
    assert "\u202e" not in html
    assert "script-src &#39;none&#39;".replace("&#39;", "'") in html.replace("&#39;", "'")
    assert section(html, "summary").count("<li>") == 4 + len([*leads(months.quarter(FIRST))])
    assert "Made 2026-03-01 12:00 UTC" in html


def test_the_page_leads_to_the_rows_and_the_runbook_of_each_page_where_the_team_has_them(months):
    months.page(hours(2), hours(4))
    bare = make_quarter_page(months.quarter(FIRST), months.config, now=NOON)
    assert "<a href" not in section(bare, "pages")
    links = LinksConfig(
        rows="https://a.example/?m={model}&s={start}&f={filter}", runbook="https://b.example/{detector}"
    )
    models = tuple(msgspec.structs.replace(one, links=links) for one in months.config.models)
    config = msgspec.structs.replace(months.config, models=models)
    html = section(make_quarter_page(months.quarter(FIRST), config, now=NOON), "pages")
    rows = "https://a.example/?m=m&amp;s=2026-03-03T10%3A00%3A00Z&amp;f=f48"
    assert f'<a href="{rows}" rel="noreferrer">rows</a>' in html
    assert '<a href="https://b.example/feature" rel="noreferrer">runbook</a>' in html


def test_a_quarter_without_a_page_says_so(months):
    assert "0 pages: 0 true" in months.said(FIRST)
    assert "Nobody was woken." in make_quarter_page(months.quarter(FIRST), months.config, now=NOON)
    assert "Promised" not in months.said(parse_quarter("2020Q1"))
