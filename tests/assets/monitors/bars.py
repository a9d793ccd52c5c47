"""On which values a monitor fires and on which it does not, for whoever tries one before a backend."""

from mlvitals.assets.monitors import LOOKBACK, Bar, Comparator, Monitor, Overdue


def sides(monitor: Monitor) -> tuple[list[float], list[float]]:
    """Return values that fire, and as many that do not, each the nearest to the bar first; the bar is one of them."""
    if isinstance(monitor.fires, Overdue):
        return [LOOKBACK + 1.0, 9e9], [float(LOOKBACK), 0.0]
    assert isinstance(monitor.fires, Bar)
    bar = monitor.fires.value
    near = max(abs(bar), 1.0) * 1e-6
    if monitor.fires.comparator is Comparator.ABOVE:
        return [bar + near, bar + 1e6], [bar, bar - near]
    return [bar, bar + near], [bar - near, bar - 1e6]


def nearest(monitor: Monitor) -> tuple[float, float]:
    """Return the least value that fires and the greatest that does not."""
    fires, quiet = sides(monitor)
    return fires[0], quiet[0]
