"""The document says what the registry says."""

from pathlib import Path

import pytest

from mlvitals.signals.document import BEGIN, END, render_signals, update_document
from mlvitals.signals.registry import REGISTRY

DOCUMENT = Path(__file__).parents[2] / "docs" / "signals.md"


def test_the_rendered_part_is_up_to_date():
    document = DOCUMENT.read_text(encoding="utf-8")
    assert update_document(document) == document


def test_every_signal_has_exactly_one_row():
    rows = render_signals().splitlines()
    for name in REGISTRY:
        assert sum(row.startswith(f"| `{name}` |") for row in rows) == 1


def test_what_is_around_the_rendered_part_stays():
    document = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert update_document(document) == f"before\n{BEGIN}\n{render_signals()}\n{END}\nafter\n"


@pytest.mark.parametrize("document", ["nothing to fill", f"{BEGIN}{END}{BEGIN}{END}", f"{END} {BEGIN}"])
def test_a_document_without_exactly_one_part_is_refused(document):
    with pytest.raises(ValueError, match="it must hold one"):
        update_document(document)
