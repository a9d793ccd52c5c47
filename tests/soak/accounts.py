"""What must hold of a disturbed run beside an undisturbed one: by the account, and by what the servers really took."""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlvitals.delivery import Fate, dead_letters
from mlvitals.sinks.packing import unpack
from mlvitals.state import Store
from tests.soak.items import Book, Item, read_bulk, read_datadog, read_otlp
from tests.soak.receivers import World

_ENDS = (Fate.DELIVERED, Fate.REJECTED, Fate.DEAD, Fate.EXPIRED, Fate.SUPERSEDED, Fate.DROPPED)


@dataclass(frozen=True)
class State:
    """What a state holds: items by destination and fate, requests that wait, measurements, and letters' items."""

    totals: Mapping[str, Counter[str]]
    waiting: Counter[str]
    requests: Counter[str]
    pages: list[tuple[Any, ...]]
    letters: Mapping[str, set[Item]]
    lost: Counter[str]

    @classmethod
    def read(cls, path: Path) -> "State":
        with closing(sqlite3.connect(path, timeout=30)) as connection:
            totals: dict[str, Counter[str]] = defaultdict(Counter)
            for destination, fate, items in connection.execute("SELECT destination, fate, items FROM delivery_total"):
                totals[destination][fate] = items
            query = "SELECT destination, sum(items), count(*) FROM outbox GROUP BY destination"
            rows = connection.execute(query).fetchall()
            pages = connection.execute("SELECT * FROM measurement_page ORDER BY 1, 2, 3, 4, 5, 6, 7").fetchall()
        letters: dict[str, set[Item]] = {}
        lost: Counter[str] = Counter()
        with Store.open_read_only(path) as store:
            for name in totals:
                found = list(dead_letters(store, name))
                letters[name] = {
                    item for one in found for item in read_letter(name, one.request.route, one.request.body)
                }
                lost[name] = sum(one.lost for one in found)
        waiting = Counter({destination: items for destination, items, _ in rows})
        requests = Counter({destination: count for destination, _, count in rows})
        return cls(totals, waiting, requests, pages, letters, lost)

    def balance(self) -> None:
        """Require that every item has one fate."""
        for name, totals in self.totals.items():
            ends = sum(totals[fate] for fate in _ENDS) + self.waiting[name]
            assert totals[Fate.ENQUEUED] == ends, f"{name}: {dict(totals)}, {self.waiting[name]} wait"


def read_letter(destination: str, route: str, body: bytes) -> Iterable[Item]:
    match destination:
        case "otlp" | "grpc":
            return read_otlp(route, body)
        case "datadog":
            return read_datadog(route, json.loads(unpack(body)))
        case "opensearch":
            return read_bulk(unpack(body))
    return ()


def compare(world: World, state: State, reference: World, whole: State) -> None:
    """Require that a disturbed run lost, doubled and changed nothing but what it accounts for."""
    state.balance()
    assert state.pages == whole.pages
    assert not world.intake.faults
    assert not world.intake.dropped
    for name, book in world.books.items():
        assert not book.faults, name
        assert not world.scripts[name].faults, name
        one_body_for_the_same_items(name, book)
        one_content_of_each_item(name, book)
        assert state.totals[name][Fate.EXPIRED] == state.totals[name][Fate.DROPPED] == 0
    for name in ("otlp", "grpc"):
        same_items(name, world.books[name], reference.books[name], state)
    same_documents(world, reference, state)
    same_at_datadog(world.books["datadog"], reference.books["datadog"], state)


def one_body_for_the_same_items(name: str, book: Book) -> None:
    """Require that what was sent again came as the same bytes."""
    for (route, items), bodies in book.bodies.items():
        assert len(bodies) == 1, f"{name}: {len(items)} items of {route} came as {len(bodies)} different bodies"


def one_content_of_each_item(name: str, book: Book) -> None:
    """Require that no point ever had two values, and no record or document two contents."""
    for item, contents in book.taken.items():
        assert len(contents) == 1, f"{name}: {item} came as {contents}"


