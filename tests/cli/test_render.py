"""`mlvitals render` writes what follows from the registry, and `--check` tells what differs."""

import pytest

from mlvitals.assets import render


@pytest.fixture
def one_backend(monkeypatch):
    monkeypatch.setattr(render, "BACKENDS", (lambda: {"dashboards/some/a.json": b"{}\n"},))


@pytest.mark.usefixtures("one_backend")
def test_check_answers_1_and_names_what_differs_until_it_is_rendered(tmp_path, mlvitals):
    answer = mlvitals("render", "--check", "-o", tmp_path)
    assert answer.code == 1
    assert answer.err.splitlines()[0] == "dashboards/some/a.json"
    assert mlvitals("render", "-o", tmp_path).code == 0
    assert (tmp_path / "dashboards" / "some" / "a.json").read_bytes() == b"{}\n"
    assert mlvitals("render", "--check", "-o", tmp_path).code == 0
