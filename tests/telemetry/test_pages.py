"""What a page says: what moved, since when, how far, on what evidence, and who is concerned."""

from contextlib import closing
from dataclasses import asdict, replace
from math import inf

import pytest

from mlvitals.clock import DAY, HOUR
from mlvitals.decisions.episode import Happening, Harm, Quiet, What
from mlvitals.decisions.finding import Detector, Source
from mlvitals.decisions.words import Kind, Word
from mlvitals.telemetry import Links, Service, Severity, page_record
from mlvitals.telemetry.pages import AUDIT, PAGE, PAGE_CLOSED, PAGE_JOINED, PAGE_SILENCED, moved
from tests.decisions.incidents import NOON, Told, fresh

SERVICE = Service(
    name="fraud-monitoring", environment="prod", owner="risk", model_tags={"team": "a"}, log_tags={"x": "b"}
)


@pytest.fixture
def told():
    with closing(fresh()) as connection:
        yield Told(connection)


def record(happenings):
    (happening,) = happenings
    return page_record(happening, SERVICE)


def test_a_page_reads_as_a_sentence_and_holds_what_it_rests_on(told):
    page = record(told.take("m", 4, ["terminal_a"]))
    assert (page.event_name, page.severity, page.time) == (PAGE, Severity.ERROR, NOON + 5 * HOUR)
    assert page.attributes == {"environment": "prod", "model": "m", "owner": "risk"}
    assert page.tags == {"team": "a", "x": "b"}
    name = page.body["episode"]
    assert page.body["text"] == (
        "feature terminal_a of m moved since 2026-03-01T14:00:00Z: location +0.4 sd (95 %: +0.3 to +0.5); "
        "evidence 10^5.0, pages from 10^4.5; group terminal_view of platform, made from terminals; "
        f"episode {name}"
    )
    assert (
        page.body.items()
        >= {
            "leads": "m",
            "detector": "feature",
            "subject": "terminal_a",
            "component": "location",
            "onset": "2026-03-01T14:00:00Z",
            "window_start": "2026-03-01T16:00:00Z",
            "window_end": "2026-03-01T17:00:00Z",
            "effect": 0.4,
            "lower": 0.3,
            "upper": 0.5,
            "unit": "{sd}",
            "evidence": 5.0,
            "bar": 4.5,
            "group": "terminal_view",
            "group_owner": "platform",
            "upstream": "terminals",
        }.items()
    )


def test_what_joins_names_the_episode_and_who_opened_it(told):
    page = record(told.take("m", 4, ["terminal_a"]))
    joined = record(told.take("n", 4, ["shop_a"]))
    assert (joined.event_name, joined.severity) == (PAGE_JOINED, Severity.WARN)
    assert joined.attributes["model"] == "n"
    assert (joined.body["episode"], joined.body["leads"], joined.body["others"]) == (page.body["episode"], "m", ["m"])
    assert joined.body["text"].endswith(f"part of episode {page.body['episode']}, which feature terminal_a of m opened")


def test_an_episode_that_is_over_tells_how_and_who_was_part_of_it(told):
    told.take("m", 4, ["terminal_a"])
    told.take("n", 4, ["terminal_a"])
    told.take("m", 8, over=["terminal_a"])
    closed = record(told.take("n", 9, over=["terminal_a"]))
    assert (closed.event_name, closed.severity, closed.time) == (PAGE_CLOSED, Severity.INFO, NOON + 10 * HOUR)
    assert (closed.body["ending"], closed.body["until"]) == ("recovered", "2026-03-01T22:00:00Z")
    assert closed.body["text"] == (
        f"episode {closed.body['episode']} is over (recovered); "
        "feature terminal_a of m moved since 2026-03-01T14:00:00Z; 2 findings in all; with feature terminal_a of n"
    )


def test_a_persons_word_is_told_with_who_and_why_and_what_it_ends(told):
    told.take("m", 4, ["amount"])
    audit, closed = (page_record(one, SERVICE) for one in told.say(Kind.ACCEPT, model="m", until=NOON + DAY))
    assert (audit.event_name, audit.severity, audit.time) == (AUDIT, Severity.INFO, NOON)
    assert audit.body["text"] == "ann: accept m until 2026-03-02T12:00:00Z: known"
    assert audit.body["word"] == {
        "kind": "accept",
        "time": "2026-03-01T12:00:00Z",
        "user": "ann",
        "reason": "known",
        "model": "m",
        "until": "2026-03-02T12:00:00Z",
    }
    assert "is over (accepted by ann: known)" in closed.body["text"]


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ({"kind": Kind.MUTE, "detector": "volume", "until": NOON}, "mute m volume until 2026-03-01T12:00:00Z"),
        ({"kind": Kind.REBASE, "feature": "amount"}, "accept m amount as the new normal"),
        ({"kind": Kind.UNMUTE, "ends": 3}, "end of word 3"),
        ({"kind": Kind.VERDICT, "episode": "abc", "verdict": "false"}, "the page of episode abc was false"),
    ],
)
def test_every_word_reads_as_what_was_said(word, text):
    said = Word(time=NOON, user="ann", reason="so be it", model="m", **word)
    audit = page_record(Happening(what=What.SAID, model="m", time=NOON, word=said), SERVICE)
    assert audit.body["text"] == f"ann: {text}: so be it"


