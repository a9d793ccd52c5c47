"""Rules of Prometheus that page and warn, from the catalogue of monitors, and whom Alertmanager tells."""

from collections.abc import Mapping

from mlvitals.assets.prometheus.routes import render_routes
from mlvitals.assets.prometheus.rules import render_rules


def render() -> Mapping[str, bytes]:
    """Return the files for Prometheus by their paths from the root of the project."""
    return {
        "monitors/prometheus/alertmanager.example.yaml": render_routes(),
        "monitors/prometheus/mlvitals.rules.yaml": render_rules(),
    }
