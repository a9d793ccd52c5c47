"""The page: what the state holds of all models in a table, and of one in depth."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mlvitals.config import Config
from mlvitals.engines.changes import read_changes
from mlvitals.errors import InputError
from mlvitals.report.account import read_rows_and_queues
from mlvitals.report.charts import Charts
from mlvitals.report.distribution import Distribution, Distributions
from mlvitals.report.features import FeatureCards, make_reading
from mlvitals.report.frame import Frame, read_frame
from mlvitals.report.html import Document
from mlvitals.report.island import island, marks
from mlvitals.report.leads import QUESTIONS, leads
from mlvitals.report.maturity import triangles
from mlvitals.report.names import shown
from mlvitals.report.numbers import moment
from mlvitals.report.overview import Standing, read_standings
from mlvitals.signals.spec import Layer, MetricSpec
from mlvitals.state import Store

_DOCUMENT: Final = Document(
    template="report.html",
    scripts=("vendor/uplot/uPlot.iife.min.js", "assets/data.js", "assets/chart.js", "assets/page.js"),
    styles=("vendor/uplot/uPlot.min.css", "assets/report.css"),
)
_CHANGES_SHOWN: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A report: its HTML, and the model that it tells in depth (empty where there is none)."""

    html: str
    model: str


def make_page(store: Store, config: Config, *, now: int, model: str | None = None, since: int | None = None) -> Page:
    """Return the report of a state, read in one moment while another process may write to it.

    Args:
        store: the state, open for reading.
        config: whose models, references and groups it is about.
        now: when it is made, microseconds since the epoch.
        model: the one to tell in depth; the one that warns most where it is left out.
        since: no window that starts before; None for all that are kept.

    Raises:
        MissingExtraError: the extra `report` is not installed.
        InputError: there is no such model.

    """
    _DOCUMENT.require()
    store.connection.execute("BEGIN")  # one moment of the state, however long the reading takes
    try:
        context = _context(store, config, model, -(2**62) if since is None else since)
    finally:
        store.connection.execute("ROLLBACK")
    made = moment(now // 60_000_000 * 60_000_000)
    return Page(html=_DOCUMENT.render(**context, service=config.service, made=made), model=context["name"])


def _context(store: Store, config: Config, model: str | None, since: int) -> dict[str, Any]:
    standings = read_standings(store.connection, config, since)
    if model is not None and model not in {one.whose.name for one in standings}:
        raise InputError(f"there is no model `{shown(model)}`, neither configured nor measured")
    chosen = _choose(standings, model)
    context: dict[str, Any] = {
        "standings": standings,
        "account": read_rows_and_queues(store),
        "layers": Layer,
        "chosen": chosen,
        "name": chosen.whose.name if chosen else "",
    }
    if chosen is None or not chosen.windows:
        return context | {"depth": None, "data": "{}"}
    return context | _depth(store, chosen, config.signals.specs)


def _choose(standings: list[Standing], model: str | None) -> Standing | None:
    if model is not None:
        return next(one for one in standings if one.whose.name == model)
    return max(standings, key=lambda one: (bool(one.windows), one.gravity), default=None)


def _depth(store: Store, chosen: Standing, specs: Mapping[str, MetricSpec]) -> dict[str, Any]:
    connection, of = store.connection, chosen.whose
    frame = read_frame(connection, of.name, chosen.windows, specs)
    reference, problem = of.reference(connection)
    charts, drawn = Charts(frame), list[Distribution]()
    distributions = Distributions(connection, frame, reference, of.sensitive)
    by_layer = {layer: charts.of_layer(layer) for layer in Layer}
    cards = FeatureCards(frame, of, charts, distributions, drawn).make(chosen.episodes)
    changes = marks(frame, list(read_changes(connection, of.name, _CHANGES_SHOWN)))
    return {
        "depth": frame,
        "reference": reference,
        "problem": problem,
        "charts": by_layer,
        "features": cards,
        "leads": {layer: leads(layer, frame, chosen.episodes) for layer in Layer},
        "questions": QUESTIONS,
        "readings": {layer: _readings(frame, layer) for layer in Layer},
        "triangles": triangles(frame),
        "changes": changes,
        "specs": {layer: [spec for spec in specs.values() if spec.layer is layer] for layer in Layer},
        "data": island(frame, charts.all, drawn, changes),
    }


def _readings(frame: Frame, layer: Layer) -> list[Any]:
    rows = [row for row in frame.readings if row.spec.layer is layer]
    return [make_reading(row) for row in rows if "feature" not in row.spec.attributes]