def totals_never_fall(name: str, book: Book) -> int:
    """Require that what the job counts of itself never falls; return how many totals were told more than once."""
    totals: dict[Item, list[tuple[int, float]]] = defaultdict(list)
    for (kind, *series, time), contents in book.taken.items():
        if kind == "total":
            totals[*series,] += [(time, value) for value in contents]
    for one, told in totals.items():
        values = [value for _, value in sorted(told)]
        assert values == sorted(values), f"{name}: {one} was told as {values}"
    return sum(len(told) > 1 for told in totals.values())


def same_items(name: str, book: Book, reference: Book, state: State) -> None:
    """Require that what was taken is what an undisturbed run sends, but for what stands in the dead letters."""
    own = {item: set(contents) for item, contents in book.taken.items()}
    strange = [item for item, contents in own.items() if contents != set(reference.taken[item])]
    assert not strange, f"{name}: {len(strange)} items are not the reference's: {strange[:3]}"
    missing = reference.taken.keys() - own.keys()
    lost = missing - state.letters[name]
    assert not lost, f"{name}: {len(lost)} items are nowhere: {list(lost)[:3]}"
    assert len(missing) <= state.lost[name]


def same_documents(world: World, reference: World, state: State) -> None:
    """Require that every document is there once, as in an undisturbed run, but for what stands in the dead letters."""
    buried = {(index, identity) for _, index, identity, _ in state.letters["opensearch"]}
    expected = {
        (index, identity): found
        for index, documents in reference.cluster.documents.items()
        for identity, found in documents.items()
    }
    own = {
        (index, identity): found
        for index, documents in world.cluster.documents.items()
        for identity, found in documents.items()
    }
    different = [key for key, found in own.items() if found != expected.get(key) and key not in buried]
    assert not different, f"{len(different)} documents differ: {different[:3]}"
    lost = expected.keys() - own.keys() - buried
    assert not lost, f"{len(lost)} documents are nowhere: {list(lost)[:3]}"


def same_at_datadog(book: Book, reference: Book, state: State) -> None:
    """Require of Datadog what `same_items` does, but that a point may be told later, or a newer one in its place."""
    letters = state.letters["datadog"]
    expected, own = points_by_series(reference.taken), points_by_series(book.taken)
    buried = points_by_series(dict.fromkeys(letters, ()))
    strange = own.keys() - expected.keys()
    assert not strange, f"{len(strange)} series are not the reference's: {list(strange)[:3]}"
    missing = renewed = 0
    for series, points in expected.items():
        told, refused = own.get(series, {}), buried.get(series, {})
        for second, value in told.items():
            earlier = {other for stamp, other in points.items() if stamp <= second}
            assert value in ({points[second]} if second in points else earlier), f"{series} at {second}: {value}"
        for second in points.keys() - told.keys():
            newer = any(stamp >= second for stamp in [*told, *refused])
            assert newer, f"{series} at {second} is nowhere, and nothing newer"
            missing += second not in refused
        renewed += len({*told, *refused} - points.keys())
    superseded = state.totals["datadog"][Fate.SUPERSEDED]
    assert missing <= superseded + renewed, f"{missing} points are missing, {superseded} superseded, {renewed} renewed"
    for kind in ("log", "event"):
        same_records(kind, book, reference, letters, state)


def points_by_series(taken: Mapping[Item, Iterable[Any]]) -> dict[Item, dict[int, Any]]:
    """Return the points among items: by series the value of each second."""
    found: dict[Item, dict[int, Any]] = defaultdict(dict)
    for (kind, *series, second), contents in taken.items():
        if kind == "point":
            found[*series,][second] = next(iter(contents), None)
    return found


def same_records(kind: str, book: Book, reference: Book, letters: set[Item], state: State) -> None:
    """Require every log, whatever its stamp has become; a change event may have grown too old."""
    width = 3 if kind == "log" else 2
    expected = {item[:width]: set(contents) for item, contents in reference.taken.items() if item[0] == kind}
    own: dict[Item, set[Any]] = defaultdict(set)
    for item, contents in book.taken.items():
        if item[0] == kind:
            own[item[:width]] |= set(contents)
    assert all(contents == expected.get(item) for item, contents in own.items()), f"{kind}s are not the reference's"
    missing = expected.keys() - own.keys() - {item[:width] for item in letters if item[0] == kind}
    if kind == "log":
        assert not missing, f"{len(missing)} logs are nowhere: {list(missing)[:3]}"
    else:
        assert len(missing) <= state.totals["datadog"][Fate.SUPERSEDED]
