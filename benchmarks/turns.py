"""How long a sender waits for its turn to write while an engine commits and begins again at once.

Prints JSON: seconds of waiting of twenty short transactions beside transactions of 20 ms without a pause between, by
`Store` and by SQLite's busy handler alone. Exits with 1 where the longest wait for a turn is more than three of them.
"""

import json
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from mlvitals.state import Migrations, Store

TABLE = "CREATE TABLE number (value INTEGER)"
INSERT = "INSERT INTO number VALUES (1)"
LONG = 0.02
COUNT = 20
PATIENCE = 2  # seconds, after which SQLite's handler gives up


def by_store(store: Store, seconds: float) -> None:
    with store.transaction() as connection:
        connection.execute(INSERT)
        time.sleep(seconds)


def by_sqlite(path: Path, seconds: float) -> None:
    with closing(sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(INSERT)
        time.sleep(seconds)
        connection.execute("COMMIT")


def waits(write: Callable[[float], None]) -> dict[str, float]:
    """Return how long short transactions take beside long ones."""
    stop = threading.Event()

    def engine() -> None:
        while not stop.is_set():
            with suppress(sqlite3.OperationalError):
                write(LONG)

    thread = threading.Thread(target=engine)
    thread.start()
    found = []
    for _ in range(COUNT):
        time.sleep(0.005)
        began = time.monotonic()
        with suppress(sqlite3.OperationalError):  # it gave up
            write(0.0)
        found.append(time.monotonic() - began)
    stop.set()
    thread.join()
    return {"median": round(sorted(found)[COUNT // 2], 3), "longest": round(max(found), 3)}


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        with Store.open(path, [Migrations(owner="numbers", steps=((TABLE,),))]) as store:
            fair = waits(lambda seconds: by_store(store, seconds))
        alone = waits(lambda seconds: by_sqlite(path, seconds))
    print(json.dumps({"by turns": fair, "by SQLite alone": alone}, indent=2))
    return 0 if fair["longest"] < 3 * LONG + 0.1 else 1


if __name__ == "__main__":
    sys.exit(main())
