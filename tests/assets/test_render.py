"""What is committed is what the code renders, and nothing else; what is somebody's own is left alone."""

import pytest

from mlvitals.assets import render
from mlvitals.errors import InputError


def test_what_is_committed_is_what_is_rendered(repository):
    assert render.differences(repository) == ([], [])


def test_writing_mends_what_differs_and_names_what_is_rendered_no_more_without_touching_it(tmp_path, monkeypatch):
    monkeypatch.setattr(render, "BACKENDS", (lambda: {"dashboards/some/a.json": b"{}", "monitors/b.json": b"[]"},))
    changed = tmp_path / "dashboards" / "some" / "a.json"
    stale = tmp_path / "monitors" / "old" / "stale.json"
    for path in (changed, stale):
        path.parent.mkdir(parents=True)
        path.write_text("other")
    kept = tmp_path / "terraform" / "some" / "main.tf"
    kept.parent.mkdir(parents=True)
    kept.write_text("mine")
    left = ["monitors/old/stale.json"]
    assert render.write(tmp_path) == (["dashboards/some/a.json", "monitors/b.json"], left)
    assert (changed.read_bytes(), stale.read_text(), kept.read_text()) == (b"{}", "other", "mine")
    assert render.differences(tmp_path) == ([], left)


def test_a_document_that_lacks_its_rendered_part_is_named(tmp_path):
    (tmp_path / "README.md").write_text("nothing rendered")
    with pytest.raises(InputError, match=r"README\.md: the document holds 0 rendered parts"):
        render.differences(tmp_path)
