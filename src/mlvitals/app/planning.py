"""Planning a configuration: its references are read, its destinations only asked how they encode."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from mlvitals.app.admission import judge_of, references_of, service_of
from mlvitals.app.pipeline import MIGRATIONS
from mlvitals.config import Config, PricesConfig, demand_of
from mlvitals.errors import MlvitalsError
from mlvitals.plan import Job, Known, Plan, make_plan, monitored
from mlvitals.sinks import SinkContext
from mlvitals.state import Store
from mlvitals.windows.groups import segment_names


def plan_config(config: Config, prices: PricesConfig | None) -> Plan:
    """Return what a configuration will send, and what it costs at these prices. Nothing is changed or sent.

    Raises:
        MlvitalsError: a sink cannot be opened.

    """
    models: dict[str, Known] = {}
    faults = {fault.who or "unread": fault.message for fault in config.faults}
    for model in config.models:
        try:
            judge = judge_of(config, model, references_of(model))
        except MlvitalsError as error:
            faults[model.name] = str(error)
            continue
        layout = judge.references.layout("")
        features = () if layout is None else (feature.name for feature in layout.features)
        segments = () if layout is None else segment_names(model.segments, layout.segments)
        models[model.name] = Known(
            monitored=monitored(model, judge),
            service=service_of(config, model),
            detectors=demand_of(model, features, segments, config.budget.versions),
        )
    patterns = [pattern.match for pattern in config.patterns if pattern.fault is None]
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        # A sink may keep something in the state; how it encodes must not need the real one.
        store = stack.enter_context(Store.open(Path(folder) / "plan.db", MIGRATIONS))
        context = SinkContext(service=service_of(config), specs=config.signals.specs, store=store)
        sinks = []
        for one in config.sinks:
            sinks.append(one.open(context))
            stack.callback(sinks[-1].close)
        job = Job.of(config, [*models, *faults])
        return make_plan(
            models,
            faults,
            patterns,
            sinks,
            job,
            budget=config.budget,
            decisions=config.decisions,
            prices=prices,
        )
