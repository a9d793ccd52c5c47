"""A document keeps what is around its rendered part."""

import pytest

from mlvitals.assets.markdown import RenderedPart

PART = RenderedPart("oven")
BEGIN, END = PART.begin, PART.end


def test_what_is_around_the_rendered_part_stays():
    document = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert PART.update(document, "new \\1") == f"before\n{BEGIN}\nnew \\1\n{END}\nafter\n"


@pytest.mark.parametrize("document", ["nothing to fill", f"{BEGIN}{END}{BEGIN}{END}", f"{END} {BEGIN}"])
def test_a_document_without_exactly_one_part_is_refused(document):
    with pytest.raises(ValueError, match="it must hold one"):
        PART.update(document, "new")
