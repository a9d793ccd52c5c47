"""`mlvitals demo`: the main job on real house sales, and what it finds."""

import shutil
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mlvitals.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from mlvitals.config import Config
    from mlvitals.signals.measurement import Measurement

_FILES: Final = ("mlvitals.yaml", "reference.parquet", "events.jsonl.gz", "labels.jsonl.gz")
_UNTIL: Final = "2015-09-01T00:00:00Z"


@click.command("demo")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("mlvitals-demo"),
    show_default=True,
    help="Where the events, the reference and the state are put; what stood there of an earlier demo is replaced.",
)
def command(directory: Path) -> int:
    """Take a reference of a house-price model, monitor nine months of its predictions, show what was wrong when.

    The sales are real (King County, Washington, 2014-15, CC0), and so is the model. Planted: a week in which one
    feature comes in square metres, and five days in which another is missing for two in five houses.
    """
    from mlvitals.app.run import run_once  # noqa: PLC0415  # not needed for --help
    from mlvitals.cli.console import console  # noqa: PLC0415
    from mlvitals.cli.options import load_config  # noqa: PLC0415
    from mlvitals.cli.progress import counting_rows  # noqa: PLC0415
    from mlvitals.clock import parse_time  # noqa: PLC0415
    from mlvitals.setup.reference import build_reference  # noqa: PLC0415
    from mlvitals.sinks.local import measurements  # noqa: PLC0415
    from mlvitals.state import Store  # noqa: PLC0415
    from mlvitals.windows.reference import write_reference  # noqa: PLC0415

    began = time.monotonic()
    _lay_out(directory)
    config = load_config(directory / "mlvitals.yaml")
    (model,) = config.models
    with counting_rows("reference") as progress:
        data = [str(directory / "reference.parquet")]
        built = build_reference(model, version=None, paths=data, complete=False, progress=progress)
    write_reference(built.reference, directory / "house-price.reference")
    with counting_rows("events") as progress:
        report = run_once(config, until=parse_time(_UNTIL), progress=progress)
    with Store.open_read_only(config.state.path) as store:
        found = list(measurements(store))
    out = console()
    out.print(_warnings(found))
    out.print(_performance(found))
    page = _write_page(config, directory / "report.html")
    out.print(
        f"{report.account.rows:,} events, {len(found):,} measurements in {time.monotonic() - began:.1f} s. "
        f"Look further: mlvitals signals -c {directory / 'mlvitals.yaml'}\n{page}",
        markup=False,
        soft_wrap=True,
    )
    return 0 if report.delivered else 1


def _write_page(config: "Config", path: Path) -> str:
    """Write the report and say where it is, or why there is none: the rest of the demo stands without it."""
    from mlvitals.cli.report import write_report  # noqa: PLC0415  # not needed for --help

    try:
        return f"Open {write_report(config, path)[0]} in a browser."
    except MissingExtraError as error:
        return str(error)


def _lay_out(directory: Path) -> None:
    source = _example()
    shutil.rmtree(directory / ".mlvitals", ignore_errors=True)
    directory.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        shutil.copyfile(source / name, directory / name)


def _example() -> Path:
    """Return where the example stands: in the installed package, or in the checkout that it is run from."""
    package = Path(__file__).resolve().parents[1]
    for place in (package / "examples" / "kc_house", package.parents[1] / "examples" / "kc_house"):
        if (place / _FILES[0]).exists():
            return place
    raise InputError("the demo's events are not installed: run it from a checkout, or install the wheel")


def _warnings(found: Iterable["Measurement"]) -> object:
    from rich.table import Table  # noqa: PLC0415

    from mlvitals.cli.console import number  # noqa: PLC0415

    table = Table("week", "weeks", "signal", "of", "value", "warns from", "rows", "most in", title_justify="left")
    table.title = "What moved (a threshold was reached, beyond what chance does)"
    for one, weeks in _first_weeks(found):
        table.add_row(
            one.window_start[:10],
            str(weeks),
            one.signal.removeprefix("mlvitals.") + _in_brackets(one.attributes.get("method")),
            one.attributes.get("feature", "predictions"),
            number(one.value),
            number(one.threshold),
            f"{one.samples:,}",
            _most(one),
        )
    return table


def _first_weeks(found: Iterable["Measurement"]) -> list[tuple["Measurement", int]]:
    """Return what warned with the number of weeks in a row that it did; what only sums up others is left out."""
    from mlvitals.signals.registry import REGISTRY  # noqa: PLC0415

    rows: list[tuple[Measurement, int]] = []
    ends: dict[tuple[str, ...], tuple[str, int]] = {}
    for one in found:
        sums_up = one.threshold is None or ("feature" not in one.attributes and REGISTRY[one.signal].layer == "data")
        if one.status != "warning" or sums_up:
            continue
        key = (one.signal, *map(str, sorted(one.attributes.items())))
        end, place = ends.get(key, ("", -1))
        if end == one.window_start:
            first, weeks = rows[place]
            rows[place] = (first, weeks + 1)
        else:
            place = len(rows)
            rows.append((one, 1))
        ends[key] = (one.window_end, place)
    return rows


def _most(one: "Measurement") -> str:
    if "bin" not in one.evidence:
        return ""
    now, before = float(one.evidence["share"]), float(one.evidence["reference_share"])
    return f"{one.evidence['bin']}: {before:.1%} → {now:.1%}"


def _performance(found: Iterable["Measurement"]) -> object:
    from rich.table import Table  # noqa: PLC0415

    from mlvitals.cli.console import number  # noqa: PLC0415

    ages: Sequence[str] = ("7d", "30d", "90d")
    table = Table("week", "served", *(f"mae at {age}" for age in ages), *(f"labelled at {age}" for age in ages))
    table.title, table.title_justify = "What the labels said, as they came (US dollars)", "left"
    weeks: dict[str, dict[str, float]] = {}
    for one in found:
        if "method" in one.attributes:
            continue
        key = one.attributes.get("metric", one.signal) + one.attributes.get("maturity", "")
        weeks.setdefault(one.window_start[:10], {})[key] = one.value or 0.0
    for week, values in weeks.items():
        if not values.get("mlvitals.prediction.count"):
            continue
        shares = [f"{values.get(f'mlvitals.label.coverage.ratio{age}', 0.0):.0%}" for age in ages]
        errors = [number(values.get(f"mae{age}")) for age in ages]
        table.add_row(week, number(values["mlvitals.prediction.count"]), *errors, *shares)
    return table


def _in_brackets(text: str | None) -> str:
    return "" if text is None else f" ({text})"
