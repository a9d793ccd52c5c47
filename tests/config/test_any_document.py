"""Whatever a person writes, the answer is a configuration or one line."""

from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mlvitals.config import (
    Config,
    DecisionsConfig,
    FeaturesConfig,
    LabelsConfig,
    ModelConfig,
    OperatingConfig,
    PageOnConfig,
    PerformanceConfig,
    ServiceConfig,
    StateConfig,
    VersionConfig,
    WeightsConfig,
    WindowsConfig,
    load,
)
from mlvitals.errors import ConfigError

STRUCTS = (
    Config,
    DecisionsConfig,
    FeaturesConfig,
    LabelsConfig,
    ModelConfig,
    OperatingConfig,
    PageOnConfig,
    PerformanceConfig,
    ServiceConfig,
    StateConfig,
    VersionConfig,
    WeightsConfig,
    WindowsConfig,
)
KEYS = sorted(
    {name for struct in STRUCTS for name in struct.__struct_fields__} | {"defaults", "type", "role", "last", "cost"}
)
WORDS = [
    "7d",
    "1h",
    "0d",
    "1mo",
    "file",
    "labels",
    "local",
    "otlp",
    "datadog",
    "mlvitals",
    "json",
    "calendar",
    "${A}",
    "${",
    "*",
    "",
]

scalars = st.none() | st.booleans() | st.integers(-2, 99) | st.floats(allow_nan=False) | st.sampled_from(WORDS)
parts = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)
models = st.lists(st.dictionaries(st.sampled_from(KEYS), parts, max_size=5) | parts, max_size=2)
documents = st.dictionaries(st.sampled_from(KEYS), parts, max_size=5).flatmap(
    lambda document: models.map(lambda listed: document | {"models": listed})
)


@settings(max_examples=200, deadline=None)
@given(documents | parts)
def test_any_document_is_a_configuration_or_is_answered_with_one_line(document):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "mlvitals.yaml"
        path.write_text(yaml.safe_dump(document), "utf-8")
        try:
            assert isinstance(load(path, {"A": "7d"}), Config)
        except ConfigError as error:
            message = str(error)
            assert message.startswith(str(path))
            assert "\n" not in message
            assert message.endswith("`")
