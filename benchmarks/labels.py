"""Fill the label join with open predictions, then join labels to them, durably.

    python benchmarks/labels.py --predictions 10000000 --labels 1000000 [--ranked 10]

prints a Markdown table: predictions remembered and labels joined for each second of CPU time, the size on disk of the
state with its log and of the working copy beside it, and the process's greatest memory. Each batch is a transaction of
its own, synced as in a running job. The labels are of predictions chosen at random from all that are open, which is the
worst order for any index; hashing their ids is part of the time, reading and parsing events is not. With `--ranked`
the model ranks so many ids, four of which its label names.
"""

import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from mlvitals.clock import DAY, HOUR
from mlvitals.engines.account import Account
from mlvitals.engines.join import LabelJoin
from mlvitals.engines.tables import MIGRATIONS as ENGINE_TABLES
from mlvitals.events.rankings import hash_ids, spell_relevance
from mlvitals.hashing import KeyedHash
from mlvitals.state import Store
from mlvitals.windows.bins import NumericBins
from mlvitals.windows.coded import Coded
from mlvitals.windows.cohorts import CohortKey, Cohorts
from mlvitals.windows.labels import LabelIndex, Labels
from mlvitals.windows.layout import Layout, OutputLayout, Task
from mlvitals.windows.paired import PairedCounts
from mlvitals.windows.predictions import Predictions
from mlvitals.windows.tables import MIGRATIONS as WINDOW_TABLES
from mlvitals.windows.vectors import pack_vectors

MODEL: Final = "card-fraud"
MATURITIES: Final = (DAY, 7 * DAY, 45 * DAY)
HORIZON: Final = 60 * DAY
LAYOUT: Final = Layout((), OutputLayout(Task.BINARY, score=NumericBins((0.5,)), groups=(0, 1), probability=True))
KEY: Final = KeyedHash(bytes(32))


class Measured(NamedTuple):
    """What a run took: counts for each second of CPU time, and bytes."""

    remembered: float
    joined: float
    state: int
    copy: int
    memory: int

    @property
    def disk(self) -> int:
        """All that is on the disk."""
        return self.state + self.copy


def measure(folder: Path, predictions: int, labels: int, batch: int, ranked: int = 0) -> Measured:
    """Remember predictions over half a horizon, then join labels to some of them, `batch` rows in a transaction."""
    path = folder / "state.db"
    with Store.open(path, (WINDOW_TABLES, ENGINE_TABLES)) as store:
        join = _new_join(store)
        chosen = np.random.default_rng(7).permutation(predictions)[:labels].copy()
        began = time.process_time()
        for numbers in _batches(np.arange(predictions), batch):
            with store.transaction():
                _serve(join, numbers, predictions, ranked)
        served = time.process_time()
        for numbers in _batches(chosen, batch):
            with store.transaction() as connection:
                nothing = Coded.constant("", len(numbers))
                join.add(
                    Labels(
                        ids=KEY.words(map(str, numbers.tolist())),
                        times=_times(numbers, predictions) + DAY // 2,
                        contents=_contents(numbers, ranked),
                        versions=nothing,
                        amounts=nothing,
                        sources=Coded.constant("labels", len(numbers)),
                    )
                )
                join.cohorts.flush()
                join.account.flush(connection)
        ended = time.process_time()
        state = sum(one.stat().st_size for one in folder.iterdir())
        copy = _mapped(folder)
        _check(store, join, labels, _layout(ranked))
    return Measured(predictions / (served - began), labels / (ended - served), state, copy, _greatest_memory())


