"""Any text of a log stands safely in YAML that is written by hand."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.config.document import read_document
from mlvitals.config.expand import Expansion
from mlvitals.setup.inference.yamltext import entry, flow, remarked, scalar

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
PLAIN = st.one_of(TEXTS, st.integers(-(10**9), 10**9), st.booleans())


def read(lines, folder):
    path = folder / "any.yaml"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return Expansion(folder, {}).expand(read_document(path))


@given(key=TEXTS, values=st.lists(TEXTS, max_size=30), inner=st.dictionaries(TEXTS, PLAIN, max_size=8))
def test_what_is_written_is_read_as_it_was(tmp_path_factory, key, values, inner):
    folder = tmp_path_factory.mktemp("yaml")
    lines = [*entry("list", values, 0, key), *entry("map", inner, 0), *entry("one", {"key": {key: values}}, 0)]
    assert read(lines, folder) == {"list": values, "map": inner, "one": {"key": {key: values}}}


@pytest.mark.parametrize(
    "word", ["no", "Yes", "null", "~", "1", "1.5", "0x10", "1e5", ".inf", "2026-03-01", "12:30:45", "", " ", "-"]
)
def test_a_word_that_yaml_would_read_as_something_else_is_quoted(word):
    assert yaml.safe_load(scalar(word)) == word
    assert scalar(word) == json.dumps(word)


def test_a_duration_and_a_path_need_no_quotes():
    assert flow(["14d", "logs/app.jsonl"]) == "[14d, logs/app.jsonl]"


def test_a_literal_placeholder_is_told_in_values_and_left_in_keys():
    assert flow({"${A}": "${B}"}) == '{"${A}": "$${B}"}'


def test_a_comment_never_ends_its_line(tmp_path):
    lines = [remarked("a: 1", "x\nb: 2\u2028c: 3\rd: 4\x85e: 5")]
    assert read(lines, tmp_path) == {"a": 1}
