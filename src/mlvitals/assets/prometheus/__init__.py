"""Rules of Prometheus that page and warn, from the catalogue of monitors."""

from collections.abc import Mapping

from mlvitals.assets.prometheus.rules import render_rules


def render() -> Mapping[str, bytes]:
    """Return the files for Prometheus by their paths from the root of the project."""
    return {"monitors/prometheus/mlvitals.rules.yaml": render_rules()}
