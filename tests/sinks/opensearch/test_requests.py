"""Bodies of `_bulk`: bounded, and always the same lines, however they are cut."""

from hypothesis import given
from hypothesis import strategies as st

from mlvitals.clock import SECOND, format_time
from mlvitals.delivery import Request
from mlvitals.sinks.opensearch.documents import Document
from mlvitals.sinks.opensearch.requests import BODY_BYTES, ITEMS, bundle, identities, pick, split
from mlvitals.sinks.packing import pack, unpack

STAMPS = st.lists(st.integers(-1_000_000, 4_000_000_000), min_size=1, max_size=30)


def document(number: int, stamp: int, padding: str = "") -> Document:
    source = f'{{"@timestamp":"{format_time(stamp * SECOND)}","text":"ü\\n{padding}","number":{number}}}'
    return Document(f'{{"index":{{"_id":"{number}"}}}}'.encode(), source.encode(), stamp * SECOND)


def made(stamps):
    [request] = bundle("metrics", [document(number, stamp) for number, stamp in enumerate(stamps)])
    return request


@given(STAMPS)
def test_halves_are_the_lines_of_the_whole_with_their_own_stamps(stamps):
    request = made(stamps)
    halves = split(request)
    assert (len(stamps) < 2) == (halves == [])
    if halves:
        assert b"".join(unpack(half.body) for half in halves) == unpack(request.body)
        assert [half.items for half in halves] == [len(stamps) // 2, len(stamps) - len(stamps) // 2]
        middle = len(stamps) // 2
        assert halves == [made_of(request, stamps, range(middle)), made_of(request, stamps, range(middle, len(stamps)))]


def made_of(request, stamps, places):
    lines = unpack(request.body).split(b"\n")
    body = b"".join(line + b"\n" for place in places for line in lines[2 * place : 2 * place + 2])
    times = [stamps[place] * SECOND for place in places]
    return Request(route="metrics", body=pack(body, "gzip"), items=len(times), first=min(times), last=max(times))


@given(STAMPS, st.data())
def test_what_is_picked_is_the_lines_of_these_items_in_their_order(stamps, data):
    request = made(stamps)
    places = data.draw(st.lists(st.sampled_from(range(len(stamps))), unique=True))
    picked = pick(request, places)
    assert picked == (made_of(request, stamps, sorted(places)) if places else None)
    if picked is not None:
        assert identities(picked) == [str(place) for place in sorted(places)]


def test_a_request_holds_a_thousand_documents_at_most_in_their_order():
    several = bundle("logs", [document(number, number) for number in range(ITEMS + 1)])
    assert [(one.items, one.first, one.last) for one in several] == [
        (ITEMS, 0, (ITEMS - 1) * SECOND),
        (1, ITEMS * SECOND, ITEMS * SECOND),
    ]


def test_a_request_is_no_longer_than_four_megabytes_unless_one_document_is():
    lengths = [BODY_BYTES // 2, BODY_BYTES // 2, 10, BODY_BYTES * 2, 10]
    several = bundle("logs", [document(number, 0, "x" * length) for number, length in enumerate(lengths)])
    assert [one.items for one in several] == [1, 2, 1, 1]
    assert [len(unpack(one.body)) <= BODY_BYTES for one in several] == [True, True, False, True]


def test_nothing_gives_no_request():
    assert bundle("metrics", []) == []
