"""Law 10 on real events: what leaves was foreseen."""

import os
from itertools import groupby

import pytest

from mlvitals.app.admission import judge_of, references_of
from mlvitals.clock import parse_time
from mlvitals.config import load
from mlvitals.plan import measure_demand, monitored
from mlvitals.signals.spec import Export
from mlvitals.telemetry import Service, allow, render

SETS = [("fraud", "1w"), ("elec2", "1w")]


@pytest.mark.shared
@pytest.mark.parametrize(("name", "size"), SETS)
def test_the_series_of_real_events_are_those_that_were_planned_and_few_of_these_are_idle(name, size, real):
    ran = real(name, size)
    config = load(ran.config, os.environ)
    (model,) = config.models
    judge = judge_of(config, model, references_of(model))
    versions = len({one.model_version for one in ran.measurements})
    service = Service(name="s", environment="default")
    for level in Export:
        allowance = allow(measure_demand(monitored(model, judge), level).demand, versions, None)
        sent = set()
        for start, members in groupby(ran.measurements, key=lambda one: one.window_start):
            began = parse_time(start)
            points, _ = render(
                list(members), stamp=began, start=began, level=level, specs=config.signals.specs, service=service
            )
            assert all(allowance.lets(point.name, point.attributes) for point in points)
            sent |= {(point.name, frozenset(point.attributes.items())) for point in points}
        assert len(sent) <= allowance.series <= 3 * len(sent)
