"""The promise of the page budget, by simulation: how often nobody should have been woken, and how late one is told."""

import pytest

from tests.soak.paging_runs import BUDGET, BY_NAME, LIMITS, REACHED, SETTINGS, STEPS, simulated
from tests.soak.paging_stories import ended, failed, ramped
from tests.soak.paging_table import table

pytestmark = pytest.mark.soak

SEASON = BY_NAME["season, n = 2000"]
NAMES = [setting.name for setting in SETTINGS]


@pytest.fixture(scope="module")
def measured(tell):
    found = simulated(SETTINGS, models=4, batches=1, weeks=15, delay_batches=2)
    tell(table(found))
    return found


@pytest.fixture(scope="module")
def tell(request):
    """Print past pytest's capture: the table is what a long run is for."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def past(text):
        with capture.global_and_fixture_disabled():
            print(f"\n{text}", flush=True)  # noqa: T201  # what was measured

    return past


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_false_pages_stay_within_the_budget(measured, name, shared):
    pages = measured.pages[name][shared]
    assert pages.rate <= BUDGET, f"{pages.features} false pages in {pages.weeks} weeks, at most {pages.limit} a week"


@pytest.mark.parametrize("shared", [False, True])
def test_all_settings_together_are_within_the_budget_beyond_doubt(measured, shared):
    every = measured.every[shared]
    assert every.limit <= BUDGET / 2, every
    assert every.together <= BUDGET * every.weeks, every


@pytest.mark.parametrize("name", LIMITS)
def test_steps_are_told_no_later_than_by_the_best_that_was_published(measured, name):
    for step, limits in zip(STEPS, REACHED.get(name, LIMITS[name]), strict=True):
        told = measured.delays[name][step, False]
        for delay, limit in zip((told.median, told.late), limits, strict=True):
            assert delay <= max(1.2 * limit, limit + 1), f"{step} sd: {told}, for {limits}"


@pytest.mark.parametrize("step", [0.25, 0.5])
def test_a_step_that_ends_is_one_alarm_and_one_recovery(step):
    what = ended(SEASON, 1, models=4, step=step)
    assert what.once >= 0.99 * what.features, what
    assert what.back.late <= 24, what.back


def test_a_slow_ramp_is_told_before_it_is_large():
    what = ramped(SEASON, 2, models=4)
    assert what.told.share == 1
    assert what.moved <= 0.2, what


@pytest.mark.parametrize("seed", range(8))
def test_an_upstream_failure_is_one_page_that_is_closed_once(seed):
    what = failed(SEASON, seed)
    assert (what.pages, what.closed, what.alarms) == (1, 1, 6), what
    assert what.spread <= 2, what
