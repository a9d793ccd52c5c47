"""Without the extra `report` the commands say so in one line."""

import builtins

import pytest

from mlvitals.errors import MissingExtraError
from mlvitals.report import html


def test_a_missing_template_engine_is_one_line_that_names_the_extra(monkeypatch):
    real = builtins.__import__

    def without_jinja(name, *rest):
        if name.startswith("jinja2"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_jinja)
    html._environment.cache_clear()
    with pytest.raises(MissingExtraError, match=r"mlvitals\[report\]"):
        html.Document(template="report.html", styles=()).require()
