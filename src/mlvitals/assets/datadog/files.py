"""Everything for Datadog as files: to import by hand, and for the Terraform module."""

from typing import Final

from mlvitals.assets.boards import BOARDS
from mlvitals.assets.datadog import metadata, monitors
from mlvitals.assets.datadog.board import board_document
from mlvitals.assets.datadog.monitors import as_text
from mlvitals.assets.monitors import MONITORS

_DASHBOARDS: Final = "dashboards/datadog"
_MONITORS: Final = "monitors/datadog"
_MODULE: Final = "terraform/datadog/assets"


def render() -> dict[str, bytes]:
    """Return the files by their paths from the root of the project."""
    files: dict[str, str] = {f"{_DASHBOARDS}/metadata.csv": metadata.table()}
    for board in BOARDS:
        text = as_text(board_document(board))
        files[f"{_DASHBOARDS}/{board.name}.json"] = files[f"{_MODULE}/dashboards/{board.name}.json"] = text
    for monitor in MONITORS:
        files[f"{_MONITORS}/{monitor.name}.json"] = as_text(monitors.filled(monitor))
    files[f"{_MODULE}/monitors.json"] = as_text({monitor.name: monitors.entry(monitor) for monitor in MONITORS})
    files[f"{_MODULE}/metrics.json"] = as_text(metadata.metrics())
    return {path: text.encode() for path, text in files.items()}
