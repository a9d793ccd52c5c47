"""A copy of the state while another thread commits: how long it takes, and how long the writer waits."""

import tempfile
import threading
import time
from pathlib import Path

from mlvitals.state import Migrations, Store
from mlvitals.state.backup import back_up

ROWS = 3000
TABLES = Migrations(owner="bench", steps=(("CREATE TABLE row (number INTEGER PRIMARY KEY, content BLOB)",),))


def waits(store: Store, over: threading.Event) -> list[float]:
    """Return how long each small transaction took, in milliseconds, until it is over."""
    found = []
    while not over.is_set():
        began = time.perf_counter()
        with store.transaction() as connection:
            connection.execute("INSERT INTO row VALUES (NULL, randomblob(1000))")
        found.append((time.perf_counter() - began) * 1000)
        time.sleep(0.002)
    return found


def writing(store: Store, during: float | Path) -> tuple[list[float], float]:
    """Write for so many seconds, or while a copy is taken; return the waits and how long that was."""
    over, found = threading.Event(), []
    writer = threading.Thread(target=lambda: found.extend(waits(store, over)))
    writer.start()
    began = time.perf_counter()
    if isinstance(during, Path):
        back_up(store.path, during)
    else:
        time.sleep(during)
    took = time.perf_counter() - began
    over.set()
    writer.join()
    return sorted(found), took


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "state.db", [TABLES]) as store:
        with store.transaction() as connection:
            connection.executemany("INSERT INTO row VALUES (NULL, randomblob(100000))", [()] * ROWS)
        alone, _ = writing(store, 2.0)
        copying, took = writing(store, Path(folder) / "copy.db")
        size = (Path(folder) / "copy.db").stat().st_size / 1e6
        print(f"a copy of {size:.0f} MB: {took:.2f} s, {len(copying)} transactions meanwhile")
        for name, found in (("alone", alone), ("while copying", copying)):
            print(f"{name}: median {found[len(found) // 2]:.1f} ms, longest {found[-1]:.1f} ms")


if __name__ == "__main__":
    main()
