"""Get or build every server that tests run: `python3 -m tests.stack`. One that cannot be had stops no other."""

import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.stack.recipe import CannotHaveError, Server, stack_folder
from tests.stack.versions import SERVERS

_NICENESS: Final = 15  # builds wait for whoever works at the machine


def main(servers: Sequence[Server] = SERVERS) -> None:
    """Get what is missing, and print what is there and what not, and why. What cannot be had is no error."""
    print(f"The servers of the integration tests, in {stack_folder()}:", flush=True)
    rows = []
    for server in servers:
        rows.append((server.name, server.version, *_get(server)))
        print(f"  {server.name}: {rows[-1][2]} {rows[-1][3]}", flush=True)
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    print()
    for row in rows:
        print("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]))


def _get(server: Server) -> tuple[str, str]:
    """Return `had` or `not had`, and why or since when."""
    if server.folder.is_dir():
        return "had", "since an earlier run"
    started = time.monotonic()
    server.folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=server.folder.parent, prefix="building-") as scratch:
        made, work = Path(scratch, "made"), Path(scratch, "work")
        made.mkdir()
        work.mkdir()
        try:
            server.recipe.make(made, work)
        except CannotHaveError as error:
            server.why_not.write_text(f"{error}\n", "utf-8")
            return "not had", str(error)
        made.rename(server.folder)  # at once: a folder with this name is always whole
    server.why_not.unlink(missing_ok=True)
    return "had", f"got in {time.monotonic() - started:.0f} s"


if __name__ == "__main__":
    os.nice(_NICENESS)
    main()
