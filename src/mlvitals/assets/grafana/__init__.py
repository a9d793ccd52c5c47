"""Dashboards of Grafana over Prometheus, from the catalogue of boards."""

import json
from collections.abc import Mapping

from mlvitals.assets.boards import BOARDS
from mlvitals.assets.grafana.board import board_document


def render() -> Mapping[str, bytes]:
    """Return the dashboards by their paths from the root of the project: to import, and inside the Terraform module."""
    files: dict[str, bytes] = {}
    for board in BOARDS:
        document = json.dumps(board_document(board), indent=2, ensure_ascii=False).encode() + b"\n"
        files |= {f"{folder}/{board.name}.json": document for folder in _FOLDERS}
    return files


_FOLDERS = ("dashboards/grafana", "terraform/grafana/assets/dashboards")
