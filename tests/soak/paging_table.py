"""What was simulated as a table, and as a picture."""

from collections.abc import Iterator, Mapping
from math import log
from typing import Final

from tests.soak.paging_runs import BUDGET, HORIZON, LIMITS, STEPS, Delays, Pages, Simulated

# Points of the picture.
_TOP: Final = 50
_LINE: Final = 26
_LEFT: Final = 270
_BAR: Final = 170
_GAP: Final = 40
_AXIS: Final = 400
_HOURS_FROM: Final = _LEFT + _BAR + _GAP
_HOURS: Final = (1, 2, 4, 8, 24, 72, HORIZON)
_COLOURS: Final = ("#0072b2", "#d55e00", "#009e73")  # told apart by the colour-blind too


def table(found: Simulated) -> str:
    """Return Markdown: a table of false pages, and one of delays, with a line for each setting."""
    rates = "false pages | a week, at most | all together"
    pages = [
        f"| nothing but | weeks | {rates} | shared: {rates} |",
        "|---" * 8 + "|",
        *(_paged(name, one) for name, one in found.pages.items()),
        _paged("all of them", found.every),
    ]
    steps = ", ".join(f"{step:g}" for step in STEPS)
    delays = [
        f"| nothing but | hours until {steps} sd | limit | shared: hours until {steps} sd |",
        "|---" * 4 + "|",
        *(_told(name, one) for name, one in found.delays.items()),
    ]
    return "\n".join([*pages, "", *delays])


def _paged(name: str, pages: Mapping[bool, Pages]) -> str:
    parts = (f"{one.features} | {one.limit:.2g} | {one.together}" for one in (pages[False], pages[True]))
    return f"| {name} | {pages[False].weeks} | {' | '.join(parts)} |"


def _told(name: str, delays: Mapping[tuple[float, bool], Delays]) -> str:
    alone, shared = (", ".join(str(delays[step, one]) for step in STEPS) for one in (False, True))
    limit = ", ".join("/".join(f"{one:g}" for one in pair).replace("inf", "-") for pair in LIMITS[name])
    return f"| {name} | {alone} | {limit} | {shared} |"


def picture(found: Simulated) -> str:
    """Return an SVG: for each setting the false pages that are not excluded, and when steps were told."""
    height = _TOP + _LINE * len(found.pages) + 30
    width = _LEFT + _BAR + _GAP + _AXIS + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">',
        '<g font-size="12">',
        "<title>False pages a week, and hours until a step was told, by what is ordinary</title>",
        f'<rect width="{width}" height="{height}" fill="white"/>',
        *_axes(height),
    ]
    for row, (name, pages) in enumerate(found.pages.items()):
        middle = _TOP + _LINE * row + _LINE / 2
        parts.append(_text(_LEFT - 10, middle + 4, name, "end"))
        parts += _bar(middle, pages[False])
        for place, step in enumerate(STEPS if name in found.delays else ()):
            parts.append(_delay(middle + 6 * (place - 1), found.delays[name][step, False], _COLOURS[place]))
    return "\n".join([*parts, "</g></svg>"]) + "\n"


def _axes(height: int) -> Iterator[str]:
    yield _text(_LEFT, 18, "false pages a week", weight="bold")
    yield _text(_LEFT, 34, "measured, and not excluded (95 %)")
    yield _text(_HOURS_FROM, 18, "hours until a step was told", weight="bold")
    for place, step in enumerate(STEPS):
        from_left = _HOURS_FROM + 75 * place
        yield f'<circle cx="{from_left + 5}" cy="30" r="4" fill="{_COLOURS[place]}"/>'
        yield _text(from_left + 14, 34, f"{step:g} sd")
    yield _text(_HOURS_FROM + 225, 34, "median, and nine of ten")
    for at, label in [(_LEFT, "0"), (_LEFT + _BAR, f"{BUDGET:g}")]:
        yield _line(at, height, "#d55e00" if at > _LEFT else "#999")
        yield _text(at, height - 10, label, "middle")
    for hour in _HOURS:
        yield _line(_place(hour), height, "#ddd")
        yield _text(_place(hour), height - 10, str(hour), "middle")


def _bar(middle: float, pages: Pages) -> Iterator[str]:
    for value, colour, thick in ((pages.limit, "#bbb", 10), (pages.rate, "#333", 10)):
        wide = _BAR * min(value / BUDGET, 1.1)
        yield f'<rect x="{_LEFT}" y="{middle - thick / 2:g}" width="{wide:.1f}" height="{thick}" fill="{colour}"/>'


def _delay(at: float, told: Delays, colour: str) -> str:
    median, late = (_place(min(one, HORIZON)) for one in (told.median, told.late))
    return (
        f'<line x1="{median:.1f}" x2="{late:.1f}" y1="{at:g}" y2="{at:g}" stroke="{colour}" stroke-width="2"/>'
        f'<circle cx="{median:.1f}" cy="{at:g}" r="3" fill="{colour}"/>'
    )


def _place(hours: float) -> float:
    return _HOURS_FROM + _AXIS * log(hours) / log(HORIZON)


def _line(at: float, height: int, colour: str) -> str:
    return f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP - 4}" y2="{height - 24}" stroke="{colour}"/>'


def _text(at: float, height: float, words: str, anchor: str = "start", weight: str = "normal") -> str:
    return f'<text x="{at:.1f}" y="{height:g}" text-anchor="{anchor}" font-weight="{weight}">{words}</text>'
