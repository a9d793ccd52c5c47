"""Where a server stands that a test asks for."""

from pathlib import Path

import pytest

from tests.stack.recipe import Server


def home(server: Server) -> Path:
    """Return where a server is; where it is not, skip and say what cures it."""
    if server.folder.is_dir():
        return server.folder
    why = server.why_not.read_text("utf-8").strip() if server.why_not.exists() else "`make stack` gets it"
    pytest.skip(f"{server.name} {server.version} is not here: {why}")