def test_what_does_not_page_says_why(told):
    told.say(Kind.MUTE, model="m", until=NOON + DAY)
    muted = record(told.take("m", 4, ["amount"]))
    assert (muted.event_name, muted.severity) == (PAGE_SILENCED, Severity.WARN)
    assert muted.body["text"].endswith("does not page: mute m until 2026-03-02T12:00:00Z, by ann: known")
    quiet = Quiet(start=NOON, end=NOON + HOUR, text="deploy 4.2")
    after = record(told.take("n", 4, ["amount"], since=0, quiets=[quiet]))
    assert after.body["text"].endswith("does not page: it began soon after a change (deploy 4.2)")
    assert after.body["change"] == {"text": "deploy 4.2", "quiet_until": "2026-03-01T13:00:00Z"}


def test_what_pages_again_says_so_and_who_else_is_part_of_it(told):
    told.take("m", 4, ["amount", "hour"])
    told.say(Kind.MUTE, model="m", until=NOON + 8 * HOUR)
    again = record(told.take("m", 8))
    assert (again.event_name, again.severity) == (PAGE, Severity.ERROR)
    assert "pages again: what was muted is over" in again.body["text"]
    assert again.body["text"].endswith("with feature hour of m")


def test_of_many_only_the_first_are_named(told):
    told.take("m", 4, [f"f{number}" for number in range(50)])
    over = [f"f{number}" for number in range(50)]
    closed = record(told.take("m", 5, over=over))
    assert closed.body["findings"] == 50
    assert closed.body["text"].endswith("feature f5 of m and more (50 in all)")
    assert len(closed.body["parts"]) == 20


@pytest.mark.parametrize("detector", Detector)
def test_every_detector_is_named_in_words(detector):
    words = moved(Source("m", "7", detector, "d7"))
    assert "m" in words
    assert words.endswith("(version 7)")
    assert "{" not in words


def test_what_has_no_end_is_told_in_words_and_not_as_a_number(told):
    found = told.finding("m", 4, "amount")
    endless = replace(found, upper=inf)
    happening = Happening(what=What.SILENCED, model="m", time=NOON, finding=endless)
    body = page_record(happening, SERVICE).body
    assert "upper" not in body
    assert "+inf" in body["text"]


def test_a_page_names_the_features_that_moved_and_says_which_are_no_part_of_it(told):
    (happening,) = told.take("m", 4, ["amount"])
    names = [f"f{number}" for number in range(6)]
    page = page_record(replace(happening, moved=("amount", *names)), SERVICE)
    assert page.body["moved"] == ["amount", *names]
    assert page.body["text"].endswith("; moved too: f0, f1, f2, f3, f4 and 1 more")
    alone = page_record(replace(happening, moved=("amount",)), SERVICE).body
    assert alone["moved"] == ["amount"]
    assert "moved too" not in alone["text"]
    assert "moved" not in page_record(happening, SERVICE).body
    many = page_record(replace(happening, moved=tuple(f"f{number}" for number in range(1000))), SERVICE).body
    assert len(many["moved"]) == 100
    assert many["text"].endswith(" and 995 more")


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (Harm(currency="USD", per_day=1284.4, usual=142.0), "expected to cost 1,284 USD a day, usually 142;"),
        (Harm(currency="EUR", per_day=97.6, coverage=0.31), "known mistakes cost 98 EUR a day (31 % labelled);"),
    ],
)
def test_a_page_says_what_the_incident_costs_a_day(told, harm, words):
    (happening,) = told.take("m", 4, ["amount"])
    page = page_record(replace(happening, harm=harm), SERVICE)
    assert words in page.body["text"]
    assert page.body["harm"] == {name: value for name, value in asdict(harm).items() if value is not None}
    assert "harm" not in page_record(happening, SERVICE).body


def test_a_page_leads_to_the_rows_since_its_onset_and_to_what_is_to_be_done(told):
    links = Links(
        rows="https://a.example/?m={model}&s={start}&e={end}&f={filter}", runbook="https://b.example/{signal}"
    )
    service = replace(SERVICE, links=links)
    (opened,) = told.take("m", 4, ["terminal_a"])
    assert page_record(opened, service).body["links"] == {
        "rows": "https://a.example/?m=m&s=2026-03-01T14%3A00%3A00Z&e=2026-03-01T17%3A00%3A00Z&f=terminal_a",
        "runbook": "https://b.example/mlvitals.feature.drift.evidence",
    }
    (joined,) = told.take("n", 5, ["shop_a"], since=4)
    assert page_record(joined, service).body["links"]["rows"] == (
        "https://a.example/?m=n&s=2026-03-01T14%3A00%3A00Z&e=2026-03-01T18%3A00%3A00Z&f=shop_a"
    )
    told.take("n", 6, over=["shop_a"])
    (closed,) = told.take("m", 8, over=["terminal_a"])
    assert page_record(closed, service).body["links"]["rows"].endswith("&e=2026-03-01T21%3A00%3A00Z&f=terminal_a")


def test_a_page_without_links_of_the_team_leads_to_our_runbook_and_a_persons_word_nowhere(told):
    (opened,) = told.take("m", 4, [""], detector=Detector.VOLUME)
    assert page_record(opened, SERVICE).body["links"] == {"runbook": "docs/runbooks.md#page-of-volume"}
    audit, *_ = told.say(Kind.MUTE, model="m", until=NOON + DAY)
    assert audit.what is What.SAID
    assert "links" not in page_record(audit, SERVICE).body