def _greatest_memory() -> int:
    """Return the most bytes that this program had in memory; `getrusage` knows what its parent had, too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def _mapped(folder: Path) -> int:
    """Return the bytes of files without a name that are mapped from a folder."""
    sizes = {}
    for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
        place, *_, inode, path = (*line.split(maxsplit=5), "")[:6]
        if path.startswith(str(folder.resolve())) and path.endswith("(deleted)"):
            first, last = (int(end, 16) for end in place.split("-"))
            sizes[inode] = last - first
    return sum(sizes.values())


def _new_join(store: Store) -> LabelJoin:
    cohorts = Cohorts(store.connection, MODEL, MATURITIES)
    return LabelJoin(
        model=MODEL,
        index=LabelIndex(store.connection, MODEL),
        cohorts=cohorts,
        account=Account(),
        maturities=np.array(MATURITIES),
        horizon=HORIZON,
        paired=PairedCounts(store.connection, MODEL, len(MATURITIES)),
    )


def _layout(ranked: int) -> Layout:
    return Layout((), OutputLayout(Task.RANKING, ranked=(ranked,))) if ranked else LAYOUT


def _contents(numbers: np.ndarray, ranked: int) -> Coded:
    if not ranked:
        return Coded(numbers % 2, ("0", "1"))
    named = [{f"{number}-{place}": 1 + place % 3 for place in range(0, 8, 2)} for number in numbers.tolist()]
    return Coded.of([spell_relevance(grades) for grades in named])


def _vectors(numbers: np.ndarray, ranked: int) -> list[bytes | None]:
    if not ranked:
        return [None] * len(numbers)
    ids = hash_ids(f"{number}-{place}" for number in numbers.tolist() for place in range(ranked))
    lists = pa.ListArray.from_arrays(np.arange(len(numbers) + 1, dtype=np.int32) * ranked, pa.array(ids))
    batch = pa.record_batch({"prediction.ranking": lists})
    return list(pack_vectors(batch, _layout(ranked).output, np.arange(len(numbers))))


def _serve(join: LabelJoin, numbers: np.ndarray, predictions: int, ranked: int) -> None:
    layout = _layout(ranked)
    times = _times(numbers, predictions)
    starts = times - times % HOUR
    scores = np.random.default_rng(int(numbers[0])).random(len(numbers))
    for start in np.unique(starts).tolist():
        nothing = np.zeros(layout.served_size, dtype=np.int64)
        join.cohorts.add_served(CohortKey(start, "7", ""), start + HOUR, layout, nothing)
    ids = KEY.words(map(str, numbers.tolist()))
    kept = Predictions(
        ids=ids,
        versions=Coded.constant("7", len(numbers)),
        times=times,
        starts=starts,
        uncounted=np.zeros(len(numbers), dtype=bool),
        fingerprints=(numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(1)).astype(np.int64),
        scores=scores,
        decisions=Coded((scores > 0.5).astype(np.intp), ("0", "1")),
        amounts=np.full(len(numbers), np.nan),
        segments=Coded.constant("[]", len(numbers)),
        vectors=_vectors(numbers, ranked),
        propensities=np.zeros(len(numbers)),
    )
    join.remember(join.index.look(ids), kept)
    join.cohorts.flush()


def _times(numbers: np.ndarray, predictions: int) -> np.ndarray:
    return numbers * (HORIZON // 2 // predictions)


def _batches(numbers: np.ndarray, batch: int) -> Iterator[np.ndarray]:
    for begin in range(0, len(numbers), batch):
        yield numbers[begin : begin + batch]


def _check(store: Store, join: LabelJoin, labels: int, layout: Layout) -> None:
    """Fail unless every label has met its prediction and was counted."""
    place = layout.outcome_sections["labelled"]
    rows = store.connection.execute("SELECT DISTINCT start FROM cohort").fetchall()
    cohorts = [join.cohorts.get(CohortKey(start, "7", "")) for (start,) in rows]
    counted = sum(int(one.summary.outcomes[:, place].sum()) for one in cohorts if one is not None)
    if counted != labels:
        raise SystemExit(f"{counted} labels were counted of {labels}")


def main() -> None:
    """Measure and print."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--predictions", type=int, default=1_000_000)
    parser.add_argument("--labels", type=int, default=200_000)
    parser.add_argument("--batch", type=int, default=65_536, help="rows of a transaction")
    parser.add_argument("--ranked", type=int, default=0, help="ids of a ranking; 0: scores of two classes")
    chosen = parser.parse_args()
    with TemporaryDirectory() as folder:
        measured = measure(Path(folder), chosen.predictions, chosen.labels, chosen.batch, chosen.ranked)
    print("| open predictions | labels | remembered / CPU s | joined / CPU s | state, MB | copy, MB | memory, MB |")
    print("|---|---|---|---|---|---|---|")
    print(
        f"| {chosen.predictions:,} | {chosen.labels:,} | {measured.remembered:,.0f} | {measured.joined:,.0f} "
        f"| {measured.state / 1e6:,.0f} | {measured.copy / 1e6:,.0f} | {measured.memory / 1e6:,.0f} |"
    )


if __name__ == "__main__":
    main()
