"""The page as text: what it says, what it hides, and that nothing in it can be more than text."""

import base64
import hashlib
import json
import re
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.clock import HOUR
from mlvitals.errors import InputError, StateError
from mlvitals.report.island import escape
from mlvitals.report.names import shown
from mlvitals.state import Store


@pytest.fixture(scope="module")
def html(world):
    return world.page().html


def test_each_layer_begins_with_what_moved_since_when_and_how_sure(html):
    data = section(html, "data")
    sentence = re.search(r"<li>(x has moved since 1970-01-01 20:00: .*?)</li>", data)
    assert sentence is not None
    for part in ("feature.drift.location", "times as far from normal as it warns from", "standard error", "120 rows"):
        assert part in sentence[1]
    assert "secret has moved" not in data
    assert "what a mistake costs is told by `cost`" in section(html, "value")
    assert re.findall(r'<section id="(\w+)"', html) == [
        *("models", "pipeline", "data", "model", "label", "value", "rows", "limits")
    ]


def test_performance_is_never_told_without_its_coverage(html):
    triangle = re.search(r'<table class="triangle">.*?</table>', section(html, "label"), re.DOTALL)
    assert triangle is not None
    cells = re.findall(r'<td class="n"><span class="value">.*?</td>', triangle[0])
    assert cells
    assert all("labelled" in cell for cell in cells)
    assert "not reached yet" in triangle[0]


def test_a_change_of_version_is_marked(html):
    assert "version 2 serves most, after 1" in html


def test_a_feature_tells_its_group_its_owner_and_what_it_is_made_from(html):
    assert "Group <bdi>view</bdi>, owner <bdi>platform</bdi>, made from <bdi>batch</bdi>." in html


def test_rows_are_accounted_for_with_examples_of_what_was_unparseable(html):
    rows = section(html, "rows")
    assert "Why rows were unparseable" in rows
    assert re.search(r"1 of them were of no use", rows)


def test_a_sensitive_feature_shows_no_value(world):
    world.configure(features={"sensitive": ["colour"]})
    try:
        hidden = world.page().html
    finally:
        world.configure(groups={"view": {"features": ["x*"], "owner": "platform", "upstream": "batch"}})
    for value in ("red", "green", "blue"):
        assert not re.search(rf"\b{value}\b", hidden.split("<body>")[1].split("<script>")[0])
        assert re.search(rf'"{value}"', world.page().html)


def test_the_policy_names_exactly_what_is_inlined(html):
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]*)"', html)
    for kind, text in (("script", html.split("<script>")[1]), ("style", html.split("<style>")[1])):
        body = text.split(f"</{kind}>")[0]
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{kind}-src &#39;sha256-{digest}&#39;".replace("&#39;", "'") in policy.replace("&#39;", "'")
    assert policy.startswith("default-src")
    assert " style=" not in html.split("<body>")[1].split("<script>")[0]
    assert not re.search(r'(src|href)="(?!#|data:,")', html.split("<script>")[0])


def test_hostile_names_are_text(hostile):
    page = hostile.page().html
    assert page.count("<script") == page.split("<script>")[1].count("<script") + 2
    assert "<svg onload" not in page
    assert "<img" not in page
    assert "\0" not in page
    assert "\u202e" not in page
    assert "49" not in re.findall(r"\{\{ 7 \* 7 \}\}", page)
    island = page.split('id="report-data">')[1].split("</script>")[0]
    assert "<" not in island
    assert json.loads(island)["starts"]


@given(st.text())
def test_any_text_in_the_island_comes_back_and_ends_no_element(text):
    island = escape(json.dumps({"name": text}, ensure_ascii=False))
    assert json.loads(island) == {"name": text}
    assert not set("<>&\u2028\u2029") & set(island)


@given(st.text(max_size=2000))
def test_any_name_is_shown_short_and_visible(name):
    told = shown(name)
    assert told.strip()
    assert all(one.isprintable() for one in told)
    assert len(told) <= 600
    assert shown(name) == told


def test_names_that_differ_by_what_is_invisible_look_different():
    assert len({shown(name) for name in ("a", "a\0", "a\u200b", "\u202ea", "a ")}) == 5


def test_it_is_read_while_another_process_writes(world):
    with Store.open(world.config.state.path, []) as writer, writer.transaction() as connection:
        connection.execute("CREATE TABLE written_meanwhile (x INTEGER)")
        assert "<h1>" in world.page().html
        connection.execute("DROP TABLE written_meanwhile")


def test_the_same_state_gives_the_same_page(world):
    assert world.page().html == world.page().html


def test_since_leaves_out_what_is_older(world):
    assert "Windows of 1970-01-01 10:00 to" in world.page(since=10 * HOUR).html


def test_without_its_key_its_reference_or_its_measurements_it_still_tells_what_there_is(world, tmp_path):
    state = tmp_path / "state.db"
    with sqlite3.connect(world.config.state.path) as source, sqlite3.connect(state) as target:
        source.backup(target)
    copy = type(world)(tmp_path)
    copy.configure()
    assert "cannot read the reference" in copy.page().html
    with sqlite3.connect(state) as connection:
        connection.execute("DELETE FROM measurement_page")
    assert "no window yet" in copy.page().html or "none yet" in copy.page().html


def test_a_model_or_a_state_that_is_not_there_is_one_line(world, tmp_path):
    with pytest.raises(InputError, match="there is no model `other`"):
        world.page(model="other")
    empty = type(world)(tmp_path)
    empty.configure()
    with pytest.raises(StateError, match="no state yet"):
        empty.page()


def section(html, name):
    return html.split(f'<section id="{name}"')[1].split("</section>")[0]
