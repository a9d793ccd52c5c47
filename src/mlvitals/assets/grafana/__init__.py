"""Dashboards of Grafana over Prometheus and rules that it evaluates, from the catalogue."""

import json
from collections.abc import Mapping
from typing import Any, Final

from mlvitals.assets.boards import BOARDS
from mlvitals.assets.grafana.board import board_document
from mlvitals.assets.grafana.rules import rule_documents

_MODULE: Final = "terraform/grafana/assets"


def render() -> Mapping[str, bytes]:
    """Return the files by their paths from the root of the project: to import, and inside the Terraform module."""
    files = {f"{_MODULE}/rules.json": _encode(rule_documents())}
    for board in BOARDS:
        document = _encode(board_document(board))
        files |= {f"{folder}/{board.name}.json": document for folder in ("dashboards/grafana", f"{_MODULE}/dashboards")}
    return files


def _encode(document: Any) -> bytes:
    return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"
