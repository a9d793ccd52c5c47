"""What we call ourselves where a server is told who speaks."""

from importlib.metadata import PackageNotFoundError, version
from typing import Final


def _version() -> str:
    try:
        return version("mlvitals")
    except PackageNotFoundError:  # run from its source
        return "0"


VERSION: Final = _version()
AGENT: Final = f"mlvitals/{VERSION}"
