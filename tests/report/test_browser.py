"""The page in a real browser: quiet, quick, usable on a phone, by keyboard, by ear and on paper; not to be hijacked."""

import json
import sys
import time
from itertools import pairwise

import pytest

pytestmark = pytest.mark.integration

TAB_KEY, ENTER_KEY = 9, 13
DRAWN = "document.querySelectorAll('.plot canvas').length > 0"
FOCUSABLE = "a[href], summary, input, [tabindex='0']"


def see_a_chart(tab):
    """Charts are drawn as they come into view."""
    tab.run("document.querySelector('figure.chart').scrollIntoView()")
    tab.wait(DRAWN)


@pytest.fixture(scope="module")
def page(world):
    return world.report()


@pytest.mark.parametrize(("width", "phone"), [(1280, False), (768, False), (360, True)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_at_every_width_without_a_message_a_request_or_a_sideways_scroll(tab, page, width, phone, scheme):
    tab.media(prefers_color_scheme=scheme)
    tab.resize(width, phone=phone)
    tab.open(page)
    see_a_chart(tab)
    tab.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    tab.run("document.querySelectorAll('figure.chart').forEach(drawChart)")
    tab.wait("document.querySelectorAll('.plot canvas').length === document.querySelectorAll('figure.chart').length")
    assert tab.run("document.documentElement.scrollWidth") <= width
    assert tab.said == []
    assert tab.requests == [page.as_uri()]


def test_charts_follow_the_colours_and_the_width_of_an_open_page(tab, page):
    tab.media(prefers_color_scheme="light")
    tab.resize(1280)
    tab.open(page)
    see_a_chart(tab)
    before = tab.run("document.querySelector('.plot canvas').toDataURL()")
    tab.media(prefers_color_scheme="dark")
    tab.wait(f"document.querySelector('.plot canvas').toDataURL() !== {json.dumps(before)}")
    tab.resize(500)
    tab.wait("document.querySelector('.plot canvas').getBoundingClientRect().right <= 500")
    assert tab.said == []


def test_every_control_is_reached_by_tab_and_none_holds_it(tab, page):
    tab.resize(1280)
    tab.open(page)
    tab.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    tab.run("document.activeElement.blur()")
    wanted = tab.run(
        f"[...document.querySelectorAll({json.dumps(FOCUSABLE)})].filter((one) => one.checkVisibility()).length"
    )
    tab.run("window.seen = new Set()")
    for step in range(wanted + 5):
        tab.press("Tab", code=TAB_KEY)
        if step == 0:
            assert tab.run("document.activeElement.className") == "skip"
            assert tab.run("document.activeElement.getBoundingClientRect().left >= 0")
        assert tab.run("document.activeElement === document.body || document.activeElement.matches(':focus-visible')")
        tab.run("document.activeElement === document.body || window.seen.add(document.activeElement), 0")
    assert tab.run("window.seen.size") == wanted


def test_the_skip_link_leads_to_the_report_and_a_summary_opens_by_enter(tab, page):
    tab.open(page)
    tab.press("Tab", code=TAB_KEY)
    tab.press("Enter", code=ENTER_KEY, text="\r")
    tab.wait("document.activeElement.id === 'main'")
    tab.run("document.querySelector('details.feature > summary').focus()")
    tab.press("Enter", code=ENTER_KEY, text="\r")
    tab.wait("document.querySelector('details.feature').open")


def test_a_chart_has_its_text_and_its_numbers(tab, page):
    tab.open(page)
    see_a_chart(tab)
    assert tab.run("[...document.querySelectorAll('.plot')].every((one) => one.role === 'img')")
    tab.run("document.querySelector('figure.chart details.numbers').open = true")
    tab.wait("document.querySelectorAll('figure.chart td').length > 0")
    windows = tab.run("report.starts.length")
    assert tab.run("document.querySelectorAll('figure.chart [data-table] tbody tr').length") == windows
    assert tab.run("document.querySelector('[data-table] caption').textContent.length") > 0
    assert tab.run("[...document.querySelectorAll('table th')].every((one) => one.scope)")
    assert tab.run("[...document.querySelectorAll('table')].every((one) => one.caption)")


def test_headings_descend_by_single_steps_and_landmarks_are_named(tab, page):
    tab.open(page)
    tab.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    levels = tab.run("[...document.querySelectorAll('h1, h2, h3, h4')].map((one) => Number(one.nodeName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    nodes = tab.accessible()
    roles = [node["role"]["value"] for node in nodes]
    assert {"main", "navigation", "banner", "contentinfo"} <= set(roles)
    for node in nodes:
        if node["role"]["value"] in {"link", "region", "image", "img", "DisclosureTriangle", "table", "navigation"}:
            assert node["name"]["value"].strip(), node


def test_colours_have_the_contrast_that_reading_needs(tab, page):
    for scheme in ("light", "dark"):
        tab.media(prefers_color_scheme=scheme)
        tab.open(page)
        for ink, paper in [
            *((ink, paper) for ink in ("ink", "muted", "accent") for paper in ("card", "page")),
            *((status, f"{status}-back") for status in ("ok", "warning", "alert")),
            ("muted", "quiet-back"),
        ]:
            assert contrast(tab, ink, paper) >= 4.5, (scheme, ink, paper)
        for line in range(4):
            assert contrast(tab, f"line-{line}", "card") >= 3, (scheme, line)


def contrast(tab, ink, paper):
    """The contrast ratio of two colours: Web Content Accessibility Guidelines 2.2, definition of contrast ratio."""

    def luminance(name):
        text = tab.run(f"colour({json.dumps(name)})").lstrip("#")
        parts = [int(text[place : place + 2], 16) / 255 for place in (0, 2, 4)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted((luminance(ink), luminance(paper)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_features_are_found_by_name_and_by_having_moved(tab, page):
    tab.open(page)
    count = tab.run("document.querySelectorAll('details.feature').length")
    tab.run("document.getElementById('find').value = 'COLOUR'")
    tab.run("document.getElementById('find').dispatchEvent(new Event('input', {bubbles: true}))")
    assert tab.run("document.getElementById('count').textContent") == f"1 of {count} features"
    assert tab.run("document.querySelectorAll('details.feature:not([hidden])').length") == 1


def test_print_shows_what_is_folded_and_hides_what_is_pressed(tab, page):
    tab.resize(1280)
    tab.open(page)
    see_a_chart(tab)
    tab.media("print")
    tab.wait("[...document.querySelectorAll('details.feature, details.more')].every((one) => one.open)")
    tab.wait("document.querySelectorAll('.plot canvas').length === document.querySelectorAll('figure.chart').length")
    for hidden in ("nav.sections", ".filter", ".skip", "details.numbers"):
        assert not tab.run(f"document.querySelector({json.dumps(hidden)}).checkVisibility()"), hidden
    tab.media("")
    tab.wait("![...document.querySelectorAll('details.feature')].some((one) => one.open)")
    assert len(tab.call("Page.printToPDF")["data"]) > 50_000


def test_hostile_names_do_nothing_but_look_odd(tab, hostile):
    page = hostile.report()
    tab.open(page)
    see_a_chart(tab)
    tab.run("window.alert = () => { throw new Error('alert was called'); }")
    tab.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    tab.wait("document.querySelectorAll('[data-table] table').length > 3")
    assert tab.said == []
    assert tab.requests == [page.as_uri()]
    assert tab.run("document.querySelectorAll('script').length") == 2
    assert tab.run("document.querySelectorAll('img, iframe, object, embed, [onerror], [onclick]').length") == 0
    text = tab.run("document.querySelector('main').textContent")
    assert "</script><script>alert(1)</script>" in text
    assert "⟨202E⟩" in text
    assert tab.run("document.documentElement.scrollWidth") <= tab.run("innerWidth")


def test_no_script_runs_that_was_not_inlined(tab, page, tmp_path):
    """The policy is held by the browser: the same page with one more script says so and does not run it."""
    broken = tmp_path / "broken.html"
    broken.write_text(page.read_text("utf-8").replace("</main>", "<script>window.got = 1</script></main>"), "utf-8")
    tab.open(broken)
    assert tab.run("window.got") is None
    assert any("Content Security Policy" in said for said in tab.said)


def test_two_hundred_features_in_five_hundred_windows_are_small_and_quick(tab, wide, capsys):
    began = time.process_time()
    page = wide.report()
    spent = time.process_time() - began
    size = page.stat().st_size
    tab.resize(1280)
    tab.open(page)
    see_a_chart(tab)
    drawn = tab.run("firstDrawn")
    loaded = tab.run("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    figures = (
        f"{size / 1e6:.2f} MB, made in {spent:.1f} CPU s, loaded in {loaded:.0f} ms, first chart at {drawn:.0f} ms"
    )
    with capsys.disabled():
        sys.stdout.write(f"\n{figures}\n")
    assert size < 5_000_000
    assert max(drawn, loaded) < 2_000
    assert tab.run("document.querySelectorAll('details.feature').length") == 200
    assert tab.said == []
