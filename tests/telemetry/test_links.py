"""A link is a URL whatever the names in it hold, leads nowhere else, and is refused while it is written."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.clock import HOUR, parse_time
from mlvitals.decisions.finding import Detector, Source
from mlvitals.signals.evidence import SIGNAL_OF_DETECTOR
from mlvitals.signals.registry import REGISTRY
from mlvitals.telemetry import Links

NOON = parse_time("2026-03-01T12:00:00Z")
FEATURE = Source("card-fraud", "", Detector.FEATURE, "terminal_risk")
INTERFACE = "https://logs.example/search?query=model:{model} @timestamp:[{start} TO {end}] {filter}"


def rows(template, source=FEATURE):
    return Links(rows=template).rows_of(source, NOON, NOON + HOUR)


def test_rows_are_those_of_the_model_from_onset_to_now_with_the_feature_as_filter():
    assert parse_qs(urlsplit(rows(INTERFACE)).query) == {
        "query": ["model:card-fraud @timestamp:[2026-03-01T12:00:00Z TO 2026-03-01T13:00:00Z] terminal_risk"]
    }
    assert rows("https://app.example/logs?from_ts={start_ms}&to_ts={end_ms}#a") == (
        "https://app.example/logs?from_ts=1772366400000&to_ts=1772370000000#a"
    )


@pytest.mark.parametrize("detector", [one for one in Detector if one is not Detector.FEATURE])
def test_what_is_of_no_feature_has_no_filter(detector):
    assert rows("https://a.example/?q={filter}", Source("m", "7", detector, "d7")) == "https://a.example/?q="


def test_what_was_written_stays_as_it_was_meant():
    assert rows("http://[::1]:5601/app?_g=(a:'b')&c=%7B1%7D&d={{x}}&e=[1]&f=5%&g=ä") == (
        "http://[::1]:5601/app?_g=(a:'b')&c=%7B1%7D&d=%7Bx%7D&e=%5B1%5D&f=5%25&g=%C3%A4"
    )
    assert rows("https://a.example") == "https://a.example"


@given(st.text(min_size=1), st.text())
def test_a_name_is_one_part_of_a_link_whatever_it_holds(model, feature):
    found = rows("https://a.example/{model}?q={filter}&z=1", Source(model, "", Detector.FEATURE, feature))
    address = urlsplit(found)
    assert (address.scheme, address.netloc, address.fragment) == ("https", "a.example", "")
    assert address.path.count("/") == 1
    assert address.query.count("&") == address.query.count("z=") == 1
    assert found.isascii()
    assert found.isprintable()
    assert parse_qs(address.query, keep_blank_values=True, errors="surrogatepass")["q"] == [feature]


def test_without_a_runbook_of_their_own_each_detector_has_its_section_in_ours():
    for detector in Detector:
        assert Links().runbook_of(Source("m", "", detector, "")) == f"docs/runbooks.md#page-of-{detector}"


def test_a_runbook_of_their_own_is_found_by_the_signal_of_the_detector():
    mine = Links(runbook="https://wiki.example/{signal}?by={detector}&m={model}")
    assert mine.runbook_of(FEATURE) == ("https://wiki.example/mlvitals.feature.drift.evidence?by=feature&m=card-fraud")


def test_every_detector_has_a_signal_that_is_registered():
    assert set(SIGNAL_OF_DETECTOR) == set(Detector)
    assert set(SIGNAL_OF_DETECTOR.values()) <= set(REGISTRY)


@pytest.mark.parametrize(
    ("links", "message"),
    [
        ({"rows": "https://a.example/{modle}"}, "`rows` may name `{model}`, `{start}`, .* and nothing else in braces"),
        ({"rows": "https://a.example/{signal}"}, "`rows` may name"),
        ({"rows": "https://a.example/{}"}, "`rows` may name"),
        ({"rows": "https://a.example/{model!r}"}, "`rows` may name"),
        ({"rows": "https://a.example/{start:>40}"}, "`rows` may name"),
        ({"rows": "https://a.example/{model.__class__}"}, "`rows` may name"),
        ({"runbook": "https://a.example/{filter}"}, "`runbook` may name `{model}`, `{signal}`, `{detector}`,"),
        ({"rows": "https://a.example/{model"}, "a literal one is written twice"),
        ({"rows": "https://a.example/}"}, "a literal one is written twice"),
        ({"rows": "javascript:alert(1)//{model}"}, "must begin with https://"),
        ({"rows": " https://a.example"}, "must begin with https://"),
        ({"rows": "https:///{model}"}, "must begin with https://"),
        ({"rows": "https://{model}.example/"}, "no braces"),
        ({"rows": "https://a.example{model}"}, "no braces"),
        ({"rows": "https://ann:hush@a.example/"}, "no name, no password"),
        ({"rows": "https://a.example\\@b.example/"}, "must begin with https://"),
        ({"rows": ""}, "must begin with https://"),
        ({"runbook": "https://a.example/\u202e"}, "cannot be seen"),
        ({"runbook": "https://a.example/\n"}, "cannot be seen"),
    ],
)
def test_what_is_no_link_is_refused_and_not_repeated(links, message):
    with pytest.raises(ValueError, match=message) as refused:
        Links(**links)
    assert "hush" not in str(refused.value)
