"""The document says what the registry says."""

from mlvitals.assets.signals import render_signals, update_document
from mlvitals.signals.registry import REGISTRY


def test_the_rendered_part_is_up_to_date(repository):
    document = (repository / "docs" / "signals.md").read_text(encoding="utf-8")
    assert update_document(document) == document


def test_every_signal_has_exactly_one_row():
    rows = render_signals().splitlines()
    for name in REGISTRY:
        assert sum(row.startswith(f"| `{name}` |") for row in rows) == 1
